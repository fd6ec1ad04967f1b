"""Losses of layers one after another, with their gradients, in one call of a kernel each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.drive import Drive
from netdesc.adjoint.readout_layer import sweep_readout_layer_back
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.outputs import (
    Scales,
    Term,
    compare_first,
    compare_voltages,
    find_first,
    find_highest,
    find_winners,
)
from netdesc.dynamics.views import row, stretch, unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.chain import (
    DONE,
    REFUSED,
    Answers,
    Chain,
    Room,
    clear_forces,
    note_spikes,
    run_backward,
    run_forward,
    select_incoming,
    select_layer,
    select_sums,
    send_spikes,
    take_stimulus,
)
from netdesc_numba.event.readout import Readings, Span, read_layer


class Means(NamedTuple):
    """Numbers of a loss of mean voltages.

    Parameters
    ----------
    rates : ndarray of float64, shape (1,)
        Of the weights of the mean in 1/ms.
    rest : ndarray of float64, shape (outputs,)
        The mean of the resting voltage, which voltages are read above.
    """

    rates: Floats
    rest: Floats


@inlined
def run_batch(
    span: tuple[int, int], stages: int, stimulus: Incoming, labels: Integers, weights: Floats, chain: Chain,
    room: Room, silent: NDArray[np.bool_],
) -> int:  # fmt: skip
    """Simulate some samples, as many layers as are given, and clear the flags of neurons that spike.

    Returns
    -------
    int
        How it ended; ``REFUSED`` also where the stimulus or a label is not what it has to be.
    """
    first, last = span
    for b in range(first, last):
        if not 0 <= labels[b] < chain.sizes[-1]:
            return REFUSED
    if not take_stimulus(first, last, stimulus, chain.rows[0], room):
        return REFUSED
    ending = run_forward(first, last, stages, chain, weights, room)
    if ending == DONE:
        note_spikes(last, stages, chain, room, silent)
    return ending


@shared
def compare_outputs(
    first: int, last: int, labels: Integers, room: Room, scales: Scales, factor: float, answers: Answers
) -> int:
    """Compute the loss of some samples and dL/dt of the last layer's spikes, and read predictions.

    Returns
    -------
    int
        Samples in which the neuron of the label does not spike.
    """
    room, answers = unowned(room), unowned(answers)
    stages = len(room.times) - 1
    times, events = answers.read[first:last], answers.events[first:last]
    offsets = stretch(row(room.offsets, stages), first, last - first + 1)
    find_first(row(room.times, stages), row(room.neurons, stages), offsets, times, events)
    mine = labels[first:last]
    slopes = answers.slopes[first:last]
    compare_first(times, mine, scales, Term(answers.values[first:last], slopes))
    clear_forces(stages, last, room)
    forces = row(room.forces, stages)
    for b in range(last - first):
        for cell in range(times.shape[1]):
            if events[b, cell] >= 0:
                forces[events[b, cell]] = factor * slopes[b, cell]
    _, unheard = find_winners(times, mine, answers.predictions[first:last], answers.ties[first:last])
    return unheard


@kernel
def learn_first_spikes(
    span: tuple[int, int], stimulus: Incoming, labels: Integers, weights: Floats, chain: Chain, room: Room,
    loss: tuple[Scales, float], answers: Answers,
) -> tuple[int, int, int]:  # fmt: skip
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
    ending, grazing, unheard : int
        How it ended (``DONE``, ``FULL``, ``REFUSED``), spikes whose slope was raised to the floor, and
        samples in which the neuron of the label does not spike.
    """
    first, last = span
    stages = len(chain.sizes)
    ending = run_batch(span, stages, stimulus, labels, weights, chain, room, answers.silent)
    if ending != DONE:
        return ending, 0, 0
    scales, factor = loss
    unheard = compare_outputs(first, last, labels, room, scales, factor, answers)
    return DONE, run_backward(span, stages, chain, weights, room, answers), unheard


@shared
def read_outputs(
    first: int, last: int, chain: Chain, weights: Floats, room: Room, means: Means, answers: Answers
) -> None:
    """Read the mean voltages of the last layer in some samples."""
    chain, room, answers = unowned(chain), unowned(room), unowned(answers)
    k = len(chain.sizes) - 1
    n, batch = chain.sizes[k], len(answers.values)
    send_spikes(k, last, chain, room)
    peaks, found = np.empty((0, n)), np.empty((1, batch, n))
    out, span = Readings(peaks, peaks, found), Span(chain.rules.duration, means.rates)
    read_layer(first, last, select_incoming(k, room), select_layer(k, chain, weights), span, out)
    for b in range(first, last):
        for cell in range(n):
            answers.read[b, cell] = found[0, b, cell] + means.rest[cell]


@shared
def undo_readout(
    first: int, last: int, chain: Chain, weights: Floats, room: Room, loss: tuple[Means, float],
    answers: Answers,
) -> None:  # fmt: skip
    """Compute the adjoints of a read-out of mean voltages in some samples."""
    chain, room, answers = unowned(chain), unowned(room), unowned(answers)
    means, factor = loss
    k = len(chain.sizes) - 1
    n, batch = chain.sizes[k], len(answers.values)
    none, slopes = np.zeros((batch, n)), np.empty((1, batch, n))
    for b in range(first, last):
        for cell in range(n):
            slopes[0, b, cell] = factor * answers.slopes[b, cell]
    drive = Drive(np.empty(0), np.empty((0, 0, 0)), none, none, none, means.rates, slopes)
    clear_forces(k, last, room)
    incoming, layer = select_incoming(k, room), select_layer(k, chain, weights)
    sums = select_sums(k, chain, room, answers)
    sweep_readout_layer_back(first, last, incoming, layer, sums, drive, chain.rules.duration)


@kernel
def learn_means(
    span: tuple[int, int], stimulus: Incoming, labels: Integers, weights: Floats, chain: Chain, room: Room,
    loss: tuple[Means, float], answers: Answers,
) -> tuple[int, int, int]:  # fmt: skip
    """Run samples forward, compute the loss of mean voltages of a read-out and its gradient.

    Parameters and results are those of ``learn_first_spikes``; samples without a prediction do not occur.
    """
    first, last = span
    stages = len(chain.sizes) - 1
    ending = run_batch(span, stages, stimulus, labels, weights, chain, room, answers.silent)
    if ending != DONE:
        return ending, 0, 0
    read_outputs(first, last, chain, weights, room, loss[0], answers)
    read, mine = answers.read[first:last], labels[first:last]
    compare_voltages(read, mine, Term(answers.values[first:last], answers.slopes[first:last]))
    find_highest(read, answers.predictions[first:last], answers.ties[first:last])
    undo_readout(first, last, chain, weights, room, loss, answers)
    return DONE, run_backward(span, stages, chain, weights, room, answers), 0
