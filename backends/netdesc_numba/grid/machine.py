"""Programs on a time grid, in the schemes ``published``, ``exact_exponential`` and ``off_grid``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.dynamics.tick import OFF_GRID, split_times
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.parameters import DELAY, ParameterStore, accept
from netdesc.precision import fits_float32
from netdesc.program import Program
from netdesc.steps import nearest_steps
from netdesc.trace import Cotangent, Recording, Trace, require_finite
from netdesc_numba.grid.adjoint import GridAdjoint
from netdesc_numba.grid.packets import collect_packets
from netdesc_numba.grid.readings import TickReader
from netdesc_numba.grid.refusals import refuse
from netdesc_numba.grid.spiking import StageRunner
from netdesc_numba.grid.synapses import delays_as_run
from netdesc_numba.grid.wiring import (
    Grid,
    count_arrivals,
    lay_out_stage,
    reweight,
    shortest_delay,
)
from netdesc_numba.options import Options
from netdesc_numba.spikes import share_spikes


class TickMachine:
    """A program on a time grid.

    Parameters
    ----------
    program : Program
    options : Options
        With a time step and a scheme.

    Raises
    ------
    BackendError
        If the scheme does not have what the program asks for.
    """

    def __init__(self, program: Program, options: Options) -> None:
        refuse(program, options.scheme, transport=options.transport)
        self.program = program
        self.options = options
        self.grid = Grid.of(program, options)
        self.timestep = self.grid.timestep
        check = fits_float32 if self.grid.dtype is np.float32 else accept
        self.store = ParameterStore(program.declared(), check)
        self.runner = StageRunner(program, options, self.grid)
        self.layouts = [
            lay_out_stage(program, stage, self.grid, self.store.values) for stage in program.stages
        ]

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``netdesc.backend.Machine``. Delays become whole ticks."""
        rewire = DELAY in self.store.write(parameters)
        values = self.store.values
        self.layouts = [
            lay_out_stage(self.program, layout.stage, self.grid, values)
            if rewire
            else reweight(layout, self.program, self.grid, values)
            for layout in self.layouts
        ]

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine``. Nothing here is random."""
        batch = stimulus.batch
        budget = self.program.spike_budget(batch)
        spikes, moved = self.round_inputs(self.program.select_stimulus(stimulus))
        residuals: dict[str, Mapping[str, Floats]] = {}
        for index, layout in enumerate(self.layouts):
            if self.program.populations[layout.stage.populations[0]].kind == "readout":
                continue
            entering = collect_packets(self.program, layout.inputs, spikes, self.grid, batch)
            fired = self.runner.run(index, layout, entering.packets, budget)
            share_spikes(self.program, layout.places, *fired, spikes, residuals)
        names = [population.name for population in self.program.populations]
        trace = Trace(
            spikes={names[k]: spikes[k] for k in sorted(spikes)},
            residuals=residuals,
            recordings=self.record(spikes, batch),
            effective_parameters=self.as_run(),
            health={
                **count_arrivals(self.layouts, self.program, spikes, self.timestep, self.grid.steps),
                "inputs_moved": moved,
            },
            provenance={
                "backend": "numba",
                "solver": f"grid {self.timestep:g} ms, {self.options.scheme}, {self.options.precision}",
            },
            readings=self.reader().forward(spikes, batch),
            batch_size=batch,
        )
        return require_finite(trace)

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Take a cotangent back; see ``netdesc.backend.Machine``."""
        return GridAdjoint(self.reader()).run(trace, cotangent)

    def record(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Recording]:
        """Sample voltages and currents."""
        if not self.program.sampling:
            return {}
        counted = self.reader().counted()
        return counted.recordings(counted.sample(spikes, batch))

    def reader(self) -> TickReader:
        """Return what takes readings with the present weights and delays."""
        return TickReader(
            self.program, self.store.values, tuple(self.layouts), self.grid, self.options.threads
        )

    def round_inputs(self, spikes: dict[int, Events]) -> tuple[dict[int, Events], int]:
        """Move input spikes to times of packets, and count those that moved by more than noise."""
        result, moved = {}, 0
        for k, events in spikes.items():
            if self.grid.scheme == OFF_GRID:
                exact = np.add(*split_times(events.times, self.timestep))
            else:
                exact = nearest_steps(events.times, self.timestep)
            moved += int(np.sum(np.abs(exact * self.timestep - events.times) > 1e-6 * self.timestep))
            # what coincides now is ordered by source
            result[k] = events.move(exact * self.timestep)
        return result, moved

    def as_run(self) -> dict[str, Floats]:
        """Return weights and delays as the kernels use them, in the units of the file."""
        result = dict(self.store.values)
        for block in self.program.blocks:
            lowest = shortest_delay(self.program, block, self.grid)
            result[block.delay_key] = delays_as_run(self.store[block.delay_key], self.timestep, lowest)
        return result
