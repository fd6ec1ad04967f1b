"""Describe spiking networks in YAML; simulate, differentiate and compare them on several substrates.

The names below are imported at first use, so that ``import netdesc`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdesc.api import Batch, CompiledProgram, Model, batch, compile, grad, load, run
    from netdesc.comparison import compare
    from netdesc.datasets import Samples
    from netdesc.training import evaluate, train

__version__ = "0.1.0"

__all__ = [
    "Batch", "CompiledProgram", "Model", "Samples", "__version__", "batch", "compare", "compile", "evaluate",
    "grad", "load", "run", "train",
]

_HOMES = {
    "compare": "netdesc.comparison",
    "Batch": "netdesc.api", "batch": "netdesc.api", "Samples": "netdesc.datasets",
    "CompiledProgram": "netdesc.api", "Model": "netdesc.api", "compile": "netdesc.api", "grad": "netdesc.api",
    "load": "netdesc.api", "run": "netdesc.api", "evaluate": "netdesc.training", "train": "netdesc.training",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'netdesc' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
