"""The command ``netdesc``: one small module per command."""

from __future__ import annotations

import os
from collections.abc import Sequence

# Before NumPy is imported. No command multiplies matrices, and the idle threads of its linear algebra
# would make every start slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; see `netdesc.cli.entry.main`."""
    try:
        # Half of the time of a quick command passes here, so that an interrupt often does too.
        from netdesc.cli.entry import main as run_main
    except KeyboardInterrupt:
        return INTERRUPTED
    return run_main(arguments)


__all__ = ["main"]
