"""Spikes of a trace, put back on the board and sent again, so that each element has what it received.

No neuron is computed: the spikes and their residuals are those of the trace. Packets take the way that they
took, with the same FIFOs and the same budget of cycles, and so the same ones are late or lost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.views import unowned
from netdesc.events import Integers
from netdesc.ticks.records import OFF_GRID, PUBLISHED
from netdesc_spinnaker2.board.memory import GAP, INPUT, LAYER, Board, Rules
from netdesc_spinnaker2.board.packets import discard
from netdesc_spinnaker2.board.views import Memory, sent_spikes
from netdesc_spinnaker2.programs.layer import FULL_STORE, send_spikes, take_in


class Records(NamedTuple):
    """Spikes of a trace, in order of time within a sample and slice.

    Parameters
    ----------
    first : ndarray of int64, shape (samples * slices of a copy + 1,)
    tick, neuron : ndarray of int64
        Neuron within the slice.
    fraction, current, release, slope : ndarray of float32
        See ``netdesc.ticks.records.Spikes``; ``slope`` is read in the scheme ``published`` alone.
    """

    first: Integers
    tick: Integers
    neuron: Integers
    fraction: NDArray[Any]
    current: NDArray[Any]
    release: NDArray[Any]
    slope: NDArray[Any]


@inlined
def load_records(s: int, sample: int, records: Records, board: Board, rules: Rules) -> int:
    """Put the spikes of a sample into the store of a slice; 0, or that they do not fit."""
    entry = board.slices[s]
    sent, place = sent_spikes(s, board), sample * rules.each + entry.number
    begin, count = records.first[place], records.first[place + 1] - records.first[place]
    board.progress[s].sent, board.progress[s].received, board.progress[s].cursor = 0, 0, 0
    if count > len(sent.tick):
        return FULL_STORE
    for k in range(count):
        x = begin + k
        sent.tick[k], sent.neuron[k] = records.tick[x], records.neuron[x]
        sent.fraction[k], sent.current[k] = records.fraction[x], records.current[x]
        sent.release[k], sent.slope[k] = records.release[x], records.slope[x]
        if rules.scheme != PUBLISHED and entry.role == LAYER:
            sent.slope[k] = sent.current[k] - board.numbers[GAP, entry.cell + sent.neuron[k]]
    board.progress[s].sent = count
    return 0


@kernel
def replay_round(
    span: tuple[int, int], samples: Integers, records: Records, held: Memory, status: Integers
) -> int:
    """Send the spikes of one sample on every copy again.

    Parameters
    ----------
    span : tuple of int
        First slice, and one past the last.
    samples : ndarray of int64, shape (copies,)
        Sample of each copy, -1 for none.
    records : Records
    held : Memory
    status : ndarray of int64, shape (3,)
        Result: slice, sample and tick at which the run stopped.

    Returns
    -------
    int
        0, or why it stopped.
    """
    memory = unowned(held)
    board, rules, boxes = memory.board, memory.rules, memory.boxes
    last = rules.steps + (0 if rules.scheme == OFF_GRID else 1)
    for s in range(span[0], span[1]):
        entry = board.slices[s]
        sample = samples[entry.copy]
        boxes.count[0, s] = 0
        boxes.count[1, s] = 0
        if sample < 0 or (entry.role != INPUT and entry.role != LAYER):
            continue
        code = load_records(s, sample, records, board, rules)
        if code:
            status[0], status[1], status[2] = s, sample, 0
            return code
    for m in range(last + 1):
        for s in range(span[0], span[1]):
            entry = board.slices[s]
            role = entry.role
            if samples[entry.copy] < 0:
                continue
            code = 0
            if role == LAYER:
                code = take_in(m, s, m == last, board, rules, boxes)
            else:
                discard(m & 1, s, boxes, board.packets)
            if code == 0 and m < last and role in (INPUT, LAYER):
                code = send_spikes(m, s, board, memory.ports, boxes)
            if code:
                status[0], status[1], status[2] = s, samples[entry.copy], m
                return code
    return 0
