"""Layers one after another, run forward and back within one call of a kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrivals import Incoming, find_longest
from netdesc.adjoint.cells import Constants, UniformLayer
from netdesc.adjoint.derivatives import PartialSums
from netdesc.adjoint.layer import Work, sweep_samples_back
from netdesc.adjoint.neuron import OwnEvents, Rules
from netdesc.adjoint.pieces import make_pieces
from netdesc.adjoint.segments import make_segments
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.views import copy, row, stretch, stretch_rows, unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import Spikes
from netdesc_numba.event.layer import sweep_blocks

DONE, FULL, REFUSED = 0, 1, 2
"""How a run of a chain ends: with a gradient, without room for its spikes, at what is to be an error."""


class Chain(NamedTuple):
    """Layers one after another: each receives from the one before by one projection, the first from a source.

    The last one may be a read-out.

    Parameters
    ----------
    levels : ndarray of float64, shape (stages, 4)
        Fields of ``Constants``.
    rows, sizes : ndarray of int64, shape (stages,)
        Neurons that project into each layer, and neurons in it.
    delays : ndarray of float64, shape (stages,)
        Of the projection into each layer, in ms.
    places : ndarray of int64, shape (stages + 1,)
        First neuron of each layer, counted through all layers.
    starts : ndarray of int64, shape (stages,)
        First neuron of each layer in the program.
    begins : ndarray of int64, shape (stages,)
        First weight of the projection into each layer, in the vector of all weights.
    total : int
        Number of all weights.
    start, current : ndarray of float64, shape (neurons,)
        Voltage above rest and current at 0.
    rules : Rules
    most : int
        Spikes of a layer in a sample that are allowed.
    """

    levels: Floats
    rows: Integers
    sizes: Integers
    delays: Floats
    places: Integers
    starts: Integers
    begins: Integers
    total: int
    start: Floats
    current: Floats
    rules: Rules
    most: int


class Room(NamedTuple):
    """What a run of some samples overwrites: row 0 is the source, row k + 1 is layer k.

    Parameters
    ----------
    times, arrivals, forces : ndarray of float64, shape (stages + 1, capacity)
        Spike times, the same with the delay into the next layer, in ms, and dL/dt in 1/ms.
    neurons : ndarray of int64, shape (stages + 1, capacity)
        Counted within the layer.
    kept : ndarray of float64, shape (stages + 1, capacity)
        Current at each spike.
    counts : ndarray of int64, shape (stages + 1, batch)
        Spikes of each sample.
    offsets : ndarray of int64, shape (stages + 1, batch + 1)
        First spike of each sample.
    """

    times: Floats
    arrivals: Floats
    forces: Floats
    neurons: Integers
    kept: Floats
    counts: Integers
    offsets: Integers


class Answers(NamedTuple):
    """Results of a batch.

    Parameters
    ----------
    read : ndarray of float64, shape (batch, outputs)
        What the loss reads: times of first spikes in ms, infinity without one, or voltages.
    events : ndarray of int64, shape (batch, outputs)
        Positions of these among the spikes.
    values : ndarray of float64, shape (batch,)
        Loss of each sample.
    slopes : ndarray of float64, shape (batch, outputs)
        Its derivatives by what it reads.
    predictions : ndarray of int64, shape (batch,)
    ties : ndarray of bool, shape (batch,)
    silent : ndarray of bool, shape (neurons,)
        By program-wide index; cleared for neurons that spike in any sample, never set.
    sums : ndarray of float64, shape (parts * weights,)
        Gradients, layer after layer, in each of them part after part of the batch.
    part : ndarray of int64, shape (batch,)
        Part of the batch that each sample belongs to.
    """

    read: Floats
    events: Integers
    values: Floats
    slopes: Floats
    predictions: Integers
    ties: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    sums: Floats
    part: Integers


@inlined
def select_layer(k: int, chain: Chain, weights: Floats) -> UniformLayer:
    """Return a layer with its weights out of the vector of all of them."""
    levels, place, size = chain.levels, chain.places[k], chain.sizes[k]
    constants = Constants(levels[k, 0], levels[k, 1], levels[k, 2], levels[k, 3])
    rows = stretch_rows(weights, chain.begins[k], chain.rows[k], size)
    return UniformLayer(
        constants, rows, stretch(chain.start, place, size), stretch(chain.current, place, size)
    )


@inlined
def select_incoming(k: int, room: Room) -> Incoming:
    """Return what arrives at layer k."""
    return Incoming(row(room.arrivals, k), row(room.neurons, k), row(room.offsets, k))


@inlined
def take_stimulus(first: int, last: int, stimulus: Incoming, sources: int, room: Room) -> bool:
    """Copy the spikes of some samples; return whether all are of sources and at times from 0 on."""
    begin, fits = stimulus.offsets[first], True
    for b in range(first, last + 1):
        room.offsets[0, b] = stimulus.offsets[b] - begin
    for e in range(room.offsets[0, last]):
        t, source = stimulus.times[begin + e], stimulus.slots[begin + e]
        room.times[0, e] = t
        room.neurons[0, e] = source
        fits = fits and 0.0 <= t < np.inf and 0 <= source < sources
    return fits


@inlined
def send_spikes(k: int, last: int, chain: Chain, room: Room) -> None:
    """Compute when spikes arrive at layer k."""
    times, arrivals, delay = row(room.times, k), row(room.arrivals, k), chain.delays[k]
    for e in range(room.offsets[k, last]):
        arrivals[e] = times[e] + delay


@shared
def run_forward(first: int, last: int, stages: int, chain: Chain, weights: Floats, room: Room) -> int:
    """Simulate some samples, as many layers as are given; return how it ended."""
    chain, room = unowned(chain), unowned(room)
    for k in range(stages):
        send_spikes(k, last, chain, room)
        counts = row(room.counts, k + 1)
        kept = stretch_rows(row(room.kept, k + 1), 0, 1, room.kept.shape[1])
        spikes = Spikes(row(room.times, k + 1), row(room.neurons, k + 1), kept, counts)
        layer = select_layer(k, chain, weights)
        done, _ = sweep_blocks(first, last, select_incoming(k, room), layer, chain.rules.duration, spikes)
        if done < last:
            return FULL
        room.offsets[k + 1, first] = 0
        for b in range(first, last):
            if counts[b] > chain.most:
                return REFUSED
            room.offsets[k + 1, b + 1] = room.offsets[k + 1, b] + counts[b]
    return DONE


@inlined
def select_sums(k: int, chain: Chain, room: Room, answers: Answers) -> PartialSums:
    """Return where the adjoint of layer k adds its derivatives."""
    size, parts = chain.rows[k] * chain.sizes[k], len(answers.sums) // chain.total
    begin = parts * chain.begins[k]
    sums = answers.sums[begin : begin + parts * size].reshape(parts, chain.rows[k], chain.sizes[k])
    return PartialSums(row(room.forces, k), sums, np.empty((parts, 0)), answers.part)


@inlined
def clear_forces(k: int, last: int, room: Room) -> None:
    """Set dL/dt of the spikes in a row to 0."""
    forces = row(room.forces, k)
    for e in range(room.offsets[k, last]):
        forces[e] = 0.0


@shared
def run_backward(
    span: tuple[int, int], stages: int, chain: Chain, weights: Floats, room: Room, answers: Answers
) -> int:
    """Compute the adjoints of some samples, from the last one of so many layers to the first.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    chain, room, answers = unowned(chain), unowned(room), unowned(answers)
    first, last = span
    grazing = 0
    for k in range(stages - 1, -1, -1):
        n = chain.sizes[k]
        incoming, offsets = select_incoming(k, room), row(room.offsets, k + 1)
        clear_forces(k, last, room)
        kept = stretch_rows(row(room.kept, k + 1), 0, 1, room.kept.shape[1])
        times, neurons, forces = row(room.times, k + 1), row(room.neurons, k + 1), row(room.forces, k + 1)
        spikes = OwnEvents(times, neurons, kept, offsets, forces, np.empty(0))
        segments = make_segments(find_longest(first, last, incoming.offsets))
        pieces = make_pieces(find_longest(first, last, offsets))
        work = Work(segments, pieces, np.full(n, -1), np.empty((2, 2, n)), np.empty(0, dtype=np.int64))
        layer, sums = select_layer(k, chain, weights), select_sums(k, chain, room, answers)
        grazing += sweep_samples_back(span, incoming, layer, spikes, sums, chain.rules, work)
    return grazing


@inlined
def note_spikes(last: int, stages: int, chain: Chain, room: Room, silent: NDArray[np.bool_]) -> None:
    """Clear the flags of all neurons of so many layers that spike."""
    for k in range(stages):
        for e in range(room.offsets[k + 1, last]):
            silent[chain.starts[k] + room.neurons[k + 1, e]] = False


@kernel
def add_gradients(sums: Floats, chain: Chain, gradient: Floats) -> None:
    """Add the gradients of all parts of a batch, in order.

    Parameters
    ----------
    sums : ndarray of float64, shape (parts * weights,)
        See ``Answers``.
    chain : Chain
    gradient : ndarray of float64, shape (weights,)
        Result.
    """
    parts = int64(len(sums) // len(gradient))
    for k in range(len(chain.begins)):
        begin, size = chain.begins[k], chain.rows[k] * chain.sizes[k]
        mine = stretch(gradient, begin, size)
        copy(mine, stretch(sums, parts * begin, size))
        for p in range(1, parts):
            part = stretch(sums, parts * begin + p * size, size)
            for j in range(size):
                mine[j] += part[j]
