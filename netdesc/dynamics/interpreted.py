"""Kernels in the interpreter, where ``NUMBA_DISABLE_JIT`` is set: for debuggers and for coverage."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def interpret(function: F) -> F:
    """Make a kernel that runs without being compiled, for example under a debugger.

    Parameters
    ----------
    function : callable
        Arrays and scalars in; results in the last arguments.

    Returns
    -------
    callable
        Numbers beyond the range of their type and divisions by zero raise no warning, as in compiled code;
        elements of structured arrays have their fields as attributes.
    """

    @wraps(function)
    def run(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*(_with_attributes(item) for item in arguments))

    run.py_func = function  # type: ignore[attr-defined]
    return cast(F, run)


class Element(np.record):  # type: ignore[misc]  # numpy derives from it, too
    """An element of a structured array whose fields come before numpy's own attributes of the same name."""

    def __getattribute__(self, name: str) -> Any:
        fields = super().__getattribute__("dtype").fields
        return self[name] if name in fields else super().__getattribute__(name)


def _with_attributes(item: Any) -> Any:
    if isinstance(item, np.ndarray) and item.dtype.names:
        return item.view(np.dtype((Element, item.dtype)))
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*(_with_attributes(part) for part in item))
    return item
