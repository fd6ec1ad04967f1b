"""Views of arrays without reference counts, which cost more than a short function itself.

A view does not keep its memory alive. So only arguments of a function are viewed: its caller holds the arrays
until the function returns, and the function neither returns nor keeps a view.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from netdesc.dynamics.jit import inlined, instruction


def _same(item: Any) -> Any:
    return item


def _stretch(array: Any, begin: int, size: int) -> Any:
    return array[begin : begin + size]


def _rows(array: Any, begin: int, rows: int, columns: int) -> Any:
    return array[begin : begin + rows * columns].reshape(rows, columns)


def _row(array: Any, number: int) -> Any:
    return array[number]


def _contiguous(array: Any, dimensions: int) -> types.Array:
    return types.Array(array.dtype, dimensions, "C", readonly=not array.mutable, aligned=array.aligned)


def make_array(kind: types.Array) -> Any:
    """Return the structure of an array in compiled code.

    numba has it in a part that is loaded where something is compiled, and only there.
    """
    from numba.np import arrayobj

    return arrayobj.make_array(kind)


def _make(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    from numba.np.arrayobj import get_itemsize, populate_array

    made = make_array(kind)(context, builder)
    size = context.get_constant(types.intp, get_itemsize(context, kind))
    strides = [size] if len(shape) == 1 else [builder.mul(shape[1], size), size]
    populate_array(made, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return made._getvalue()


def _integers(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    return [
        context.cast(builder, value, kind, types.intp)
        for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
    ]


@inlined
def fill(array: Any, value: float) -> None:
    """Set all elements of an array with one dimension; a loop is compiled faster than an assignment."""
    for k in range(len(array)):
        array[k] = value


@inlined
def copy(to: Any, values: Any) -> None:
    """Copy an array with one dimension."""
    for k in range(len(to)):
        to[k] = values[k]


@inlined
def copy_rows(to: Any, values: Any) -> None:
    """Copy a contiguous matrix."""
    for r in range(len(to)):
        for k in range(to.shape[1]):
            to[r, k] = values[r, k]


def _strip(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return a value without the reference counts of the arrays that it is or holds."""
    if isinstance(kind, types.Array):
        made = make_array(kind)(context, builder, value)
        made.meminfo = ir.Constant(made.meminfo.type, None)
        made.parent = ir.Constant(made.parent.type, None)
        return made._getvalue()
    if isinstance(kind, types.BaseTuple):
        items = [
            _strip(context, builder, inner, builder.extract_value(value, k))
            for k, inner in enumerate(kind.types)
        ]
        return context.make_tuple(builder, kind, items)
    return value


@instruction(_same)
def unowned(context: Any, item: Any) -> Any:
    """Return an array, or a named tuple of arrays, numbers and such tuples, over the same memory."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _strip(context, builder, signature.return_type, arguments[0])

    return item(item), generate


@instruction(_stretch)
def stretch(context: Any, array: types.Array, begin: types.Integer, size: types.Integer) -> Any:
    """Return ``size`` elements from ``begin`` on of an array with one dimension; nothing is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = make_array(signature.args[0])(context, builder, arguments[0])
        first, count = _integers(context, builder, signature, arguments)
        data = builder.gep(source.data, [first])
        return _make(context, builder, signature.return_type, data, [count])

    return _contiguous(array, 1)(array, begin, size), generate


@instruction(_rows)
def stretch_rows(
    context: Any, array: types.Array, begin: types.Integer, rows: types.Integer, columns: types.Integer
) -> Any:
    """Return a matrix of the elements from ``begin`` on of a flat array; nothing is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = make_array(signature.args[0])(context, builder, arguments[0])
        first, height, width = _integers(context, builder, signature, arguments)
        data = builder.gep(source.data, [first])
        return _make(context, builder, signature.return_type, data, [height, width])

    return _contiguous(array, 2)(array, begin, rows, columns), generate


@instruction(_row)
def row(context: Any, array: types.Array, number: types.Integer) -> Any:
    """Return a row of a contiguous matrix; nothing is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = make_array(signature.args[0])(context, builder, arguments[0])
        width = builder.extract_value(source.shape, 1)
        (which,) = _integers(context, builder, signature, arguments)
        data = builder.gep(source.data, [builder.mul(which, width)])
        return _make(context, builder, signature.return_type, data, [width])

    return _contiguous(array, 1)(array, number), generate
