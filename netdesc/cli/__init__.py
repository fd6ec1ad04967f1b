"""The command ``netdesc``: one small module per command."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence

# Before NumPy is imported. No command multiplies matrices, and the idle threads of its linear algebra
# would make every start slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

INTERRUPTED = 130

GARBAGE = 50_000
"""Objects between two searches for garbage: what a command makes at its start, it mostly keeps."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see `netdesc.cli.entry.main`."""
    before = gc.get_threshold()
    if 0 < before[0] < GARBAGE:
        gc.set_threshold(GARBAGE, *before[1:])
    try:
        # Half of the time of a quick command passes here, so that an interrupt often does too.
        from netdesc.cli.entry import main as run_main

        return run_main(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        gc.set_threshold(*before)


__all__ = ["main"]
