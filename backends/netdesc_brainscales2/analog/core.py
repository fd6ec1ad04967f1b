"""The analog core: stages of a program on circuits with parameters of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from netdesc.adjoint.incoming import Stream, merge
from netdesc.budget import SpikeBudget, count_spikes
from netdesc.dynamics.lif import charge, decay
from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program, Stage
from netdesc.threads import run, split
from netdesc_brainscales2.analog.layer import sweep_circuits
from netdesc_brainscales2.analog.network import run_circuits
from netdesc_brainscales2.analog.stamps import add_jitter
from netdesc_brainscales2.analog.step import (
    BEND_I,
    BEND_J,
    FAR_I,
    FAR_J,
    GAP,
    HIGH,
    HIGHEST,
    KNEE,
    LOW,
    PARAMETERS,
    PEAK,
    RATE_I,
    RATE_J,
    RATE_M,
    RESET,
    ROOM,
    START,
    START_I,
    START_J,
    TAU_I,
    TAU_J,
    TAU_M,
    TAU_REF,
)
from netdesc_brainscales2.chip.noise import quantiles, sample_keys
from netdesc_brainscales2.chip.substrate import Membranes

Sweep = tuple[int, int, Floats, Integers, Integers]
"""First sample that is not done, spikes of those that are; times, neurons and tallies."""

MOST_SPIKES = 10_000_000
NOTHING = np.empty(0)


@dataclass(frozen=True, slots=True)
class Unrest:
    """What is different in every run.

    Parameters
    ----------
    seed : int
        Of the run.
    identities : ndarray of int64, shape (batch,)
        Of the samples.
    threshold : float
        Standard deviation of a threshold from spike to spike, relative to threshold - rest.
    jitter : float
        Of spike times, in units of the excitatory time constant.
    """

    seed: int
    identities: Integers
    threshold: float = 0.0
    jitter: float = 0.0


def arrange_cells(parts: Sequence[Membranes]) -> Floats:
    """Return the parameters of the neurons of a stage as kernels take them, shape (PARAMETERS, n)."""

    def join(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    rest, tau_m, tau_s, current = join("rest"), join("tau_m"), join("tau_s"), join("current")
    tau_i = tau_s[:, 0]
    equal = tau_m == tau_i
    with np.errstate(divide="ignore", invalid="ignore"):
        peak = np.where(equal, tau_i, np.log(tau_m / tau_i) * tau_m * tau_i / (tau_m - tau_i))
        far_i, far_j = (tau / (tau_m - tau) for tau in (tau_i, tau_s[:, 1]))
    cells = np.empty((PARAMETERS, len(rest)))
    rows: dict[int, ArrayLike] = {
        TAU_M: tau_m,
        TAU_I: tau_i,
        TAU_J: tau_s[:, 1],
        TAU_REF: join("tau_ref"),
        GAP: join("threshold") - rest,
        RESET: join("reset") - rest,
        LOW: join("low") - rest,
        HIGH: join("high") - rest,
        PEAK: peak,
        START: join("start") - rest,
        START_I: current[:, 0],
        START_J: current[:, 1],
        KNEE: join("knee"),
        ROOM: join("room"),
        HIGHEST: [
            charge(p, decay(p, m), decay(p, s), m, s) for p, m, s in zip(peak, tau_m, tau_i, strict=True)
        ],
        RATE_M: 1.0 / tau_m,
        RATE_I: 1.0 / tau_i,
        RATE_J: 1.0 / tau_s[:, 1],
        FAR_I: far_i,
        FAR_J: far_j,
        BEND_I: (tau_m - tau_i) / (tau_m * tau_i),
        BEND_J: (tau_m - tau_s[:, 1]) / (tau_m * tau_s[:, 1]),
    }
    for row, values in rows.items():
        cells[row] = values
    return cells


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage did.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, as they leave the circuits; ascending within a sample.
    neurons : ndarray of int64, shape (k,)
        Counted within the stage.
    offsets : ndarray of int64, shape (batch + 1,)
    voltages : ndarray of float64, shape (batch, n, m)
        At the sampling times; m is 0 where nothing is sampled.
    clipped, saturated, late : int
        Rails met; arrivals that an input saturated; events due after the end.
    """

    times: Floats
    neurons: Integers
    offsets: Integers
    voltages: Floats
    clipped: int
    saturated: int
    late: int


