"""The command ``netdesc``: one small module per command."""

from __future__ import annotations

from netdesc.cli.entry import main

__all__ = ["main"]
