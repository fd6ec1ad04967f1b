"""Memory asked for before it is needed.

In a large network a spike reaches rows of synapses that lie far apart, and the processor would wait for each
of them. The rows of the spikes that come next are known, so they are asked for while the present one is dealt
with.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.cgutils import get_item_pointer

from netdesc.dynamics.jit import inlined, instruction
from netdesc.dynamics.views import make_array
from netdesc.ticks.records import Arrivals, Synapses

FAR, MIDDLE, CLOSE = 24, 16, 8
"""How many spikes ahead the entry of a row, its first segment, and what that points to are asked for."""


def _prefetch(array: Any, index: int) -> None:
    pass


@instruction(_prefetch)
def prefetch(context: Any, array: types.Array, index: types.Integer) -> Any:
    """Ask for an element of an array with one dimension; nothing is read, and any index is allowed."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        held = make_array(kind)(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], signature.args[1], types.intp)
        element = get_item_pointer(context, builder, kind, held, [place], wraparound=False)
        word, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch", [word], ir.FunctionType(ir.VoidType(), [word, number, number, number])
        )
        # for reading, to be kept in all caches, data
        builder.call(function, [builder.bitcast(element, word), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


@inlined
def fetch_ahead(e: int, end: int, arrivals: Arrivals, synapses: Synapses) -> None:
    """Ask for the synapses of the spikes received that follow one.

    Parameters
    ----------
    e, end : int
        The spike, and one past the last that will be dealt with.
    arrivals : Arrivals
    synapses : Synapses
    """
    if e + FAR < end:
        prefetch(synapses.first, arrivals.row[e + FAR])
    if e + MIDDLE < end:
        prefetch(synapses.segments, synapses.first[arrivals.row[e + MIDDLE]])
    if e + CLOSE < end:
        near = arrivals.row[e + CLOSE]
        g = synapses.first[near]
        if g < synapses.first[near + 1]:
            prefetch(synapses.weight, synapses.segments[g].start)
            prefetch(synapses.target, synapses.segments[g].target_start)