class StageCore:
    """One stage on its circuits.

    Parameters
    ----------
    program : Program
    stage : Stage
    membranes : mapping of str to Membranes
        By population.
    """

    def __init__(self, program: Program, stage: Stage, membranes: Mapping[str, Membranes]) -> None:
        self.program = program
        self.stage = stage
        self.members = [program.populations[k] for k in stage.populations]
        self.places = dict(
            zip(stage.populations, np.cumsum([0] + [p.size for p in self.members]).tolist(), strict=False)
        )
        self.size = sum(p.size for p in self.members)
        parts = [membranes[p.name] for p in self.members]
        self.rest = np.concatenate([part.rest for part in parts])
        self.cells = arrange_cells(parts)
        self.outside = [
            k
            for k, block in enumerate(program.blocks)
            if block.post in stage.populations and block.pre not in stage.populations
        ]
        self.inside = [
            k
            for k, block in enumerate(program.blocks)
            if block.post in stage.populations and block.pre in stage.populations
        ]
        self.base = sum(program.blocks[k].n_pre for k in self.outside)
        self.weights = np.zeros((self.base + (self.size if stage.recurrent else 0), self.size))
        self.guess = 2.0 * self.size

    def write(self, values: Sequence[Floats]) -> None:
        """Set the weights.

        Parameters
        ----------
        values : sequence of ndarray, shape (k,)
            Per block of the program, in volts of the model with their sign.
        """
        weights = np.zeros_like(self.weights)
        row = 0
        for k in self.outside:
            block = self.program.blocks[k]
            self.add(weights[row : row + block.n_pre], k, values[k])
            row += block.n_pre
        for k in self.inside:
            block = self.program.blocks[k]
            first = self.base + self.places[block.pre]
            self.add(weights[first : first + block.n_pre], k, values[k])
        self.weights = weights

    def add(self, rows: Floats, k: int, values: Floats) -> None:
        """Add the synapses of a block to rows of the matrix."""
        block = self.program.blocks[k]
        place = self.places[block.post]
        target = rows[:, place : place + block.n_post]
        if block.dense:
            target += values.reshape(block.n_pre, block.n_post)
        else:
            indptr, indices = block.sparse()
            np.add.at(target, (np.repeat(np.arange(block.n_pre), np.diff(indptr)), indices), values)

    def collect(self, delivered: Mapping[int, Events], batch: int) -> Stream:
        """Merge what arrives from outside, by row of the matrix.

        Parameters
        ----------
        delivered : mapping of int to Events
            By block.
        batch : int
        """
        parts, row = [], 0
        for k in self.outside:
            block = self.program.blocks[k]
            events = delivered[k]
            parts.append((block.pre, events.times, events.sources + row, events.offsets))
            row += block.n_pre
        return merge(parts, batch)

    def run(
        self,
        delivered: Mapping[int, Events],
        budget: SpikeBudget,
        *,
        grid: Floats,
        unrest: Unrest,
        threads: int,
    ) -> Outcome:
        """Run a batch.

        Parameters
        ----------
        delivered : mapping of int to Events
            What arrives over each block from outside, at its arrival.
        budget : SpikeBudget
            Of the batch.
        grid : ndarray of float64, shape (m,)
            Sampling times in ms.
        unrest : Unrest
        threads : int
            Results do not depend on it.

        Returns
        -------
        Outcome

        Raises
        ------
        NumericsError
            If the stage does not stop spiking, or the batch has more spikes than fit into memory.
        """
        batch = budget.batch
        stream = self.collect(delivered, batch)
        voltages = np.empty((batch, self.size, len(grid)))
        keys = sample_keys(unrest.seed, ".".join(p.name for p in self.members), unrest.identities)
        common = (stream.times, stream.slots, stream.offsets)
        rest = (self.weights, self.cells, self.program.duration, grid, unrest.threshold)
        counts = np.zeros(batch, dtype=np.int64)
        kernel: Callable[..., tuple[int, int]] = run_circuits if self.stage.recurrent else sweep_circuits

        def sweep(first: int, last: int, room: int) -> Sweep:
            times, neurons = np.empty(room), np.empty(room, dtype=np.int64)
            tallies = np.zeros(3, dtype=np.int64)
            noise = (unrest.jitter,) if self.stage.recurrent else ()
            base = (self.base,) if self.stage.recurrent else ()
            done, used = kernel(
                first,
                last,
                *common,
                *base,
                *rest,
                *noise,
                quantiles(),
                keys,
                times,
                neurons,
                voltages,
                tallies,
                counts,
            )
            return done, used, times, neurons, tallies

        parts = run(lambda a, b: self.grow(a, b, sweep, budget), split(batch, threads), threads)
        pieces = [piece for part in parts for piece in part]
        times = np.concatenate([NOTHING, *(piece[0] for piece in pieces)])
        neurons = np.concatenate([np.empty(0, dtype=np.int64), *(piece[1] for piece in pieces)])
        tallies = sum((piece[2] for piece in pieces), np.zeros(3, dtype=np.int64))
        offsets = np.concatenate(([0], np.cumsum(counts)))
        self.guess = max(self.guess, 1.25 * len(times) / max(batch, 1))
        if unrest.jitter > 0.0 and not self.stage.recurrent:
            add_jitter(times, neurons, offsets, unrest.jitter * self.cells[TAU_I], quantiles(), keys)
        return Outcome(
            times,
            neurons,
            offsets,
            voltages + self.rest[:, None],
            int(tallies[0]),
            int(tallies[1]),
            int(tallies[2]),
        )

    def grow(
        self, first: int, last: int, sweep: Callable[[int, int, int], Sweep], budget: SpikeBudget
    ) -> list[tuple[Floats, Integers, Integers]]:
        """Run a part of the batch, with room for the spikes that grows as they need it."""
        room = int(self.guess * (last - first)) + 64
        sizes = {item.name: item.size for item in self.members}
        pieces: list[tuple[Floats, Integers, Integers]] = []
        part = last
        while first < last:
            done, used, times, neurons, tallies = sweep(first, last, room)
            budget.keep(part, count_spikes(neurons[:used], sizes))
            if done > first:
                pieces.append((times[:used], neurons[:used], tallies))
            elif room >= MOST_SPIKES:
                raise NumericsError(self.overflow(first))
            else:
                left = budget.hold(part, count_spikes(neurons, sizes))
                room = min(2 * room, MOST_SPIKES, room + max(left, 1))
            first = done
        return pieces

    def overflow(self, sample: int) -> Diagnostic:
        """Return what to say of a stage that does not stop spiking."""
        names = ", ".join(p.name for p in self.members)
        return Diagnostic(
            f"sample {sample} has more than {MOST_SPIKES} spikes in {names}; lower the weights "
            "or add a refractory period",
            self.members[0].path,
        )
