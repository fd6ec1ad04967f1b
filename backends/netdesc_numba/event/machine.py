"""Programs laid out for the event-driven kernels."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.cells import residuals_of
from netdesc.adjoint.final_voltages import final_samplings, read_final_voltages
from netdesc.adjoint.host import Adjoint
from netdesc.adjoint.recording import record_states
from netdesc.adjoint.stage_spikes import CROSSING
from netdesc.adjoint.wiring import NETWORK, RECURRENT
from netdesc.backend import LossGradient, Objective
from netdesc.budget import SpikeBudget, count_spikes
from netdesc.dynamics.protocol import find_code
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.observation import Sampling
from netdesc.program import PopulationSlice, Program
from netdesc.threads import run, split
from netdesc.trace import Cotangent, Read, Recording, Trace, require_finite, versions
from netdesc_numba.event.advance import Spikes
from netdesc_numba.event.fused import fuse
from netdesc_numba.event.layer import sweep_layer
from netdesc_numba.event.network import run_network
from netdesc_numba.event.neurons import sweep_neurons
from netdesc_numba.event.readings import read_readouts
from netdesc_numba.event.recurrent import sweep_recurrent_layer
from netdesc_numba.event.windows import run_windows
from netdesc_numba.options import Options
from netdesc_numba.spikes import most_spikes, overflow, share_spikes

Found = tuple[Floats, Integers, tuple[Floats, ...], Integers]
"""Times, neurons, what is kept of each, and offsets of the spikes of a stage."""

Residuals = Mapping[str, Mapping[str, Floats]]
"""By population, then by name; see ``netdesc.trace.Trace``."""

Kernel = Callable[..., tuple[int, int]]


def name_residuals(population: PopulationSlice, kept: tuple[Floats, ...]) -> dict[str, Floats]:
    """Return what is kept of each spike by name.

    One row alone holds for spike and release; one more than the names is when the threshold was reached.
    """
    names = (*residuals_of(population), CROSSING)
    kept = kept if len(kept) > 1 else kept * (len(names) - 1)
    return dict(zip(names, kept, strict=False))


class EventMachine:
    """A program on the event-driven solver: exact in continuous time.

    Parameters
    ----------
    program : Program
    options : Options
    layers : bool
        Whether dense stages of uniform cells are run as layers.
    """

    def __init__(self, program: Program, options: Options, *, layers: bool = True) -> None:
        self.program = program
        self.options = options
        self.layout = Layout(program, layers=layers)
        self.backward = Adjoint(self.layout, floor=options.denominator_floor, threads=options.threads)
        self.guesses: dict[int, float] = {}
        self.limits = most_spikes(program, options.max_spikes)
        self.sizes = [
            {program.populations[p].name: program.populations[p].size for p in stage.populations}
            for stage in program.stages
        ]
        self.budget: SpikeBudget = program.spike_budget(0)
        self.sound: Callable[[], Trace | None] = lambda: None

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``netdesc.backend.Machine``."""
        self.layout.write(parameters)

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine``. Nothing here is random."""
        spikes = self.program.select_stimulus(stimulus)
        self.budget = self.program.spike_budget(stimulus.batch)
        residuals: dict[str, Mapping[str, Floats]] = {}
        for index, stage in enumerate(self.program.stages):
            if self.program.populations[stage.populations[0]].kind == "readout":
                continue
            times, neurons, kept, offsets = self.run_stage(index, spikes, stimulus.batch)
            columns = name_residuals(self.program.populations[stage.populations[0]], kept)
            places = self.layout.wirings[index].places
            share_spikes(self.program, places, Events(times, neurons, offsets), columns, spikes, residuals)
        names = [population.name for population in self.program.populations]
        threads = self.options.threads
        trace = Trace(
            spikes={names[k]: spikes[k] for k in sorted(spikes)},
            residuals=residuals,
            recordings=self.record(spikes, residuals, stimulus.batch),
            effective_parameters=dict(self.layout.store.values),
            health=self.count_arrivals(spikes),
            provenance={"backend": "numba", "solver": "event", **versions()},
            readings={
                **read_readouts(self.layout, spikes, stimulus.batch, threads=threads),
                **self.read_finals(spikes, residuals, stimulus.batch),
            },
            batch_size=stimulus.batch,
        )
        self.sound = weakref.ref(require_finite(trace))
        return trace

    def fuse(self, objectives: Sequence[Objective]) -> LossGradient | None:
        """Return forward, loss and adjoint in one; see ``netdesc.backend.LossFusion``."""
        return fuse(self.layout, objectives, self.options, self.limits)

    def record(
        self,
        spikes: Mapping[int, Events],
        residuals: Residuals,
        batch: int,
        sampling: tuple[Sampling, ...] | None = None,
    ) -> dict[str, Recording]:
        """Sample states as the program, or ``sampling``, orders them."""
        return record_states(self.layout, spikes, batch, sampling=sampling)

    def read_finals(self, spikes: Mapping[int, Events], residuals: Residuals, batch: int) -> dict[str, Read]:
        """Return the last voltages that losses read."""
        sampling = final_samplings(self.program)
        if not sampling:
            return {}
        samples = self.record(spikes, residuals, batch, sampling)
        names = {self.program.populations[k].name: events for k, events in spikes.items()}
        return read_final_voltages(self.program, samples, names)

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Compute the gradient from a cotangent; see ``netdesc.backend.Machine``."""
        return self.backward.run(trace, cotangent, sound=self.sound() is trace)

    def count_arrivals(self, spikes: Mapping[int, Events]) -> dict[str, int]:
        """Count deliveries and those due after the end: together, spikes times their synapses."""
        arrivals = in_flight = 0
        for block in self.program.blocks:
            events = spikes[block.pre]
            delays = self.layout.store[block.delay_key]
            late = 0
            if block.dense and block.uniform_delay:
                total = len(events) * block.n_post
                if delays[0] > 0.0 or events.times.max(initial=0.0) >= self.program.duration:
                    late = int(np.sum(events.times + delays[0] >= self.program.duration)) * block.n_post
            else:
                indptr, _ = block.sparse()
                fan = np.diff(indptr)
                total = int(fan[events.sources].sum())
                spread = np.broadcast_to(delays, block.size)
                longest, sends = np.zeros(block.n_pre), np.flatnonzero(fan)
                longest[sends] = np.maximum.reduceat(delays, indptr[sends]) if len(delays) > 1 else delays
                for k in np.flatnonzero(events.times + longest[events.sources] >= self.program.duration):
                    span = slice(indptr[events.sources[k]], indptr[events.sources[k] + 1])
                    late += int(np.sum(events.times[k] + spread[span] >= self.program.duration))
            arrivals += total - late
            in_flight += late
        return {"arrivals": arrivals, "in_flight": in_flight}

    def run_stage(self, index: int, spikes: Mapping[int, Events], batch: int) -> Found:
        """Run a stage on all samples and return its spikes, neurons counted within it."""
        incoming = self.layout.afferents(index, spikes, batch).arrays
        wiring, cells = self.layout.wirings[index], self.layout.cells[index]
        duration = self.program.duration
        if wiring.by_rows:
            layer = self.layout.layer(index)
            if wiring.kind == RECURRENT:
                given = (layer, self.layout.loop(index), duration)
                return self.grow(index, incoming, sweep_recurrent_layer, given, rows=1)
            return self.grow(index, incoming, sweep_layer, (layer, duration), rows=1)
        fan = self.layout.fanout(index)
        rows = len(find_code(type(cells)).residuals)
        if wiring.kind == NETWORK:
            base = wiring.slots[wiring.stage.populations[0]]
            if not self.layout.has_windows(index):
                return self.grow(index, incoming, run_network, (fan, cells, duration, base), rows=rows)
            windows = (fan, cells, (*self.layout.reach(index), duration), base)
            return self.grow(index, incoming, run_windows, windows, rows=rows)
        return self.grow(index, incoming, sweep_neurons, (fan, cells, duration), rows=rows)

    def grow(
        self, index: int, incoming: Incoming, kernel: Kernel, arguments: tuple[object, ...], *, rows: int
    ) -> Found:
        """Run a kernel over the batch, with room for the spikes that grows as they need it.

        Parameters
        ----------
        index : int
            Of the stage.
        incoming : Incoming
            Spikes that enter the stage.
        kernel : callable
            Takes first and last sample, spikes that enter, the arguments and the spikes that it fills in.
        arguments : tuple
        rows : int
            Numbers that are kept of each spike; a single one is the same at the end of the refractory period.

        Returns
        -------
        tuple of ndarray
            Times, neurons, what is kept of each, offsets.

        Raises
        ------
        NumericsError
            If a sample has more spikes than ``max_spikes``, or the batch more than fit into memory.
        """
        batch = len(incoming.offsets) - 1
        counts = np.zeros(batch, dtype=np.int64)
        wiring = self.layout.wirings[index]
        sizes, budget = self.sizes[index], self.budget
        stage, limit = self.program.stages[index], self.limits[index]
        threads = self.layout.count_threads(index, incoming, self.options.threads)
        guess = self.guesses.get(index, 2.0 * wiring.size)

        def task(first: int, last: int) -> list[tuple[Spikes, int]]:
            room = int(guess * (last - first)) + 64
            pieces: list[tuple[Spikes, int]] = []
            stop = part = last
            while first < last:
                spikes = Spikes(np.empty(room), np.empty(room, np.int64), np.empty((rows, room)), counts)
                done, used = kernel(first, stop, incoming, *arguments, spikes)
                if done > first:
                    pieces.append((spikes, used))
                budget.keep(part, count_spikes(spikes.neurons[:used], sizes))
                if done == first and room < limit:
                    # the sample has at least one spike more than there was room for
                    left = budget.hold(part, count_spikes(spikes.neurons, sizes))
                    room = min(2 * room, limit, room + max(left, 1))
                elif done == first and stop == first + 1:
                    raise overflow(self.program, stage, first, f"more than {limit} spikes")
                else:
                    # the limit is one sample's: where several together do not fit, each is run alone
                    stop = first + 1 if done == first else last
                first = done
            return pieces

        pieces = [piece for part in run(task, split(batch, threads), threads) for piece in part]
        if batch and counts.max() > limit:
            raise overflow(self.program, stage, int((counts > limit).argmax()), f"more than {limit} spikes")
        times = join([spikes.times[:used] for spikes, used in pieces])
        neurons = join([spikes.neurons[:used] for spikes, used in pieces])
        kept = tuple(join([spikes.kept[row, :used] for spikes, used in pieces]) for row in range(rows))
        offsets = np.zeros(batch + 1, dtype=np.int64)
        counts.cumsum(out=offsets[1:])
        self.guesses[index] = max(self.guesses.get(index, 0.0), 1.25 * len(times) / max(batch, 1))
        return times, neurons, kept, offsets


def join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Concatenate parts, without a copy where there is one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0)
