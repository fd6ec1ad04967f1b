"""A backend with planted faults and non-idealities, around the simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from netdesc.backend import Machine
from netdesc.comparison import NonIdeal
from netdesc.errors import BackendError, Diagnostic
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.graph.passes import Pass
from netdesc.program import Program
from netdesc.registry import backend_class
from netdesc.trace import Cotangent, Trace

IDEAL = {"gain": 1.0, "shift": 0.0, "jitter": 0.0}
"""Non-idealities, switched off."""

FAULTS = ("none", "sign", "delay", "packet", "adjoint", "refuse")


class PlantedBackend:
    """Another backend with a fault that it does not list and non-idealities that it lists.

    ``gain`` stretches weights, ``shift`` delays, ``jitter`` moves inputs at random.
    """

    name = "planted"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.section = {"fault": "none", **IDEAL, "inner": "numba", "options": {}, **options}
        self.inner = backend_class(self.section["inner"])(self.section["options"])
        self.limits = self.inner.limits

    def passes(self) -> Sequence[Pass]:
        if self.section["fault"] == "refuse":
            raise BackendError(Diagnostic("is out of order", "backends.planted.fault", "PL-ORDER"))
        return self.inner.passes()

    def load(self, program: Program, *, seed: int) -> Machine:
        return PlantedMachine(self.inner.load(program, seed=seed), self.section)

    def non_idealities(self) -> dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
        told = self.inner.non_idealities() if isinstance(self.inner, NonIdeal) else {}
        if told:
            return {
                name: ({**self.section, "options": before}, {**self.section, "options": after})
                for name, (before, after) in told.items()
            }
        return self._own()

    def _own(self) -> dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
        ideal = {**self.section, **IDEAL}
        return {
            name: (ideal, {**ideal, name: self.section[name]})
            for name in IDEAL
            if self.section[name] != ideal[name]
        }


class PlantedMachine:
    def __init__(self, inner: Machine, section: Mapping[str, Any]) -> None:
        self.inner, self.section, self.program = inner, section, inner.program
        self.told: dict[str, Floats] = {}
        self.ran: Trace | None = None
        self.write({})

    def write(self, parameters: Mapping[str, Floats]) -> None:
        for block in self.program.blocks:
            self.told.setdefault(block.weight_key, block.weights)
            self.told.setdefault(block.delay_key, block.delays)
        self.told.update(parameters)
        first, fault = self.program.blocks[0], self.section["fault"]
        values = {key: np.array(item) for key, item in self.told.items()}
        values[first.weight_key] *= float(self.section["gain"])
        values[first.delay_key] += float(self.section["shift"])
        if fault == "sign":
            values[first.weight_key][0] *= -1.0
        if fault == "delay":
            values[first.delay_key] += 1.0
        self.inner.write(values)

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        events = stimulus
        if self.section["fault"] == "packet":
            keep = np.arange(len(stimulus)) != 1
            events = Events.from_arrays(
                stimulus.times[keep], stimulus.sources[keep], stimulus.samples()[keep], stimulus.batch
            )
        if self.section["jitter"]:
            moved = np.random.default_rng(seed).normal(scale=float(self.section["jitter"]), size=len(events))
            events = Events.from_arrays(
                np.maximum(events.times + moved, 0.0), events.sources, events.samples(), events.batch
            )
        self.ran = self.inner.forward(events, seed=seed)
        source = self.program.populations[0]
        spikes = stimulus.select(source.start, source.stop)
        return replace(
            self.ran,
            effective_parameters=dict(self.told),
            spikes={**self.ran.spikes, source.name: spikes},
        )

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        assert self.ran is not None
        found = self.inner.adjoint(self.ran, cotangent)
        turned = -1.0 if self.section["fault"] == "adjoint" else 1.0
        source = self.program.populations[0].name
        times = np.resize(found.spike_times[source], len(trace.spikes[source]))
        return replace(
            found,
            parameters={key: turned * item for key, item in found.parameters.items()},
            spike_times={**found.spike_times, source: times},
        )
