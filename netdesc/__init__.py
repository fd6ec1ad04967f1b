"""Describe spiking networks in YAML; simulate, differentiate and compare them on several substrates.

The names below are imported at first use, so that ``import netdesc`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netdesc.api import Batch, CompiledProgram, Model, batch, compile, load
    from netdesc.comparison import compare
    from netdesc.datasets.samples import Samples
    from netdesc.errors import (
        BackendError,
        DescriptionError,
        GraphError,
        LimitError,
        NetdescError,
        NumericsError,
    )
    from netdesc.events import Events
    from netdesc.gradient import Gradient
    from netdesc.simulation import GradientResult, grad, load_weights, run
    from netdesc.trace import Recording, Trace
    from netdesc.training import Metrics, TrainingResult, evaluate, train
    from netdesc.weights import Weights

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "Batch",
    "CompiledProgram",
    "DescriptionError",
    "Events",
    "Gradient",
    "GradientResult",
    "GraphError",
    "LimitError",
    "Metrics",
    "Model",
    "NetdescError",
    "NumericsError",
    "Recording",
    "Samples",
    "Trace",
    "TrainingResult",
    "Weights",
    "__version__",
    "batch",
    "compare",
    "compile",
    "evaluate",
    "grad",
    "load",
    "load_weights",
    "run",
    "train",
]

_MODULES = {
    "netdesc.api": ("Batch", "CompiledProgram", "Model", "batch", "compile", "load"),
    "netdesc.comparison": ("compare",),
    "netdesc.datasets.samples": ("Samples",),
    "netdesc.errors": (
        "BackendError",
        "DescriptionError",
        "GraphError",
        "LimitError",
        "NetdescError",
        "NumericsError",
    ),
    "netdesc.events": ("Events",),
    "netdesc.gradient": ("Gradient",),
    "netdesc.simulation": ("GradientResult", "grad", "load_weights", "run"),
    "netdesc.trace": ("Recording", "Trace"),
    "netdesc.training": ("Metrics", "TrainingResult", "evaluate", "train"),
    "netdesc.weights": ("Weights",),
}

_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'netdesc' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
