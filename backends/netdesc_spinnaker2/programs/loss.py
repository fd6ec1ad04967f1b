"""The loss program, in single precision."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.events import Integers
from netdesc_spinnaker2.board.memory import Board
from netdesc_spinnaker2.board.packets import (
    AT_END,
    DELIVERED,
    DROPPED,
    KEY,
    LOSS,
    ROOM,
    SPIKE,
    Boxes,
    Ports,
    find_row,
    send,
    sort_box,
)

SILENT = -1


class LossState(NamedTuple):
    """Memory of the loss programs.

    Parameters
    ----------
    tick : ndarray of int64, shape (neurons,)
        First spike of every neuron, ``SILENT`` where there is none.
    fraction, slope : ndarray of float32, shape (neurons,)
        Part of the tick; dL/dt in 1/ms.
    value : ndarray of float32, shape (slices,)
        Loss of the sample.
    label : ndarray of int64, shape (slices,)
    """

    tick: Integers
    fraction: NDArray[Any]
    slope: NDArray[Any]
    value: NDArray[Any]
    label: Integers


class Forces(NamedTuple):
    """Forces that the host hands to the loss programs; by time within a sample and slice.

    Parameters
    ----------
    first : ndarray of int64, shape (samples * losses + 1,)
    tick, neuron : ndarray of int64
    fraction, value : ndarray of float32
    """

    first: Integers
    tick: Integers
    neuron: Integers
    fraction: NDArray[Any]
    value: NDArray[Any]


class Terms(NamedTuple):
    """Constants of the loss.

    Parameters
    ----------
    tau_0, tau_1, alpha, duration, timestep : float32
        Times in ms.
    pull : float32
        Strength of what raises the last voltage of a label's neuron that is silent.
    scale : float32
        Weight of the loss over the size of the batch.
    """

    tau_0: Any
    tau_1: Any
    alpha: Any
    duration: Any
    timestep: Any
    pull: Any
    scale: Any


@inlined
def store_first_spikes(m: int, s: int, board: Board, boxes: Boxes, losses: LossState) -> None:
    """Store the first spikes among those that arrive at a loss."""
    entry = board.slices[s]
    into = m & 1
    count = sort_box(into, s, boxes)
    boxes.count[into, s] = 0
    a, at = entry.state, boxes.start[s]
    k0, k1 = entry.known, entry.known_end
    for x in range(at, at + count):
        row = find_row(boxes.packet[into, x].key & KEY, board.known, k0, k1)
        if row < 0:
            board.packets[s, SPIKE, DELIVERED] -= 1
            board.packets[s, SPIKE, DROPPED] += 1
        elif losses.tick[a + row] == SILENT:
            losses.tick[a + row] = m - 1
            losses.fraction[a + row] = boxes.packet[into, x].fraction


@inlined
def compute_loss(s: int, board: Board, losses: LossState, terms: Terms) -> None:
    """Compute the cross entropy of the first spikes of a sample and its forces.

    A sample whose label's neuron is silent counts as if all neurons spiked at its end, without slopes;
    its last voltage is to rise, and the value lacks ``- pull u / gap``, which the layer knows.

    Parameters
    ----------
    s : int
        Slice.
    board : Board
    losses : LossState
    terms : Terms
    """
    n, a = board.slices[s].size, board.slices[s].state
    tick, fraction, slope = losses.tick[a : a + n], losses.fraction[a : a + n], losses.slope[a : a + n]
    label = losses.label[s]
    kind = slope.dtype.type
    slope[:] = 0
    one = kind(1)
    if tick[label] == SILENT:
        late = kind(math.exp(terms.duration / terms.tau_1))
        losses.value[s] = kind(math.log(kind(n))) + terms.alpha * (late - one) + terms.pull
        slope[label] = terms.pull * terms.scale
        return
    earliest = terms.duration
    for k in range(n):
        if tick[k] != SILENT:
            earliest = min(earliest, (kind(tick[k]) + fraction[k]) * terms.timestep)
    total = kind(0)
    for k in range(n):
        if tick[k] != SILENT:
            time = (kind(tick[k]) + fraction[k]) * terms.timestep
            slope[k] = kind(math.exp((earliest - time) / terms.tau_0))
            total += slope[k]
    for k in range(n):
        slope[k] = -(slope[k] / (terms.tau_0 * total)) * terms.scale
    target = (kind(tick[label]) + fraction[label]) * terms.timestep
    late = kind(math.exp(target / terms.tau_1))
    slope[label] += (one / terms.tau_0 + (terms.alpha / terms.tau_1) * late) * terms.scale
    losses.value[s] = (target - earliest) / terms.tau_0 + kind(math.log(total)) + terms.alpha * (late - one)


@kernel
def compute_losses(
    numbers: Integers, samples: Integers, board: Board, losses: LossState, terms: Terms
) -> None:
    """Run ``compute_loss`` on every loss whose copy has run a sample.

    Parameters
    ----------
    numbers : ndarray of int64
        Slices.
    samples : ndarray of int64, shape (copies,)
    board, losses, terms
    """
    for s in numbers:
        if samples[board.slices[s].copy] >= 0:
            compute_loss(s, board, losses, terms)


@inlined
def send_loss(m: int, top: bool, s: int, board: Board, ports: Ports, boxes: Boxes, losses: LossState) -> int:
    """Send dL/dt of the first spikes of the tick before; -1 where a box is full, otherwise how many.

    In the ``top`` tick, the first one backward, what raises the last voltage of a silent neuron leaves, too.
    """
    entry = board.slices[s]
    a = entry.state
    sent = 0
    for k in range(entry.size):
        silent = losses.tick[a + k] == SILENT
        if (top if silent else losses.tick[a + k] == m - 1) and losses.slope[a + k] != 0:
            at, payload = entry.loss_port + k, losses.slope[a + k]
            fraction = losses.fraction.dtype.type(AT_END) if silent else losses.fraction[a + k]
            if send(at, payload, fraction, 1 - (m & 1), (s, LOSS), ports, boxes, board.packets) != ROOM:
                return -1
            sent += 1
    return sent


@inlined
def send_forces(m: int, s: int, place: int, board: Board, ports: Ports, boxes: Boxes, forces: Forces) -> int:
    """Send derivatives from the host for the spikes of the tick before; as ``send_loss``.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    place : int
        Sample and loss, as ``Forces.first`` counts them.
    board, ports, boxes, forces
    """
    entry = board.slices[s]
    sent = 0
    while (
        board.progress[s].cursor > forces.first[place] and forces.tick[board.progress[s].cursor - 1] >= m - 1
    ):
        e = board.progress[s].cursor - 1
        if forces.tick[e] == m - 1:
            at, payload, fraction = entry.loss_port + forces.neuron[e], forces.value[e], forces.fraction[e]
            if send(at, payload, fraction, 1 - (m & 1), (s, LOSS), ports, boxes, board.packets) != ROOM:
                return -1
            sent += 1
        board.progress[s].cursor = e
    return sent
