"""How many functions have to be translated for a kernel: an estimate, for those who wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from netdesc.dynamics.fragments import TRANSLATED
from netdesc.dynamics.kernel_digest import global_names
from netdesc.dynamics.protocol import find_code, records_in


def count_functions(kernel: Callable[..., Any], signature: object) -> int:
    """Return about how many functions have to be translated, those of earlier kernels not counted.

    Parameters
    ----------
    kernel : callable
        Not compiled.
    signature : object
        Types of the arguments: their records decide which functions the operations of cells are.

    Returns
    -------
    int
        At least 1.
    """
    kinds = signature if isinstance(signature, tuple) else ()
    records = [record for kind in kinds for record in records_in(kind)]
    waiting: list[object] = [kernel]
    found: set[FunctionType] = set()
    while waiting:
        function = getattr(item := waiting.pop(), "py_func", item)
        if isinstance(function, FunctionType) and function.__module__ and function not in found:
            found.add(function)
            waiting += _called(function, records)
    return max(1, len(found - TRANSLATED))


def _called(function: FunctionType, records: list[type]) -> Iterator[object]:
    names = global_names(function.__code__)
    for name in names:
        value = function.__globals__.get(name)
        operation = getattr(value, "_operation", "")
        if operation:
            yield from (find_code(record).functions.get(operation) for record in records)
        elif hasattr(value, "py_func"):
            yield value
        elif isinstance(value, ModuleType):
            yield from (found for found in map(vars(value).get, names) if hasattr(found, "py_func"))
