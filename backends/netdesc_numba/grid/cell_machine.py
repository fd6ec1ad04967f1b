"""Programs on a time grid whose cells are given by equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.adjoint.recording import record_states
from netdesc.adjoint.stage_spikes import CROSSING
from netdesc.dynamics.protocol import find_code
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.observation import Sampling
from netdesc.parameters import ParameterStore
from netdesc.program import Program
from netdesc.steps import nearest_steps
from netdesc.trace import Cotangent, Recording, Trace
from netdesc_numba.event.machine import EventMachine, Found, Residuals
from netdesc_numba.grid.counted import Counted, count_ticks
from netdesc_numba.grid.refusals import refuse
from netdesc_numba.grid.steps import run_ticks
from netdesc_numba.grid.wiring import Grid
from netdesc_numba.options import Options
from netdesc_numba.spikes import most_spikes


def scale_crossings(trace: Trace, factor: float) -> Residuals | None:
    """Return the residuals of a trace with the times of crossings in another unit."""
    return trace.residuals and {
        name: {key: values * factor if key == CROSSING else values for key, values in found.items()}
        for name, found in trace.residuals.items()
    }


class StepMachine(EventMachine):
    """A program whose times are whole ticks: its neurons move from tick to tick.

    Parameters
    ----------
    program : Program
        Counted in ticks; see ``netdesc_numba.grid.counted``.
    options : Options
    origin : Program
        The same in ms.
    """

    def __init__(self, program: Program, options: Options, origin: Program) -> None:
        super().__init__(program, options, layers=False)
        self.limits = most_spikes(origin, options.max_spikes)

    def run_stage(self, index: int, spikes: Mapping[int, Events], batch: int) -> Found:
        """Run a stage on all samples and return its spikes, neurons counted within it."""
        wiring, cells = self.layout.wirings[index], self.layout.cells[index]
        span = (round(self.program.duration), wiring.slots[wiring.stage.populations[0]])
        entering = self.layout.emissions(index, spikes, batch).arrays
        given = (self.layout.fanout(index), cells, span)
        rows = len(find_code(type(cells)).residuals) + 1
        return self.grow(index, entering, run_ticks, given, rows=rows)

    def record(
        self,
        spikes: Mapping[int, Events],
        residuals: Residuals,
        batch: int,
        sampling: tuple[Sampling, ...] | None = None,
    ) -> dict[str, Recording]:
        """Sample states as the program, or ``sampling``, orders them; resets come before their spikes."""
        names = {p: self.program.populations[p].name for p in spikes}
        lags = {
            p: spikes[p].times - residuals[name][CROSSING] for p, name in names.items() if name in residuals
        }
        return record_states(self.layout, spikes, batch, sampling=sampling, lags=lags)


class CellTickMachine:
    """A program on a time grid, for any cells, in the scheme ``exact_exponential`` and double precision.

    Between ticks every neuron follows its equations, exactly or to the accuracy of the event-driven solver.
    One that reaches its threshold within a tick is reset and held; its spike leaves at the end of the tick,
    where spikes arrive and refractory periods end, too. The adjoint is that of continuous time for such a
    network: a spike leaves by a constant time after its crossing.

    Parameters
    ----------
    program : Program
    options : Options
        With a time step.

    Raises
    ------
    BackendError
        If the scheme does not have what the program asks for.
    """

    def __init__(self, program: Program, options: Options) -> None:
        refuse(program, options.scheme, transport=options.transport)
        self.program = program
        self.grid = Grid.of(program, options)
        self.timestep = self.grid.timestep
        self.store = ParameterStore(program.declared())
        self.counted = Counted(program, self.grid)
        self.inner = StepMachine(self.counted.program, options, program)

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``netdesc.backend.Machine``. Delays become whole ticks."""
        self.store.write(parameters)
        counted = count_ticks(self.program.with_parameters(self.store.values), self.grid).declared()
        self.inner.write({key: counted[key].values for key in parameters})

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine``. Nothing here is random."""
        step = self.timestep
        ticks = nearest_steps(stimulus.times, step)
        moved = int(np.sum(np.abs(ticks * step - stimulus.times) > 1e-6 * step))
        trace = self.inner.forward(stimulus.move(ticks), seed=seed)
        store = self.inner.layout.store
        delays = {block.delay_key: store[block.delay_key] * step for block in self.program.blocks}
        return replace(
            trace,
            spikes={name: events.move(events.times * step) for name, events in trace.spikes.items()},
            residuals=scale_crossings(trace, step),
            recordings=self.counted.recordings(trace.recordings),
            effective_parameters={**self.store.values, **delays},
            health={**trace.health, "inputs_moved": moved},
            provenance={**trace.provenance, "solver": f"grid {step:g} ms, {self.grid.scheme}, float64"},
            readings=self.counted.readings(trace.readings),
        )

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Take a cotangent back; see ``netdesc.backend.Machine``."""
        ticks, step = self.counted.trace(trace), self.timestep
        found = self.inner.adjoint(
            replace(ticks, residuals=scale_crossings(ticks, 1.0 / step)), self.counted.cotangent(cotangent)
        )
        delays = {block.delay_key for block in self.program.blocks}
        return replace(
            found,
            parameters={
                key: values / step if key in delays else values for key, values in found.parameters.items()
            },
            spike_times={name: values / step for name, values in found.spike_times.items()},
        )
