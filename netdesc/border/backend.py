"""Backends whose attributes and passes are checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from netdesc.backend import Backend
from netdesc.border.calls import guarded, wrong
from netdesc.border.findings import Findings, checked, describe
from netdesc.border.schema import read_options
from netdesc.graph.ir import NetworkGraph
from netdesc.graph.passes import Pass
from netdesc.limits import Limit, Limits
from netdesc.registry import backend_class

SETS = ("models", "trainable", "losses", "recordings", "gradients")
"""Fields of ``Limits`` that hold names."""


@dataclass(frozen=True, slots=True)
class CheckedPass:
    """A pass of a backend whose result is a graph, or an error.

    Parameters
    ----------
    inner : Pass
    name : str
    backend : str
        Name of the backend, for messages.
    """

    inner: Pass
    name: str
    backend: str

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph that the pass makes."""
        with guarded(self.backend, f"the pass {self.name}"):
            result = self.inner(graph)
            if not isinstance(result, NetworkGraph):
                raise wrong(self.backend, f"the pass {self.name}", "NetworkGraph", describe(result))
        return result


def configure(name: str, options: Mapping[str, Any]) -> Backend:
    """Import and configure a backend.

    Parameters
    ----------
    name : str
        Under which it is installed.
    options : mapping
        The section ``backends.NAME`` of the file.

    Returns
    -------
    Backend
        With a name and limits of the right kinds.

    Raises
    ------
    BackendError
        If there is no such backend, an option is wrong, or it does not follow the contract.
    """
    device_class = backend_class(name)
    options = read_options(name, options)
    with checked(name, "the constructor") as findings:
        device = device_class(options)
        check_attributes(findings, device)
    return device


def check_attributes(findings: Findings, device: object) -> None:
    """Note what is wrong with the name, the limits and the methods of a backend."""
    name, limits = getattr(device, "name", None), getattr(device, "limits", None)
    if not isinstance(name, str) or not name.isidentifier():
        findings.note("name", "a plain word", describe(name))
    for method in ("passes", "load"):
        if not callable(getattr(device, method, None)):
            findings.note(method, "a method", describe(getattr(device, method, None)))
    if not findings.require(limits, "limits", Limits):
        return
    findings.check_text(limits.time, "limits.time")
    if limits.step is not None and not (isinstance(limits.step, int | float) and limits.step > 0):
        findings.note("limits.step", "a time above 0 ms, or None", describe(limits.step))
    for field in SETS:
        value = getattr(limits, field)
        if not isinstance(value, frozenset | set) or not all(isinstance(item, str) for item in value):
            findings.note(f"limits.{field}", "a frozenset of names", describe(value))
    findings.check_each(limits.numbers, "limits.numbers", partial(check_limit, findings))


def check_limit(findings: Findings, item: object, name: str) -> None:
    """Note what is wrong with a number of the limits."""
    if not findings.require(item, name, Limit):
        return
    if not isinstance(item.value, int | float) or math.isnan(item.value):
        findings.note(f"{name}.value", "a number", describe(item.value))
    for field in ("unit", "source", "tag"):
        findings.check_text(getattr(item, field), f"{name}.{field}")


def passes_of(device: Backend) -> tuple[CheckedPass, ...]:
    """Return the passes of a backend.

    Raises
    ------
    BackendError
        If they are not passes.
    """
    name = device.name
    with guarded(name, "passes"):
        found = device.passes()
        if not isinstance(found, Iterable):
            raise wrong(name, "passes", "a sequence", describe(found))
        steps = tuple(found)
        for step in steps:
            if not callable(step) or not isinstance(getattr(step, "name", None), str):
                raise wrong(name, "passes", "named passes", describe(step))
    return tuple(CheckedPass(step, step.name, name) for step in steps)
