"""The analog core: stages of a program on circuits that differ from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netdesc.adjoint.arrivals import Afferents, merge, part_of
from netdesc.budget import SpikeBudget, count_spikes
from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program, Stage
from netdesc.threads import run, split
from netdesc_brainscales2.analog.circuit import Circuits, make_circuits, tile
from netdesc_brainscales2.analog.lanes import Experiment, Results, make_lanes
from netdesc_brainscales2.analog.layer import make_workspace, samples_together, sweep_circuits
from netdesc_brainscales2.analog.network import run_circuits
from netdesc_brainscales2.analog.stamps import add_jitter
from netdesc_brainscales2.chip.noise import Noise, quantiles, sample_keys
from netdesc_brainscales2.chip.substrate import Membranes

MOST_SPIKES = 10_000_000


@dataclass(frozen=True, slots=True)
class TemporalNoise:
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


def join_membranes(parts: Sequence[Membranes]) -> Circuits:
    """Return the circuits of the populations of a stage."""

    def join(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    rest = join("rest")
    return make_circuits(
        join("tau_m"),
        join("tau_s"),
        tau_ref=join("tau_ref"),
        levels=(join("threshold") - rest, join("reset") - rest),
        start=np.column_stack([join("start") - rest, join("current")]),
        rails=(join("low") - rest, join("high") - rest),
        saturation=(join("knee"), join("room")),
    )


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
        Rails met; arrivals that an input saturated; arrivals after the end.
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
        self.cells = join_membranes(parts)
        self.lanes = self.cells if stage.recurrent else tile(self.cells, samples_together(self.size))
        entering = [(k, block) for k, block in enumerate(program.blocks) if block.post in stage.populations]
        self.outside = [k for k, block in entering if block.pre not in stage.populations]
        self.inside = [k for k, block in entering if block.pre in stage.populations]
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

    def collect(self, delivered: Mapping[int, Events], batch: int) -> Afferents:
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
            parts.append(part_of(block.pre, delivered[k], row))
            row += block.n_pre
        return merge(parts, batch)

    def run(
        self,
        delivered: Mapping[int, Events],
        budget: SpikeBudget,
        *,
        grid: Floats,
        noise: TemporalNoise,
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
        noise : TemporalNoise
        threads : int
            Results do not depend on it.

        Raises
        ------
        NumericsError
            If the stage does not stop spiking, or the batch has more spikes than fit into memory.
        """
        batch = budget.batch
        keys = sample_keys(noise.seed, ".".join(p.name for p in self.members), noise.identities)
        drawn = Noise(quantiles(), keys, noise.threshold, noise.jitter * self.cells.tau_i)
        experiment = Experiment(
            self.lanes,
            self.collect(delivered, batch).arrays,
            self.weights,
            self.base,
            grid,
            self.program.duration,
            drawn,
        )
        voltages = np.empty((batch, self.size, len(grid)))
        counts = np.zeros(batch, dtype=np.int64)

        def sweep(first: int, last: int) -> list[Results]:
            return self.grow(first, last, experiment, (voltages, counts), budget)

        pieces = [piece for part in run(sweep, split(batch, threads), threads) for piece in part]
        times = np.concatenate([np.empty(0), *(piece.times for piece in pieces)])
        neurons = np.concatenate([np.empty(0, dtype=np.int64), *(piece.neurons for piece in pieces)])
        tallies = sum((piece.tallies for piece in pieces), np.zeros(3, dtype=np.int64))
        offsets = np.concatenate(([0], np.cumsum(counts)))
        self.guess = max(self.guess, 1.25 * len(times) / max(batch, 1))
        if noise.jitter > 0.0 and not self.stage.recurrent:
            add_jitter(times, neurons, offsets, drawn)
        return Outcome(times, neurons, offsets, voltages + self.rest[:, None], *tallies.tolist())

    def grow(
        self,
        first: int,
        last: int,
        experiment: Experiment,
        shared: tuple[Floats, Integers],
        budget: SpikeBudget,
    ) -> list[Results]:
        """Run a part of the batch, with room for the spikes that grows as they need it."""
        room = int(self.guess * (last - first)) + 64
        sizes = {item.name: item.size for item in self.members}
        pieces: list[Results] = []
        part = last
        while first < last:
            times, neurons, tallies = np.empty(room), np.empty(room, dtype=np.int64), np.zeros(3, np.int64)
            results = Results(times, neurons, *shared, tallies)
            if self.stage.recurrent:
                lanes = make_lanes(self.size, experiment.cells)
                done, used = run_circuits(first, last, experiment, lanes, results)
            else:
                workspace = make_workspace(room, experiment.cells)
                done, used = sweep_circuits(first, last, experiment, workspace, results)
            budget.keep(part, count_spikes(neurons[:used], sizes))
            if done > first:
                pieces.append(results._replace(times=times[:used], neurons=neurons[:used]))
            elif room >= MOST_SPIKES:
                raise NumericsError(self.overflow(first))
            else:
                left = budget.hold(part, count_spikes(neurons, sizes))
                room = min(2 * room, MOST_SPIKES, room + max(left, 1))
            first = done
        return pieces

    def overflow(self, sample: int) -> Diagnostic:
        """Return the fault of a stage that does not stop spiking."""
        names = ", ".join(p.name for p in self.members)
        return Diagnostic(
            f"sample {sample} has more than {MOST_SPIKES} spikes in {names}; lower the weights "
            "or add a refractory period",
            self.members[0].path,
        )
