"""The command ``netdesc``: one small module per command."""

from __future__ import annotations

import os

# Before NumPy is imported. No command multiplies matrices, and the idle threads of its linear algebra
# would make every start slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from netdesc.cli.entry import main

__all__ = ["main"]
