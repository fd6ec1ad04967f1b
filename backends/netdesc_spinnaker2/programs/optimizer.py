"""The optimizer program, in single precision."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.events import Floats, Integers
from netdesc_spinnaker2.board.memory import LAYER, OPTIMIZER, TRAINED, Board
from netdesc_spinnaker2.board.packets import DELIVERED, DROPPED, GRADIENT, SENT, WEIGHT, Ports, find_row


class Step(NamedTuple):
    """Constants of an update of the weights.

    Parameters
    ----------
    adam : bool
        Adam, descent with momentum otherwise.
    rate, beta_1, rest_1, beta_2, rest_2, epsilon, decay, first, second : float32
        ``beta_1`` is the momentum of descent; ``rest_1`` is 1 - ``beta_1``; ``first`` and ``second`` undo the
        bias of the moments.
    """

    adam: bool
    rate: Any
    beta_1: Any
    rest_1: Any
    beta_2: Any
    rest_2: Any
    epsilon: Any
    decay: Any
    first: Any
    second: Any


class Store(NamedTuple):
    """Memory of the optimizers: trained synapses by target, then by source.

    Parameters
    ----------
    weight, gradient, moment_1, moment_2 : ndarray of float32, shape (trained,)
        In the units of the file.
    low, high, scale : ndarray of float32, shape (trained,)
        Bounds, and voltage of the cell per unit of weight.
    words : ndarray of int64, shape (neurons + 1,)
        First word of every neuron.
    gradient_at, weight_at : ndarray of int64, shape (trained,)
        Where a layer has the gradient and the weight, counted within its slice.
    start : ndarray of int64, shape (slices,)
        First neuron of a slice in ``words``: of an optimizer, or of the layer that it serves.
    """

    weight: NDArray[Any]
    gradient: NDArray[Any]
    moment_1: NDArray[Any]
    moment_2: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    scale: NDArray[Any]
    words: Integers
    gradient_at: Integers
    weight_at: Integers
    start: Integers


@kernel
def gather(active: NDArray[np.bool_], lane: int, board: Board, ports: Ports, store: Store) -> None:
    """Send the gradients of a sample from all copies to the optimizers, which add them in that order.

    Parameters
    ----------
    active : ndarray of bool, shape (copies,)
        Copies that have run a sample.
    lane : int
        Words that a payload holds.
    board : Board
    ports : Ports
    store : Store
    """
    for s in range(len(board.slices)):
        entry = board.slices[s]
        port = entry.gradient_port
        if port < 0 or entry.role != LAYER or not active[entry.copy]:
            continue
        tally = board.packets[s, GRADIENT]
        for k in range(entry.size):
            begin, end = store.words[store.start[s] + k], store.words[store.start[s] + k + 1]
            packets = -(-(end - begin) // lane)
            journey = ports.journey[port + k]
            tally[SENT] += packets * ports.lost[journey]
            tally[DROPPED] += packets * ports.lost[journey]
            for e in range(ports.first[journey], ports.first[journey + 1]):
                to = ports.target[e]
                k0, k1 = board.slices[to].known, board.slices[to].known_end
                row = find_row(ports.key[port + k], board.known, k0, k1)
                tally[SENT] += packets
                if row < 0 or board.slices[to].role != OPTIMIZER:
                    tally[DROPPED] += packets
                    continue
                tally[DELIVERED] += packets
                at = store.words[store.start[to] + row]
                for x in range(end - begin):
                    store.gradient[at + x] += board.gradient[entry.gradient + store.gradient_at[begin + x]]


@kernel
def spread(
    lane: int,
    integer: Integers,
    steps: NDArray[Any],
    dither: Floats,
    board: Board,
    ports: Ports,
    store: Store,
) -> None:
    """Broadcast the weights of the optimizers to all copies.

    Parameters
    ----------
    lane : int
        Words that a payload holds.
    integer : ndarray of int64, shape (trained,)
        Largest integer that a synapse word holds; 0 for weights in floating point.
    steps : ndarray of float64, shape (trained,)
        Integer steps per unit of weight.
    dither : ndarray of float64, shape (trained,) or (0,)
        Numbers in [0, 1) for stochastic rounding; empty for rounding to nearest.
    board, ports, store
    """
    kind = store.weight.dtype.type
    for s in range(len(board.slices)):
        entry = board.slices[s]
        port = entry.weight_port
        if port < 0:
            continue
        tally = board.packets[s, WEIGHT]
        for k in range(entry.size):
            begin, end = store.words[store.start[s] + k], store.words[store.start[s] + k + 1]
            packets = -(-(end - begin) // lane)
            journey = ports.journey[port + k]
            tally[SENT] += packets * ports.lost[journey]
            tally[DROPPED] += packets * ports.lost[journey]
            for e in range(ports.first[journey], ports.first[journey + 1]):
                to = ports.target[e]
                tally[SENT] += packets
                k0, k1 = board.slices[to].known, board.slices[to].known_end
                row = find_row(ports.key[port + k], board.known, k0, k1)
                row -= TRAINED
                if row < 0:
                    tally[DROPPED] += packets
                    continue
                tally[DELIVERED] += packets
                at = store.words[store.start[to] + row]
                for x in range(end - begin):
                    q = begin + x
                    w = store.weight[q]
                    if integer[q] > 0:
                        w = kind(to_word(w * steps[q], integer[q], dither, q) / steps[q])
                    board.weight[board.slices[to].weight + store.weight_at[at + x]] = w * store.scale[q]


@inlined
def to_word(value: float, largest: int, dither: Floats, q: int) -> float:
    """Return a number as a synapse word holds it."""
    rounded = math.floor(value + dither[q]) if len(dither) > 0 else np.rint(value)
    return min(max(rounded, -float(largest)), float(largest))  # type: ignore[no-any-return]


@kernel
def update(begin: int, end: int, store: Store, step: Step) -> None:
    """Take a step of the optimizer for the weights ``begin`` to ``end - 1``.

    Notes
    -----
    Kingma and Ba (2015), Adam, algorithm 1; Loshchilov and Hutter (2019), Decoupled weight decay
    regularization, algorithm 2.
    """
    for q in range(begin, end):
        slope = store.gradient[q] * store.scale[q]
        if step.adam:
            store.moment_1[q] = step.beta_1 * store.moment_1[q] + step.rest_1 * slope
            store.moment_2[q] = step.beta_2 * store.moment_2[q] + step.rest_2 * (slope * slope)
            size = np.sqrt(store.moment_2[q] * step.second) + step.epsilon
            change = (store.moment_1[q] * step.first) / size + step.decay * store.weight[q]
        else:
            store.moment_1[q] = step.beta_1 * store.moment_1[q] + slope
            change = store.moment_1[q]
        moved = store.weight[q] - step.rate * change
        store.weight[q] = min(max(moved, store.low[q]), store.high[q])
