"""How often neurons spike, from a short run on a coarse grid that needs no compiled kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.block import Block
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program

STEP = 1.0
"""Longest step in ms."""

FINEST = 0.2
"""Longest step as a fraction of the shortest time constant."""

MOST_STEPS = 2000
"""Steps of all samples together."""

MOST_SLOTS = 4e6
"""Numbers that are kept of what arrives later; longer delays are shortened."""

MOST_DELIVERIES = 4e6
"""Deliveries after which a sample ends; its spikes are extrapolated by the spikes that enter."""

ROW = 8.0
"""How many deliveries by a row of weights, or neurons in a step, take as long as one delivery by itself."""


def sketch_spikes(program: Program, stimulus: Events) -> dict[str, float] | None:
    """Estimate how many spikes a sample has, by population.

    Linear cells are advanced exactly from step to step, with at most one spike in a step and at least one
    step of delay. It is no simulation: spikes are counted, not timed.

    Parameters
    ----------
    program : Program
    stimulus : Events
        Spikes of all sources; as many of the samples are run as `MOST_STEPS` allows, at least one.

    Returns
    -------
    dict of str to float or None
        Mean of the samples; for sources that of all samples of the stimulus. None where a cell is given by
        equations.
    """
    if any(item.equations is not None for item in program.populations):
        return None
    step = choose_step(program)
    steps = max(int(np.ceil(program.duration / step)), 1)
    samples = max(min(stimulus.batch, MOST_STEPS // steps), 1)
    counts = np.zeros(program.size)
    for sample in range(samples):
        counts += _run(program, stimulus, sample, step) / samples
    entered = np.bincount(stimulus.sources, minlength=program.size) / max(stimulus.batch, 1)
    return {
        item.name: float((entered if item.kind == "source" else counts)[item.start : item.stop].sum())
        for item in program.populations
    }


def choose_step(program: Program) -> float:
    """Return a step in ms that resolves the time constants, within reason."""
    constants = np.concatenate([np.ravel(program.parameters.get(name, ())) for name in ("tau_m", "tau_s")])
    shortest = float(np.min(constants[constants > 0.0], initial=np.inf))
    return max(min(STEP, FINEST * shortest, program.duration), program.duration / MOST_STEPS)


@dataclass(slots=True)
class _Membranes:
    """States of all neurons, and what arrives in the steps to come: shape (depth, size, receptors)."""

    v: Floats
    i: Floats
    free: Integers
    coming: Floats


def _start(program: Program, step: float) -> _Membranes:
    ticks = [_ticks(block.delays, step).max(initial=1) for block in program.blocks if block.size]
    tau_s = program.parameters["tau_s"]
    depth = (
        min(int(max(ticks, default=1)), int(program.duration / step) + 1, int(MOST_SLOTS / tau_s.size)) + 1
    )
    return _Membranes(
        np.nan_to_num(program.parameters["v_init"]),
        np.nan_to_num(program.parameters["i_init"]),
        np.zeros(program.size, dtype=np.int64),
        np.zeros((max(depth, 2), *tau_s.shape)),
    )


def _run(program: Program, stimulus: Events, sample: int, step: float) -> Floats:
    """Return the spikes of every neuron in a sample."""
    span = slice(stimulus.offsets[sample], stimulus.offsets[sample + 1])
    moments = (stimulus.times[span] / step).astype(np.int64)
    order = np.argsort(moments, kind="stable")
    moments, sources = moments[order], stimulus.sources[span][order]
    steps = max(int(np.ceil(program.duration / step)), 1)
    edges = np.searchsorted(moments, np.arange(steps + 1))
    state, counts, delivered = _start(program, step), np.zeros(program.size), 0.0
    advance = _Propagator(program, step)
    for now in range(steps):
        fired = advance(state, now)
        counts[fired] += 1.0
        spikes = np.concatenate((fired, sources[edges[now] : edges[now + 1]]))
        delivered += program.size / ROW
        if len(spikes):
            delivered += _deliver(program, state, spikes, now, step)
        if delivered > MOST_DELIVERIES:
            entered = int(edges[now + 1])
            return counts * (len(sources) / entered if entered else steps / (now + 1.0))
    return counts


class _Propagator:
    """Advances all neurons by a step."""

    def __init__(self, program: Program, step: float) -> None:
        given = {name: np.array(value) for name, value in program.parameters.items()}
        sources = np.isnan(given["tau_m"])
        tau_m = np.where(sources, 1.0, given["tau_m"])
        tau_s = np.where(np.isnan(given["tau_s"]), 1.0, given["tau_s"])
        self.keep_v, self.keep_i = np.exp(-step / tau_m), np.exp(-step / tau_s)
        alike = np.abs(tau_s - tau_m[:, None]) < 1e-6 * tau_s
        tau_s = np.where(alike, tau_s * 1.0001, tau_s)
        # of a current that decays, as a part of what it is at the begin of the step
        self.gain = tau_s / (tau_s - tau_m[:, None]) * (np.exp(-step / tau_s) - self.keep_v[:, None])
        self.rest = np.where(sources, 0.0, given["rest"])
        self.threshold = np.where(sources, np.inf, given["threshold"])
        self.reset = np.where(sources, 0.0, given["reset"])
        self.hold = np.nan_to_num(given["tau_ref"] / step).astype(np.int64)

    def __call__(self, state: _Membranes, now: int) -> Integers:
        slot = state.coming[now % len(state.coming)]
        state.i += slot
        slot[:] = 0.0
        state.v = self.rest + (state.v - self.rest) * self.keep_v + np.sum(self.gain * state.i, axis=1)
        state.i *= self.keep_i
        held = state.free > now
        state.v = np.where(held, self.reset, state.v)
        fired = np.flatnonzero(state.v >= self.threshold)
        state.v[fired] = self.reset[fired]
        state.free[fired] = now + 1 + self.hold[fired]
        return fired


def _ticks(delays: Floats, step: float) -> NDArray[np.int64]:
    return np.maximum(np.rint(np.minimum(delays / step, 1e9)), 1.0).astype(np.int64)


def _deliver(program: Program, state: _Membranes, spikes: Integers, now: int, step: float) -> float:
    """Add spikes to what arrives later; return the work in deliveries."""
    work = 0.0
    for block in program.blocks:
        begin = program.populations[block.pre].start
        mine = spikes[(spikes >= begin) & (spikes < begin + block.n_pre)] - begin
        if not len(mine) or not block.size:
            continue
        first = program.populations[block.post].start
        rows = block.dense and block.uniform_delay and block.weight_of is None
        add = _add_rows if rows else _add_synapses
        work += add(block, state.coming[:, first : first + block.n_post, block.receptor], mine, (now, step))
    return work


def _add_rows(block: Block, coming: Floats, sources: Integers, clock: tuple[int, float]) -> float:
    now, step = clock
    ticks = min(int(_ticks(block.delays, step)[0]), len(coming) - 1)
    weights = block.weights.reshape(block.n_pre, block.n_post)[sources]
    coming[(now + ticks) % len(coming)] += weights.sum(axis=0) * block.charge
    return len(sources) * block.n_post / ROW


def _add_synapses(block: Block, coming: Floats, sources: Integers, clock: tuple[int, float]) -> float:
    now, step = clock
    places = _places(block, sources)
    weights = block.weights[places if block.weight_of is None else block.weight_of[places]]
    targets = places % block.n_post if block.indices is None else block.indices[places].astype(np.int64)
    ticks = _ticks(block.delays if block.uniform_delay else block.delays[places], step)
    slots = np.broadcast_to((now + np.minimum(ticks, len(coming) - 1)) % len(coming), places.shape)
    np.add.at(coming, (slots, targets), weights * block.charge[targets])
    return float(len(places))


def _places(block: Block, sources: Integers) -> Integers:
    """Return the synapses that leave some neurons of a block."""
    if block.indptr is None:
        return (sources[:, None] * block.n_post + np.arange(block.n_post)).ravel()
    first, counts = block.indptr[sources], np.diff(block.indptr)[sources]
    offsets = np.cumsum(counts) - counts
    return np.repeat(first - offsets, counts) + np.arange(int(counts.sum()))


def assume_spikes(program: Program, stimulus: Events, rate: float) -> Mapping[str, float]:
    """Return the spikes of a sample where nothing is known but the sources.

    Parameters
    ----------
    program : Program
    stimulus : Events
    rate : float
        Spikes of a neuron in a ms; each is assumed to spike once at least.
    """
    entered = np.bincount(stimulus.sources, minlength=program.size) / max(stimulus.batch, 1)
    each = max(rate * program.duration, 1.0)
    known = {"source": lambda item: float(entered[item.start : item.stop].sum())}
    known |= {"spiking": lambda item: each * item.size, "readout": lambda item: 0.0}
    return {item.name: known[item.kind](item) for item in program.populations}
