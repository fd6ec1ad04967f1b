"""The two decorators of compiled code, and where its cache lives.

numba notices an edit of the file in which a kernel stands, not of the files whose functions it calls.
The cache folder is therefore named by a hash of this package and of the compiler's version.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import numba
from numba.core import config
from numba.extending import intrinsic

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
CACHE_SETTING = "CACHE_DIR"


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
    compile_it = numba.njit(inline="always", error_model="numpy", fastmath={"contract"})
    return cast(F, compile_it(function))


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
    compile_it = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
    # the folder is chosen where the decorator runs
    before = getattr(config, CACHE_SETTING)
    setattr(config, CACHE_SETTING, CACHE)
    try:
        return cast(F, compile_it(function))
    finally:
        setattr(config, CACHE_SETTING, before)


def instruction(generator: Callable[..., Any]) -> Callable[[float], float]:
    """Make a function of one double out of a generator of its machine code.

    Parameters
    ----------
    generator : callable
        Takes numba's typing context and the type of the argument; see ``numba.extending.intrinsic``.

    Returns
    -------
    callable
        For use in equations only.
    """
    return cast(Callable[[float], float], intrinsic(generator))
