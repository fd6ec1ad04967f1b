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


class Verdicts(NamedTuple):
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


class Told(NamedTuple):
    """Derivatives that the host hands to the loss programs; by time within a sample and slice.

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
def hear(m: int, s: int, board: Board, boxes: Boxes, verdicts: Verdicts) -> None:
    """Store the first spikes among those that arrive at a loss."""
    sheet = board.sheet[s]
    into = m & 1
    count = sort_box(into, s, boxes)
    boxes.count[into, s] = 0
    a, at = sheet.state, boxes.start[s]
    k0, k1 = sheet.known, sheet.known_end
    for x in range(at, at + count):
        row = find_row(boxes.packet[into, x].key & KEY, board.known, k0, k1)
        if row < 0:
            board.packets[s, SPIKE, DELIVERED] -= 1
            board.packets[s, SPIKE, DROPPED] += 1
        elif verdicts.tick[a + row] == SILENT:
            verdicts.tick[a + row] = m - 1
            verdicts.fraction[a + row] = boxes.packet[into, x].fraction


@inlined
def judge(s: int, board: Board, verdicts: Verdicts, terms: Terms) -> None:
    """Compute the cross entropy of the first spikes of a sample and its derivatives.

    A sample whose label's own neuron is silent counts as if all neurons spiked at its end, without slopes;
    its last voltage is to rise, and the value lacks ``- pull u / gap``, which the layer knows.

    Parameters
    ----------
    s : int
        Slice.
    board : Board
    verdicts : Verdicts
    terms : Terms
    """
    n, a = board.sheet[s].size, board.sheet[s].state
    tick, fraction, slope = verdicts.tick[a : a + n], verdicts.fraction[a : a + n], verdicts.slope[a : a + n]
    label = verdicts.label[s]
    kind = slope.dtype.type
    slope[:] = 0
    one = kind(1)
    if tick[label] == SILENT:
        late = kind(math.exp(terms.duration / terms.tau_1))
        verdicts.value[s] = kind(math.log(kind(n))) + terms.alpha * (late - one) + terms.pull
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
    own = (kind(tick[label]) + fraction[label]) * terms.timestep
    late = kind(math.exp(own / terms.tau_1))
    slope[label] += (one / terms.tau_0 + (terms.alpha / terms.tau_1) * late) * terms.scale
    verdicts.value[s] = (own - earliest) / terms.tau_0 + kind(math.log(total)) + terms.alpha * (late - one)


@kernel
def judge_all(losses: Integers, samples: Integers, board: Board, verdicts: Verdicts, terms: Terms) -> None:
    """Run ``judge`` on every loss whose copy has run a sample.

    Parameters
    ----------
    losses : ndarray of int64
        Slices.
    samples : ndarray of int64, shape (copies,)
    board, verdicts, terms
    """
    for s in losses:
        if samples[board.sheet[s].copy] >= 0:
            judge(s, board, verdicts, terms)


@inlined
def send_verdict(
    m: int, top: bool, s: int, board: Board, ports: Ports, boxes: Boxes, verdicts: Verdicts
) -> int:
    """Send dL/dt of the first spikes of the tick before; -1 where a box is full, otherwise how many.

    In the ``top`` tick, the first one backward, what raises the last voltage of a silent neuron leaves, too.
    """
    sheet = board.sheet[s]
    a = sheet.state
    sent = 0
    for k in range(sheet.size):
        silent = verdicts.tick[a + k] == SILENT
        if (top if silent else verdicts.tick[a + k] == m - 1) and verdicts.slope[a + k] != 0:
            at, payload = sheet.loss_port + k, verdicts.slope[a + k]
            fraction = verdicts.fraction.dtype.type(AT_END) if silent else verdicts.fraction[a + k]
            if send(at, payload, fraction, 1 - (m & 1), (s, LOSS), ports, boxes, board.packets) != ROOM:
                return -1
            sent += 1
    return sent


@inlined
def send_told(m: int, s: int, place: int, board: Board, ports: Ports, boxes: Boxes, told: Told) -> int:
    """Send derivatives from the host for the spikes of the tick before; as ``send_verdict``.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    place : int
        Sample and loss, as ``Told.first`` counts them.
    board, ports, boxes, told
    """
    sheet = board.sheet[s]
    sent = 0
    while board.progress[s].cursor > told.first[place] and told.tick[board.progress[s].cursor - 1] >= m - 1:
        e = board.progress[s].cursor - 1
        if told.tick[e] == m - 1:
            at, payload, fraction = sheet.loss_port + told.neuron[e], told.value[e], told.fraction[e]
            if send(at, payload, fraction, 1 - (m & 1), (s, LOSS), ports, boxes, board.packets) != ROOM:
                return -1
            sent += 1
        board.progress[s].cursor = e
    return sent
