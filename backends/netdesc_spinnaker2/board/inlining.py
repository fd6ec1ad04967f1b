"""The decorator of the programs and their parts, which become part of the kernels that run them.

A program works on a board of some twenty arrays, each of which is some seven numbers on the stack of a call.
The programs of a tick are short, and there are many of them: handing these over took longer than the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def part(function: F) -> F:
    """Compile a function that becomes part of every kernel that calls it.

    Parameters
    ----------
    function : callable
        Arrays and scalars in.

    Returns
    -------
    callable
        Not cached, for the kernels are. Its ``py_func`` is the function itself.
    """
    compile_it = numba.njit(forceinline=True, nogil=True, error_model="numpy")
    return cast(F, compile_it(function))
