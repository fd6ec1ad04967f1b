"""Comparisons as one HTML file that needs no network.

The names below are imported at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdesc.report.writer import render, require_plotly, write, write_csv

__all__ = ["render", "require_plotly", "write", "write_csv"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'netdesc.report' has no attribute {name!r}")
    return getattr(import_module("netdesc.report.writer"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
