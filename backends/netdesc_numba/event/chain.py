"""Layers one after another, run forward to a loss of first spikes and back to its gradient in one call."""

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
from netdesc.losses.first_spikes import find_first
from netdesc.losses.predictions import find_winners
from netdesc.losses.term import Term
from netdesc.losses.time_to_first_spike import Scales, compare_first
from netdesc_numba.event.advance import Spikes
from netdesc_numba.event.layer import sweep_blocks

DONE, FULL, REFUSED = 0, 1, 2
"""How a run of a chain ends: with a gradient, without room for its spikes, at what is to be an error."""


class Chain(NamedTuple):
    """Layers one after another: each receives from the one before by one projection, the first from a source.

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
    begins : ndarray of int64, shape (stages,)
        First weight of the projection into each layer, in the vector of all weights.
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
    begins: Integers
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
    first : ndarray of float64, shape (batch, outputs)
        Times of first spikes in ms, infinity without one.
    events : ndarray of int64, shape (batch, outputs)
        Their positions among the spikes.
    values : ndarray of float64, shape (batch,)
        Loss of each sample.
    slopes : ndarray of float64, shape (batch, outputs)
        Its derivatives by the first spikes, in 1/ms.
    predictions : ndarray of int64, shape (batch,)
    ties : ndarray of bool, shape (batch,)
    heard : ndarray of bool, shape (neurons,)
        Whether a neuron spikes in any sample; set, never cleared.
    sums : ndarray of float64, shape (parts * weights,)
        Gradients, layer after layer, in each of them part after part of the batch.
    part : ndarray of int64, shape (batch,)
        Part of the batch that each sample belongs to.
    """

    first: Floats
    events: Integers
    values: Floats
    slopes: Floats
    predictions: Integers
    ties: NDArray[np.bool_]
    heard: NDArray[np.bool_]
    sums: Floats
    part: Integers


@inlined
def select_layer(k: int, chain: Chain, weights: Floats) -> UniformLayer:
    """Return a layer with its weights out of the vector of all of them."""
    levels, place, size = chain.levels, chain.places[k], chain.sizes[k]
    constants = Constants(levels[k, 0], levels[k, 1], levels[k, 2], levels[k, 3])
    rows = stretch_rows(weights, chain.begins[k], chain.rows[k], size)
    return UniformLayer(constants, rows, stretch(chain.start, place, size), stretch(chain.current, place, size))


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


@shared
def run_forward(first: int, last: int, chain: Chain, weights: Floats, room: Room) -> int:
    """Simulate some samples, layer after layer; return how it ended."""
    chain, room = unowned(chain), unowned(room)
    for k in range(len(chain.sizes)):
        times, arrivals, delay = row(room.times, k), row(room.arrivals, k), chain.delays[k]
        for e in range(room.offsets[k, last]):
            arrivals[e] = times[e] + delay
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


@shared
def run_backward(first: int, last: int, chain: Chain, weights: Floats, room: Room, answers: Answers) -> int:
    """Compute the adjoints of some samples, from the last layer to the first.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    chain, room, answers = unowned(chain), unowned(room), unowned(answers)
    grazing = 0
    parts = len(answers.sums) // len(weights)
    for k in range(len(chain.sizes) - 1, -1, -1):
        n, capacity = chain.sizes[k], room.kept.shape[1]
        incoming = select_incoming(k, room)
        for e in range(room.offsets[k, last]):
            room.forces[k, e] = 0.0
        kept = stretch_rows(row(room.kept, k + 1), 0, 1, capacity)
        offsets = row(room.offsets, k + 1)
        spikes = OwnEvents(
            row(room.times, k + 1), row(room.neurons, k + 1), kept, offsets, row(room.forces, k + 1), np.empty(0)
        )
        begin, size = chain.begins[k], chain.rows[k] * n
        sums = answers.sums[parts * begin : parts * (begin + size)].reshape(parts, chain.rows[k], n)
        partial = PartialSums(row(room.forces, k), sums, np.empty((parts, 0)), answers.part)
        segments = make_segments(find_longest(first, last, incoming.offsets))
        pieces = make_pieces(find_longest(first, last, offsets))
        work = Work(segments, pieces, np.full(n, -1), np.empty((2, 2, n)), np.empty(0, dtype=np.int64))
        layer = select_layer(k, chain, weights)
        grazing += sweep_samples_back((first, last), incoming, layer, spikes, partial, chain.rules, work)
    return grazing


@inlined
def note_heard(last: int, chain: Chain, room: Room, heard: NDArray[np.bool_]) -> None:
    """Set the flags of all neurons that spike."""
    for k in range(len(chain.sizes)):
        for e in range(room.offsets[k + 1, last]):
            heard[chain.places[k] + room.neurons[k + 1, e]] = True


@shared
def compare_outputs(
    first: int, last: int, labels: Integers, room: Room, scales: Scales, factor: float, answers: Answers
) -> tuple[int, int]:
    """Compute the loss of some samples and dL/dt of the last layer's spikes, and read predictions.

    Returns
    -------
    silent, unheard : int
        Samples in which no neuron, and the label's neuron, does not spike.
    """
    room, answers = unowned(room), unowned(answers)
    stages = len(room.times) - 1
    times, events = answers.first[first:last], answers.events[first:last]
    offsets = stretch(row(room.offsets, stages), first, last - first + 1)
    find_first(row(room.times, stages), row(room.neurons, stages), offsets, times, events)
    mine = labels[first:last]
    slopes = answers.slopes[first:last]
    compare_first(times, mine, scales, Term(answers.values[first:last], slopes))
    forces = row(room.forces, stages)
    for e in range(room.offsets[stages, last]):
        forces[e] = 0.0
    for b in range(last - first):
        for cell in range(times.shape[1]):
            if events[b, cell] >= 0:
                forces[events[b, cell]] = factor * slopes[b, cell]
    return find_winners(times, mine, answers.predictions[first:last], answers.ties[first:last])


@kernel
def learn_first_spikes(
    span: tuple[int, int], stimulus: Incoming, labels: Integers, weights: Floats, chain: Chain, room: Room,
    loss: tuple[Scales, float], answers: Answers,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Run samples forward, compute their loss and its gradient.

    Parameters
    ----------
    span : tuple of int
        First sample, and one past the last.
    stimulus : Incoming
        Spikes of the source; slots are its neurons.
    labels : ndarray of int64, shape (batch,)
    weights : ndarray of float64, shape (weights,)
        Of all layers in turn.
    chain : Chain
    room : Room
        Overwritten; its capacity is at least the number of spikes of the source.
    loss : tuple of (Scales, float)
        Numbers of the loss, and what it is multiplied with: its weight over the size of the batch.
    answers : Answers
        Results; gradients are added.

    Returns
    -------
    state, grazing, silent, unheard : int
        How it ended (``DONE``, ``FULL``, ``REFUSED``), spikes whose slope was raised to the floor, samples in
        which no neuron spikes, and in which that of the label does not.
    """
    first, last = span
    for b in range(first, last):
        if not 0 <= labels[b] < chain.sizes[-1]:
            return REFUSED, 0, 0, 0
    if not take_stimulus(first, last, stimulus, chain.rows[0], room):
        return REFUSED, 0, 0, 0
    ending = run_forward(first, last, chain, weights, room)
    if ending != DONE:
        return ending, 0, 0, 0
    note_heard(last, chain, room, answers.heard)
    scales, factor = loss
    silent, unheard = compare_outputs(first, last, labels, room, scales, factor, answers)
    grazing = run_backward(first, last, chain, weights, room, answers)
    return DONE, grazing, silent, unheard


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
