"""The decorators of compiled code.

Multiplications and additions are fused only where an equation says so, so that a result does not depend
on which of them the compiler vectorizes: it is the same to the last bit on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.extending import intrinsic

from netdesc.dynamics.fragments import Fragment, Kernel
from netdesc.dynamics.interpreted import interpret
from netdesc.dynamics.kernel_cache import KernelCache

F = TypeVar("F", bound=Callable[..., Any])

int64: Callable[[int], int] = cast(Any, np.int64)
"""Makes an integer out of a literal, which has a type of its own: functions would be compiled for both."""

unsigned: Callable[[int], int] = cast(Any, np.uint64)
"""Makes an index that cannot be negative, for which no place from the end of an array is considered."""


def _join(function: F, **options: Any) -> F:
    return function if numba.config.DISABLE_JIT else cast(F, Fragment(function, **options))


def inlined(function: F) -> F:
    """Compile a function that becomes part of every kernel that calls it.

    A call with many arrays, each of which is some seven numbers on the stack, would take longer than a short
    function itself. A function that is long and called in several places is ``shared`` instead.

    Parameters
    ----------
    function : callable
        Arrays and scalars in; an equation has scalars alone.

    Returns
    -------
    callable
        Not cached, for the kernels are. Its ``py_func`` is the function itself.
    """
    return _join(function, forceinline=True)


def shared(function: F) -> F:
    """Compile a longer function once for all kernels that call it.

    Parameters
    ----------
    function : callable

    Returns
    -------
    callable
        Not cached, for the kernels are. Its ``py_func`` is the function itself.
    """
    return _join(function)


def counting(function: F) -> F:
    """Compile a function that counts in floating point, as ``inlined``; it may add in any order.

    Sums of ones are exact in any order, as long as they can be represented; a loop over them is vectorized.

    Parameters
    ----------
    function : callable
        Adds numbers 0 and 1, and nothing else.

    Returns
    -------
    callable
    """
    return _join(function, forceinline=True, fastmath={"reassoc"})


def kernel(function: F) -> F:
    """Compile a loop over arrays; cached on disk, runs without the interpreter's lock.

    Parameters
    ----------
    function : callable
        Arrays and scalars in; results in the last arguments.

    Returns
    -------
    callable
        Its ``py_func`` is the function itself.
    """
    if numba.config.DISABLE_JIT:
        return interpret(function)
    dispatcher = Kernel(function)
    dispatcher._cache = KernelCache(function)
    return cast(F, dispatcher)


def instruction(plain: F) -> Callable[[Callable[..., Any]], F]:
    """Make a function out of a generator of its machine code.

    Parameters
    ----------
    plain : callable
        Does the same without being compiled; takes its place where ``NUMBA_DISABLE_JIT`` is set.

    Returns
    -------
    callable
        Decorates a generator, which takes numba's typing context and the types of the arguments; see
        ``numba.extending.intrinsic``.
    """

    def decorate(generator: Callable[..., Any]) -> F:
        return plain if numba.config.DISABLE_JIT else cast(F, intrinsic(generator))

    return decorate
