"""Where a result came from."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdesc.api import CompiledProgram


def trace_back(compiled: CompiledProgram, seed: int | None) -> dict[str, str]:
    """Return what somebody needs to get the same result again.

    Parameters
    ----------
    compiled : CompiledProgram
    seed : int or None
        Of the run; None for that of the model.

    Returns
    -------
    dict of str to str
        The resolved file, its hash, the seed, the backend, and the versions that were at work.
    """
    from netdesc.description import dump

    description = compiled.model.description
    return {
        "resolved": dump(description),
        "digest": description.digest,
        "seed": str(compiled.program.seed if seed is None else seed),
        "backend": compiled.backend.name,
        "python": platform.python_version(),
        **{name: _version(name) for name in ("netdesc", "numpy", "numba", "h5py")},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
