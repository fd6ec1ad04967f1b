"""What the device is, can do, and refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netdesc.errors import BackendError, Diagnostic, LimitError
from netdesc.graph.ir import NetworkGraph
from netdesc.graph.passes import CheckLimits, Pass
from netdesc.limits import Limit, Limits
from netdesc.options import Option, Positive
from netdesc.program import Program
from stranger.machine import StrangerMachine


@dataclass(frozen=True, slots=True)
class RefuseInstantLoops:
    """Refuse projections without delay between populations that reach each other."""

    name: str = field(default="refuse_instant_loops", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        stage = {name: k for k, group in enumerate(graph.stages) for name in group.populations}
        faults = [
            Diagnostic("a loop needs a delay above 0 ms", f"{edge.path}.delay", "ST-LOOP")
            for edge in graph.edges
            if edge.pre in stage and stage[edge.pre] == stage[edge.post] and np.any(edge.delays == 0.0)
        ]
        if faults:
            raise LimitError(faults)
        return graph


class StrangerBackend:
    """Plain Python: looks at voltages step by step, and halves a step in which one crosses."""

    name = "stranger"
    declared_options = (Option("look", "Longest step between two looks", Positive("ms", "0.1 ms"), "0.1 ms"),)

    def __init__(self, options: Mapping[str, Any]) -> None:
        faults = [
            Diagnostic("is not an option; there is only look", f"backends.stranger.{key}", "ST-OPTION")
            for key in options
            if key != "look"
        ]
        if faults:
            raise BackendError(faults)
        self.look = float(options.get("look", 0.1))
        self.limits = Limits(
            time="event-driven, by bisection",
            models=frozenset({"LIF", "spike_times", "dataset"}),
            trainable=frozenset({"weight"}),
            losses=frozenset({"time_to_first_spike"}),
            recordings=frozenset({"spikes"}),
            numbers={"look": Limit(self.look, "ms", "option look", "V")},
        )

    def passes(self) -> Sequence[Pass]:
        return (CheckLimits(self.limits, self.name, "ST"), RefuseInstantLoops())

    def load(self, program: Program, *, seed: int) -> StrangerMachine:
        return StrangerMachine(program, self.look)
