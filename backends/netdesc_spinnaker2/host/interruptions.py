"""Why a run stopped: more room where the machine has it, an error where it has not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Integers
from netdesc.limits import against
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.board.slices import Rooms
from netdesc_spinnaker2.programs.layer import (
    FULL_BOX,
    FULL_RECEIVED,
    FULL_STORE,
    FULL_WORKSPACE,
    OVERRUN,
    TOO_MANY,
)

STORES = ("sent", "received")
"""Stores of spikes, by their names in ``Rooms``."""

NEARLY = 0.75
"""Share of its room from which a store that forgets what has arrived is enlarged along with a full one."""


def relieve(code: int, status: Integers, emulation: Emulation) -> Rooms:
    """Return larger stores or boxes for a run that stopped.

    Parameters
    ----------
    code : int
        Why, see ``programs``.
    status : ndarray of int64, shape (3,)
        Slice, sample and tick.
    emulation : Emulation

    Raises
    ------
    NumericsError
        If the machine has no more room, or a tick took too long, with code, path, need and limit.
    """
    s = int(status[0])
    rooms = emulation.rooms
    if code == FULL_WORKSPACE:
        return replace(rooms, arrivals=2 * rooms.arrivals)
    if code == FULL_BOX:
        return larger_boxes(status, emulation)
    if code in (FULL_STORE, FULL_RECEIVED):
        full = "sent" if code == FULL_STORE else "received"
        larger: dict[str, Any] = {name: larger_stores(name, full, status, emulation) for name in STORES}
        return within_sram(replace(rooms, **larger), full, status, emulation)
    if code == OVERRUN:
        busiest = int(emulation.board.busiest[s].max())
        what = (
            f"{busiest} cycles in a tick of {emulation.rules.budget}; use smaller slices, a longer tick, or "
            "overrun: late or ignore"
        )
        raise stopped(status, emulation, what, "S2-TICK")
    if code == TOO_MANY:
        what = "a neuron spikes more than 1024 times in a tick; lower the weights or add a refractory period"
        raise stopped(status, emulation, what, "S2-MODEL")
    raise NumericsError(f"the emulator stopped with the unknown code {code}")


def larger_stores(name: str, full: str, status: Integers, emulation: Emulation) -> Integers:
    """Return larger stores where one is full or, as it fills, will be before the sample is over.

    Parameters
    ----------
    name : str
        ``sent`` or ``received``.
    full : str
        The same; which of the two is full in the slice that stopped.
    status, emulation

    Returns
    -------
    ndarray of int64, shape (slices,)
        Twice as large or, where that is not enough, up to four times.
    """
    rules, each = emulation.rules, emulation.each
    values, held = np.array(getattr(emulation.rooms, name)), emulation.board.progress[name]
    forgets = name == "received" and (rules.sliding or not rules.keep)
    if forgets and name != full:
        return values
    share = NEARLY if forgets else min(1.0, max(1, int(status[2])) / rules.steps)
    wanted = np.ceil(held / share).astype(np.int64)
    if name == full:
        wanted[int(status[0])] += values[int(status[0])] + 1
    copies = wanted[: emulation.plan.copies * each].reshape(-1, each)
    copies[:] = copies.max(axis=0)
    return np.where(wanted > values, np.clip(wanted, 2 * values + 8, 4 * values + 16), values)


def larger_boxes(status: Integers, emulation: Emulation) -> Rooms:
    """Return larger boxes where one is full, up to the depth of a FIFO unless overruns are ignored.

    Raises
    ------
    NumericsError
        If all that are full are as deep as a FIFO.
    """
    boxes, rooms = emulation.boxes, emulation.rooms
    full = np.flatnonzero(np.any(boxes.count >= rooms.box, axis=0) & (rooms.box > 0))
    depth = emulation.options.profile.fifo_depth
    box = np.array(rooms.box)
    if emulation.options.overrun == "ignore":
        box[full] = 2 * box[full] + 16
        return replace(rooms, box=box)
    small = full[rooms.box[full] < depth.value]
    if not len(small):
        worst = int(full[0])
        what = (
            f"packets in a tick: {against(int(rooms.box[worst]) + 1, depth)}; use fewer sources, "
            "a shorter tick, or overrun: late or ignore"
        )
        place = np.array([worst, status[1], status[2]])
        raise stopped(place, emulation, what, "S2-FIFO")
    box[small] = np.minimum(2 * box[small] + 16, int(depth.value))
    return replace(rooms, box=box)


def sram_bytes(rooms: Rooms, s: int, emulation: Emulation) -> int:
    """Return the bytes of SRAM of a slice with stores of a size."""
    memory = emulation.plan.memory[s]
    inside = emulation.options.scheme == "off_grid"
    fixed = sum(
        size for name, size in memory.items() if name not in ("own_spikes", "received_spikes", "stimulus")
    )
    per_own = (8 if inside else 4) if emulation.plan.slices[s].role == "input" else (12 if inside else 8)
    kept = emulation.rules.keep and emulation.plan.slices[s].role == "layer"
    return fixed + per_own * int(rooms.sent[s]) + (8 if inside else 4) * int(rooms.received[s]) * kept


def within_sram(rooms: Rooms, name: str, status: Integers, emulation: Emulation) -> Rooms:
    """Return stores cut to what the SRAM holds.

    Parameters
    ----------
    rooms : Rooms
        Larger than those there are.
    name : str
        ``sent`` or ``received``; which of the two is full in the slice that stopped.
    status, emulation

    Raises
    ------
    NumericsError
        If the one that is full cannot be larger than it is.
    """
    now, limit = emulation.rooms, emulation.options.profile.data_sram
    grown: dict[str, Any] = {store: np.array(getattr(rooms, store)) for store in STORES}
    old = {store: getattr(now, store) for store in STORES}
    full = int(status[0])
    for s in np.flatnonzero((rooms.sent > now.sent) | (rooms.received > now.received)).tolist():
        need, before = sram_bytes(rooms, s, emulation), sram_bytes(now, s, emulation)
        if need > limit.value:
            share = max(0.0, (limit.value - before) / (need - before))
            for store, values in grown.items():
                values[s] = old[store][s] + int((values[s] - old[store][s]) * share)
    if grown[name][full] == old[name][full]:
        # the other store may have had what is left
        for store, values in grown.items():
            values[full] = old[store][full] + (store == name)
        need = sram_bytes(replace(now, **grown), full, emulation)
        if need > limit.value:
            what = f"its spikes {against(need, limit)}; lower the rates, or use smaller slices or a shorter "
            raise stopped(status, emulation, f"{what}sample", "S2-SRAM")
    return replace(rooms, **grown)


def stopped(status: Integers, emulation: Emulation, what: str, code: str) -> NumericsError:
    """Return the error of a run that cannot go on."""
    s, sample, tick = (int(value) for value in status)
    item, site = emulation.plan.slices[s], emulation.plan.sites[s]
    message = f"{item} on {site}, sample {sample}, tick {tick}: {what}"
    return NumericsError(Diagnostic(message, f"populations.{item.population}", code))
