"""Cells from equations: their functions are written once, kept in the cache, and registered."""

from __future__ import annotations

import hashlib
import logging
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType

from netdesc.dynamics.equations import Equations
from netdesc.dynamics.kernel_cache import open_folder, read_checked, write_checked
from netdesc.dynamics.kernel_digest import digest_sources
from netdesc.dynamics.protocol import register

log = logging.getLogger("netdesc.kernels")

PACKAGE = "netdesc_cells"
"""Name under which generated modules are known; there is no such package on disk."""

_RECORDS: dict[str, type] = {}


@cache
def record_of_cell(cell: Equations) -> type:
    """Return the class of parameter records of a cell, whose functions are generated where they are not yet.

    Returns
    -------
    type
        A named tuple of arrays: the parameters of the cell by name and an underscore, each of shape (n,);
        ``start``, the initial state, of shape (n, width); and ``tau_ref``, the refractory period in ms, of
        shape (n,).

    Raises
    ------
    DescriptionError
        If a text of the cell is not an expression.
    """
    key = repr(cell)
    if key not in _RECORDS:
        digest = hashlib.sha256(f"{key} {_digest_generator()}".encode()).hexdigest()[:32]
        module = ModuleType(f"{PACKAGE}.{cell.name}_{digest}")
        sys.modules.setdefault(PACKAGE, ModuleType(PACKAGE))
        sys.modules[module.__name__] = module
        exec(compile(_find_text(cell, digest), f"<{module.__name__}>", "exec"), module.__dict__)
        register(module.Cells, module.__dict__, module.WIDTH, module.RESIDUALS)
        _RECORDS[key] = module.Cells
    return _RECORDS[key]


@cache
def _digest_generator() -> str:
    """Return a hash of all that decides how a cell is written."""
    folder = Path(__file__).parent
    return " ".join(digest_sources(folder / name) for name in ("writer.py", "generate.py"))


def _find_text(cell: Equations, digest: str) -> str:
    folder = open_folder()
    path = None if folder is None else folder / f"{cell.name}-{digest}.cell"
    known = None if path is None else read_checked(path)
    if known is not None:
        return known.decode()
    # sympy is slow to import, and needed here alone
    from netdesc.dynamics.derive import derive
    from netdesc.dynamics.writer import write

    log.info("deriving %s", cell.name)
    text = write(derive(cell))
    if path is not None:
        # it is derived again in the next process; the cache of kernels says that it cannot write
        with suppress(OSError):
            write_checked(path, text.encode())
    return text
