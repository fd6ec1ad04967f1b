"""Readings of a run on a grid, and their adjoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.derivatives import split_batch
from netdesc.adjoint.drive import Drive, drive_readout
from netdesc.adjoint.final_voltages import (
    FINAL,
    drive_final_voltages,
    final_readings,
    final_samplings,
    read_final_voltages,
    read_silent,
)
from netdesc.adjoint.host import Adjoint
from netdesc.adjoint.readings import mean_weights
from netdesc.dynamics.tick import OFF_GRID
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.observation import Reading
from netdesc.program import Program
from netdesc.threads import run, split
from netdesc.ticks.records import Arrivals, Slice, Spikes
from netdesc.trace import Cotangent, Read, Trace
from netdesc_numba.event.readings import read_readouts
from netdesc_numba.grid.counted import Counted
from netdesc_numba.grid.job import make_adjoints, make_slice, make_spikes, with_gradients
from netdesc_numba.grid.packets import Received, collect_packets, gradients_of, receive, store_of
from netdesc_numba.grid.readout import Drives, Found, read_ticks, read_ticks_back
from netdesc_numba.grid.synapses import restore_order
from netdesc_numba.grid.wiring import Grid, StageLayout

Back = tuple[Floats, dict[int, Floats]]
"""Gradients by weights and, in a second row, delays, by number of the synapse; dL/dt of the spikes that
entered, by population."""


@dataclass(frozen=True, slots=True)
class TickReader:
    """Takes readings, and carries derivatives by them back.

    Parameters
    ----------
    program : Program
    values : mapping of str to ndarray
        Present weights and delays, in place of the program's.
    layouts : tuple of StageLayout
    grid : Grid
    threads : int
        Results do not depend on it.
    """

    program: Program
    values: Mapping[str, Floats]
    layouts: tuple[StageLayout, ...]
    grid: Grid
    threads: int

    def counted(self) -> Counted:
        """Return the program with its present parameters, counted in ticks."""
        return Counted(self.program.with_parameters(self.values), self.grid)

    def forward(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Read]:
        """Take all readings.

        Parameters
        ----------
        spikes : mapping of int to Events
            By population index, in ms.
        batch : int
            Number of samples.

        Returns
        -------
        dict of str to Read
            At the ticks; over continuous time in the scheme ``off_grid``, whose packets are in it.
        """
        if not self.program.readings:
            return {}
        if self.grid.scheme == OFF_GRID:
            return self.forward_off_grid(spikes, batch)
        result: dict[str, Read] = {}
        for layout in self.layouts:
            population = self.program.populations[layout.stage.populations[0]]
            rest = self.program.parameters["rest"][population.start : population.stop]
            mine = [item for item in self.program.readings if item.population == population.name]
            means = [item for item in mine if item.kind == "mean"]
            if all(item.kind == FINAL for item in mine):
                continue
            weights = self.weights(means)
            found = self.read(layout, spikes, weights, batch=batch)
            result |= {
                item.key: Read(found.means[k] + rest * weights[k].sum()) for k, item in enumerate(means)
            }
            times = found.when.astype(np.float64) * self.grid.timestep
            result |= {item.key: Read(found.peak + rest, times) for item in mine if item.kind == "maximum"}
        result |= self.read_final_voltages(spikes, batch)
        return {item.key: result[item.key] for item in self.program.readings}

    def read_final_voltages(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Read]:
        """Take the last voltages of the neurons that do not spike."""
        result: dict[str, Read] = {}
        last = np.zeros((1, self.grid.steps + 1))
        last[0, -1] = 1.0
        looped: dict[str, Read] | None = None
        for item in final_readings(self.program):
            k = next(k for k, p in enumerate(self.program.populations) if p.name == item.population)
            layout = next(layout for layout in self.layouts if k in layout.stage.populations)
            if layout.job.recurrent:
                looped = looped or self.sample_finals(spikes, batch)
                result[item.key] = looped[item.key]
                continue
            population = self.program.populations[k]
            voltages = self.read(layout, spikes, last, batch=batch).means[0]
            rest = self.program.parameters["rest"][population.start : population.stop]
            result[item.key] = read_silent(voltages + rest, spikes[k])
        return result

    def sample_finals(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Read]:
        """Take the last voltages in closed form from all spikes, by the keys of the readings."""
        counted = self.counted()
        samples = counted.sample(spikes, batch, final_samplings(counted.program))
        names = {self.program.populations[p].name: events for p, events in spikes.items()}
        return read_final_voltages(counted.program, samples, names)

    def forward_off_grid(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Read]:
        """Take all readings over continuous time, counted in ticks."""
        counted = self.counted()
        found = read_readouts(Layout(counted.program), counted.spikes(spikes), batch, threads=self.threads)
        if final_samplings(counted.program):
            found |= self.sample_finals(spikes, batch)
        return counted.readings(found)

    @property
    def moments(self) -> Floats:
        """The times of the ticks in ms, shape (steps + 1,)."""
        times: Floats = np.arange(self.grid.steps + 1.0) * self.grid.timestep
        return times

    def weights(self, means: list[Reading]) -> Floats:
        """Return the weight of every tick in every mean, shape (means, steps + 1)."""
        rows = [mean_weights(self.moments, self.program.duration, item.tau) for item in means]
        return np.array(rows).reshape(-1, self.grid.steps + 1)

    def read(
        self, layout: StageLayout, spikes: Mapping[int, Events], weights: Floats, *, batch: int
    ) -> Found:
        """Run the kernel on all samples."""
        packets = collect_packets(self.program, layout.inputs, spikes, self.grid, batch).packets
        shape = (batch, len(layout.cells.gap))
        found = Found(
            np.empty(shape),
            np.empty(shape, dtype=np.int64),
            np.empty(shape),
            np.empty((len(weights), *shape)),
        )

        def task(first: int, last: int) -> None:
            spikes = make_spikes(0, layout.cells.gap.dtype)
            store = store_of(packets, (first, last), layout.job, 0)
            item = make_slice(layout.job, layout.cells, layout.synapses, spikes, store)
            read_ticks((first, last), layout.job, packets, item, weights, found)

        run(task, split(batch, self.threads), self.threads)
        return found

    def backward(
        self, layout: StageLayout, spikes: Mapping[int, Events], trace: Trace, cotangent: Cotangent
    ) -> Back | None:
        """Carry derivatives by what was read of a read-out, or of silent neurons at the end of the run, back.

        Parameters
        ----------
        layout : StageLayout
            Of a single population.
        spikes : mapping of int to Events
        trace : Trace
        cotangent : Cotangent

        Returns
        -------
        Back or None
            None where the loss does not look at this read-out.

        Raises
        ------
        NumericsError
            If there are derivatives by samples that do not lie on ticks.
        """
        if self.grid.scheme == OFF_GRID:
            return self.backward_off_grid(layout, spikes, trace, cotangent)
        drive = find_drive(self.program, layout, trace, cotangent, self.moments)
        if drive is None:
            return None
        # the share of the maximum is no part of a trace
        share = self.read(layout, spikes, np.zeros((0, self.grid.steps + 1)), batch=trace.batch).share
        entering = collect_packets(self.program, layout.inputs, spikes, self.grid, trace.batch)
        received = receive(entering.packets)
        jump, when = self.spread(drive, len(received.offsets) - 1)
        drives = Drives(jump, when, (share * drive.peak_jump).astype(self.grid.dtype))
        spans, sums = part_batch(len(share), layout)

        def task(first: int, last: int) -> None:
            item = slice_back(layout, received, make_spikes(0, layout.cells.gap.dtype))
            adjoints, part = make_adjoints(layout.job), slice(first, last)
            read_ticks_back(spans[part], layout.job, item, adjoints, received, drives, sums[part])

        run(task, split(len(spans), self.threads), self.threads)
        return sort_totals(layout, sums), gradients_of(entering, received)

    def spread(self, drive: Drive, batch: int) -> tuple[Floats, Integers]:
        """Return what lam_v gains at every tick, and the ticks of the maxima.

        Raises
        ------
        NumericsError
            If a time does not lie on a tick.
        """
        ticks = np.round(drive.moments / self.grid.timestep)
        if np.any(np.abs(ticks * self.grid.timestep - drive.moments) > 1e-6 * self.grid.timestep):
            raise NumericsError(
                f"the cotangent has derivatives by samples between ticks of {self.grid.timestep:g} ms; "
                "sample at whole ticks"
            )
        n = drive.peak_time.shape[1]
        dense = np.zeros((batch, self.grid.steps + 1, n))
        for k, tick in enumerate(ticks.astype(np.int64).tolist()):
            dense[:, tick, :] += drive.jumps[:, :, k]
        when = np.round(drive.peak_time / self.grid.timestep).astype(np.int64)
        samples, neurons = np.indices(when.shape)
        dense[samples, when, neurons] += drive.peak_jump
        return np.ascontiguousarray(dense, dtype=self.grid.dtype), when

    def backward_off_grid(
        self, layout: StageLayout, spikes: Mapping[int, Events], trace: Trace, cotangent: Cotangent
    ) -> Back | None:
        """Carry derivatives back over continuous time, counted in ticks; see ``backward``."""
        counted = self.counted()
        index = self.program.stages.index(layout.stage)
        pulled = counted.cotangent(cotangent)
        drive = find_drive(counted.program, layout, counted.trace(trace), pulled, None)
        if drive is None:
            return None
        whole, ticks = Layout(counted.program), counted.spikes(spikes)
        afferents = (whole.emissions if drive.sampled else whole.afferents)(index, ticks, trace.batch)
        arrival = np.zeros(len(afferents.times))
        sums = Adjoint(whole, threads=self.threads).sweep_readout(index, afferents, drive, arrival)
        merged: dict[int, Floats] = {}
        for p, places in afferents.parts:
            values = (arrival if places is None else arrival[places]) / self.grid.timestep
            merged[p] = merged[p] + values if p in merged else values
        totals = [sums.weight.sum(axis=0)]
        if layout.trains_delays:
            totals.append(np.broadcast_to(sums.delay.sum(axis=0), totals[0].shape) / self.grid.timestep)
        return np.stack(totals), merged


def find_drive(
    program: Program, layout: StageLayout, trace: Trace, cotangent: Cotangent, grid: Floats | None
) -> Drive | None:
    """Return what a loss injects into a stage of one population, a read-out or neurons at the run's end."""
    (p,) = layout.stage.populations
    population = program.populations[p]
    if population.kind == "readout":
        return drive_readout(program, population, trace, cotangent, grid=grid)
    return drive_final_voltages(program, {p: 0}, population.size, trace, cotangent)


def part_batch(batch: int, layout: StageLayout) -> tuple[Integers, Floats]:
    """Return the parts of a batch, shape (parts, 2), and room for the gradients of each.

    They do not depend on the number of threads, so that sums do not, either.
    """
    parts = split_batch(batch, layout.count)
    sums = np.zeros((max(1, len(parts)), 1 + layout.trains_delays, layout.count))
    return np.array(parts, dtype=np.int64).reshape(-1, 2), sums


def slice_back(layout: StageLayout, received: Received, spikes: Spikes) -> Slice:
    """Return a stage for a backward run of a part of the batch."""
    index = np.empty(layout.job.steps + 2, dtype=np.int64)
    arrivals = Arrivals(received.row, received.fraction, received.gradient, index)
    synapses = with_gradients(layout.synapses, delays=layout.trains_delays)
    return make_slice(layout.job, layout.cells, synapses, spikes, arrivals)


def sort_totals(layout: StageLayout, sums: Floats) -> Floats:
    """Return the sum of partial sums of a stage, by number of the synapse."""
    return restore_order(sums.sum(axis=0), layout.orders, layout.sizes)
