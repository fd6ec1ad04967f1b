"""The decorators of compiled code, and where its cache lives.

numba notices an edit of the file in which a kernel stands, not of the files whose functions it calls.
The cache folder is therefore named by a hash of this package and of the compiler's version.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path:
    """Return the folder of compiled kernels that belongs to the present equations.

    Returns
    -------
    pathlib.Path
        Below ``NUMBA_CACHE_DIR`` where that is set, otherwise below the user's cache folder.
    """
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "netdesc" / digest.hexdigest()[:16]


CACHE = str(cache_folder())


def equation(function: F) -> F:
    """Compile a scalar function that kernels inline.

    Parameters
    ----------
    function : callable
        Scalars in, scalars out.

    Returns
    -------
    callable
        Its ``py_func`` is the function itself.
    """
    compiled: F = numba.njit(inline="always", error_model="numpy", fastmath={"contract"})(function)
    return compiled


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
    return compile_loop(function, {"contract"})


def rounding_kernel(function: F) -> F:
    """Compile a loop like ``kernel``, with every operation rounded by itself.

    No product is fused with a sum, so that any other loop over the same equations, in any layout, has the
    same bits.

    Parameters
    ----------
    function : callable
        Arrays and scalars in; results in the last arguments.

    Returns
    -------
    callable
        Its ``py_func`` is the function itself.
    """
    return compile_loop(function, False)


def compile_loop(function: F, fastmath: set[str] | bool) -> F:
    """Compile a loop with the given freedom of rounding; see ``kernel``."""
    before = config.CACHE_DIR
    config.CACHE_DIR = CACHE
    try:
        compiled: F = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fastmath)(function)
    finally:
        config.CACHE_DIR = before
    return compiled
