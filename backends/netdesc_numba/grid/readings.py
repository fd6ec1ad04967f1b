"""Readings of a run on a grid with packets, and their adjoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.drive import Drive, drive_readout
from netdesc.adjoint.final_voltages import (
    FINAL,
    drive_finals,
    final_readings,
    final_samplings,
    read_finals,
    read_silent,
)
from netdesc.adjoint.host import LARGEST_SUM, PARTS, Adjoint
from netdesc.adjoint.incoming import merge
from netdesc.adjoint.readings import mean_weights
from netdesc.adjoint.recording import record_states
from netdesc.dynamics.tick import OFF_GRID, PUBLISHED
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import PopulationSlice, Program, Reading
from netdesc.threads import run, split
from netdesc.trace import Cotangent, Read, Trace
from netdesc_numba.event.readings import read_readouts
from netdesc_numba.grid.readout import read_ticks, read_ticks_back
from netdesc_numba.grid.recording import count_ticks, rescale_spikes
from netdesc_numba.grid.wiring import Grid, StageLayout, collect_packets

Back = tuple[Floats, dict[int, Floats]]
"""dL/dw by number of the synapse, and dL/dt of the spikes that entered, by population."""


@dataclass(frozen=True, slots=True)
class TickReader:
    """Takes readings, and carries derivatives by them back.

    Parameters
    ----------
    program : Program
        With the present weights and delays.
    layouts : tuple of StageLayout
    grid : Grid
    steps, threads : int
        Ticks of a run, and threads, on which results do not depend.
    """

    program: Program
    layouts: tuple[StageLayout, ...]
    grid: Grid
    steps: int
    threads: int

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
            means = self.means_of(population)
            mine = [
                item
                for item in self.program.readings
                if item.population == population.name and item.kind != FINAL
            ]
            if not mine:
                continue
            weights = self.weights(means)
            peak, when, _, sums = self.read(layout, spikes, weights, batch=batch)
            result |= {item.key: Read(sums[k] + rest * weights[k].sum()) for k, item in enumerate(means)}
            times = when.astype(np.float64) * self.grid.timestep
            result |= {item.key: Read(peak + rest, times) for item in mine if item.kind == "maximum"}
        result |= self.read_finals(spikes, batch)
        return {item.key: result[item.key] for item in self.program.readings}

    def read_finals(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Read]:
        """Take the last voltages of the neurons that do not spike."""
        result: dict[str, Read] = {}
        last = np.zeros((1, self.steps + 1))
        last[0, -1] = 1.0
        for item in final_readings(self.program):
            k = next(k for k, p in enumerate(self.program.populations) if p.name == item.population)
            layout = next(layout for layout in self.layouts if k in layout.stage.populations)
            population = self.program.populations[k]
            voltages = self.read(layout, spikes, last, batch=batch)[3][0]
            rest = self.program.parameters["rest"][population.start : population.stop]
            result[item.key] = read_silent(voltages + rest, spikes[k])
        return result

    def forward_off_grid(self, spikes: Mapping[int, Events], batch: int) -> dict[str, Read]:
        """Take all readings over continuous time, counted in ticks."""
        counted = count_ticks(self.program, self.grid.timestep)
        ticks = rescale_spikes(spikes, self.grid.timestep)
        whole, samplings = Layout(counted), final_samplings(counted)
        found = read_readouts(whole, ticks, batch, threads=self.threads)
        if samplings:
            samples = record_states(whole, ticks, batch, sampling=samplings)
            found |= read_finals(counted, samples, rename(counted, ticks))
        result = {}
        for old, new in zip(self.program.readings, counted.readings, strict=True):
            times = found[new.key].times
            result[old.key] = Read(
                found[new.key].values, None if times is None else times * self.grid.timestep
            )
        return result

    def means_of(self, population: PopulationSlice) -> list[Reading]:
        """Return the means that are read from a population."""
        return [
            item
            for item in self.program.readings
            if item.population == population.name and item.kind == "mean"
        ]

    def weights(self, means: list[Reading]) -> Floats:
        """Return the weight of every tick in every mean, shape (means, steps + 1)."""
        moments: Floats = np.arange(self.steps + 1.0) * self.grid.timestep
        rows = [mean_weights(moments, self.program.duration, item.tau) for item in means]
        return np.array(rows).reshape(-1, self.steps + 1)

    def read(
        self, layout: StageLayout, spikes: Mapping[int, Events], weights: Floats, *, batch: int
    ) -> tuple[Floats, Integers, Floats, Floats]:
        """Run the kernel on all samples; see ``read_ticks`` for what it takes and tells."""
        packets = collect_packets(layout, self.program, spikes, self.grid.timestep, batch=batch)
        batch = len(packets.offsets) - 1
        shape = (batch, len(layout.neurons.gap))
        peak, when, share = np.empty(shape), np.empty(shape, dtype=np.int64), np.empty(shape)
        sums = np.empty((len(weights), *shape))

        def task(first: int, last: int) -> None:
            read_ticks(
                first, last, packets, layout.synapses, layout.neurons, layout.tick, self.steps,
                self.grid.scheme == PUBLISHED, weights, peak, when, share, sums,
            )  # fmt: skip

        run(task, split(batch, self.threads), self.threads)
        return peak, when, share, sums

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
        population = self.program.populations[layout.stage.populations[0]]
        moments: Floats = np.arange(self.steps + 1.0) * self.grid.timestep
        places = {layout.stage.populations[0]: 0}
        drive = (
            drive_readout(self.program, population, trace, cotangent, grid=moments)
            if population.kind == "readout"
            else drive_finals(self.program, places, population.size, trace, cotangent)
        )
        if drive is None:
            return None
        # the share of the maximum is no part of a trace
        share = self.read(layout, spikes, np.zeros((0, self.steps + 1)), batch=trace.batch)[2]
        packets = collect_packets(layout, self.program, spikes, self.grid.timestep, batch=trace.batch)
        dense, when = self.spread(drive, len(packets.offsets) - 1)
        lean = (share * drive.peak_jump).astype(self.grid.dtype)
        arrival = np.zeros(len(packets.ticks), dtype=self.grid.dtype)
        parts = split(len(share), min(PARTS, max(1, LARGEST_SUM // max(1, len(layout.order)))))
        sums = np.zeros((max(1, len(parts)), len(layout.order)))
        place = {part: k for k, part in enumerate(parts)}
        neurons = layout.neurons
        tau_s = np.ascontiguousarray(neurons.tau_s.T[: len(neurons.current)], dtype=self.grid.dtype)

        def task(first: int, last: int) -> None:
            read_ticks_back(
                first, last, packets, layout.synapses, neurons, layout.tick, tau_s, self.steps,
                self.grid.scheme == PUBLISHED, dense, when, lean, arrival, sums[place[first, last]],
            )  # fmt: skip

        run(task, parts, self.threads)
        total = np.empty(len(layout.order))
        total[layout.order] = sums.sum(axis=0)
        return total, self.sort_arrivals(layout, spikes, arrival.astype(np.float64), trace.batch)

    def sort_arrivals(
        self, layout: StageLayout, spikes: Mapping[int, Events], arrival: Floats, batch: int
    ) -> dict[int, Floats]:
        """Return what is told of the packets into a stage by the population that they came from."""
        stream = merge(
            [
                (p, spikes[p].times, spikes[p].sources + self.program.populations[p].start, spikes[p].offsets)
                for p in layout.inputs
            ],
            batch,
        )
        return {p: arrival if places is None else arrival[places] for p, places in stream.parts}

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
        dense = np.zeros((batch, self.steps + 1, n))
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
        counted = count_ticks(self.program, self.grid.timestep)
        index = self.program.stages.index(layout.stage)
        keys = {old.key: new.key for old, new in zip(self.program.readings, counted.readings, strict=True)}
        reads = {
            keys[key]: Read(item.values, None if item.times is None else item.times / self.grid.timestep)
            for key, item in trace.readings.items()
            if key in keys
        }
        samples = {
            key: type(item)(item.times / self.grid.timestep, item.neurons, item.values)
            for key, item in trace.recordings.items()
        }
        in_ticks = Trace(rename(self.program, spikes), None, samples, readings=reads)
        pulled = Cotangent(
            {}, {keys[key]: values for key, values in cotangent.readings.items()}, cotangent.recordings
        )
        population = counted.populations[layout.stage.populations[0]]
        drive = (
            drive_readout(counted, population, in_ticks, pulled)
            if population.kind == "readout"
            else drive_finals(counted, {layout.stage.populations[0]: 0}, population.size, in_ticks, pulled)
        )
        if drive is None:
            return None
        whole = Layout(counted)
        ticks = rescale_spikes(spikes, self.grid.timestep)
        stream = (whole.emissions if drive.sampled else whole.stream)(index, ticks, trace.batch)
        arrival = np.zeros(len(stream.times))
        sums = Adjoint(whole, threads=self.threads).sweep_readout(index, stream, drive, arrival)
        merged: dict[int, Floats] = {}
        for p, places in stream.parts:
            values = (arrival if places is None else arrival[places]) / self.grid.timestep
            merged[p] = merged[p] + values if p in merged else values
        return sums.weight.sum(axis=0), merged


def rename(program: Program, spikes: Mapping[int, Events]) -> dict[str, Events]:
    """Return spikes by the names of their populations."""
    return {program.populations[p].name: events for p, events in spikes.items()}
