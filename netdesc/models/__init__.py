"""Neuron models, a file each: every module here that holds an ``EQUATIONS`` is in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from netdesc.dynamics.equations import Equations


@cache
def catalogue() -> Mapping[str, Equations]:
    """Return the models that are given by equations, by name."""
    modules = (import_module(f"{__name__}.{item.name}") for item in iter_modules(__path__))
    found = [module.EQUATIONS for module in modules if hasattr(module, "EQUATIONS")]
    return {cell.name: cell for cell in found}
