"""The two decorators of compiled code, and where its cache lives.

Multiplications and additions are fused only where an equation says so, so that a result does not depend
on which of them the compiler vectorizes: it is the same to the last bit on every machine.

numba notices an edit of the file in which a kernel stands, not of the files whose functions it calls.
The cache folder is therefore named by a hash of the equations, the adjoint's kernels, the kernel's own
package and the compiler's version.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import numba
from numba.core import config
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])


@cache
def cache_folder(package: Path) -> Path:
    """Return the folder of compiled kernels that belongs to the present sources.

    Parameters
    ----------
    package : pathlib.Path
        Folder of the kernel's own source file, whose other files it may call.

    Returns
    -------
    pathlib.Path
        Below ``NUMBA_CACHE_DIR`` where that is set, otherwise below the user's cache folder.
    """
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    physics = Path(__file__).parent
    for folder in (physics, physics.parent / "eventprop", package):
        for file in sorted(folder.glob("*.py")):
            digest.update(file.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "netdesc" / digest.hexdigest()[:16]


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
    compile_it = numba.njit(inline="always", error_model="numpy")
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
    compile_it = numba.njit(cache=True, nogil=True, error_model="numpy")
    # the folder is chosen where the decorator runs
    before = getattr(config, CACHE_SETTING)
    setattr(config, CACHE_SETTING, str(cache_folder(Path(function.__code__.co_filename).parent)))
    try:
        return cast(F, compile_it(function))
    finally:
        setattr(config, CACHE_SETTING, before)


def instruction(generator: Callable[..., Any]) -> Callable[..., float]:
    """Make a function of doubles out of a generator of its machine code.

    Parameters
    ----------
    generator : callable
        Takes numba's typing context and the types of the arguments; see ``numba.extending.intrinsic``.

    Returns
    -------
    callable
        For use in equations only.
    """
    return cast(Callable[..., float], intrinsic(generator))
