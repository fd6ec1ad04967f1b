"""Programs on the device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.adjoint.host import adjoint
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.trace import Cotangent, Trace
from stranger.sample import Sample


class StrangerMachine:
    """A program, and the weights and delays that are written."""

    def __init__(self, program: Program, look: float) -> None:
        self.program = program
        self.look = look
        self.values: dict[str, Floats] = {}
        for block in program.blocks:
            self.values |= {block.weight_key: block.weights, block.delay_key: block.delays}

    def write(self, parameters: Mapping[str, Floats]) -> None:
        for key, values in parameters.items():
            if key not in self.values or np.shape(values) != self.values[key].shape:
                raise NumericsError(f"{key} of shape {np.shape(values)} does not fit")
            if not np.all(np.isfinite(values)) or (key.endswith(".delay") and np.any(values < 0.0)):
                raise NumericsError(f"{key} holds a value that cannot be")
        self.values |= {key: np.array(values, dtype=float) for key, values in parameters.items()}

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        sources = [item for item in self.program.populations if item.kind == "source"]
        spikes = {item.name: stimulus.select(item.start, item.stop) for item in sources}
        if sum(len(events) for events in spikes.values()) != len(stimulus):
            raise NumericsError("the stimulus holds a spike of a neuron that is not a source")
        runs = [self.run(stimulus, sample) for sample in range(stimulus.batch)]
        rows = sorted((sample, *spike) for sample, run in enumerate(runs) for spike in run.spikes)
        table = np.array(rows, dtype=float).reshape(-1, 5)
        residuals = {}
        for item in self.program.populations:
            if item.kind == "spiking":
                mine = table[(table[:, 2] >= item.start) & (table[:, 2] < item.stop)]
                offsets = np.searchsorted(mine[:, 0], np.arange(stimulus.batch + 1))
                spikes[item.name] = Events(mine[:, 1], mine[:, 2] - item.start, offsets)
                residuals[item.name] = {"current": mine[:, 3], "release_current": mine[:, 4]}
        return Trace(
            spikes,
            residuals,
            effective_parameters=dict(self.values),
            health={
                "arrivals": sum(run.arrivals for run in runs),
                "in_flight": sum(run.in_flight for run in runs),
            },
            provenance={"backend": "stranger", "solver": f"bisection, looks every {self.look:g} ms"},
        )

    def run(self, stimulus: Events, number: int) -> Sample:
        span = slice(int(stimulus.offsets[number]), int(stimulus.offsets[number + 1]))
        sample = Sample(self.program.with_parameters(self.values), self.look)
        for time, source in zip(stimulus.times[span], stimulus.sources[span], strict=True):
            sample.send(int(source), float(time))
        sample.run()
        return sample

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        return adjoint(self.program, trace, cotangent)
