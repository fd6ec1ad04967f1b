"""Why a run stopped: more room where the machine has it, an error where it has not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Integers
from netdesc_spinnaker2.checks import against
from netdesc_spinnaker2.emulator_board import Emulation
from netdesc_spinnaker2.emulator_sheet import Rooms
from netdesc_spinnaker2.programs import BURST, FULL_BOX, FULL_DESK, FULL_RECEIVED, FULL_STORE, OVERRUN


def relieve(code: int, status: Integers, emulation: Emulation) -> Rooms:
    """Return larger stores or boxes for a run that stopped.

    Parameters
    ----------
    code : int
        Why, see ``programs``.
    status : ndarray of int64, shape (3,)
        Slice, sample and tick.
    emulation : Emulation

    Returns
    -------
    Rooms

    Raises
    ------
    NumericsError
        If the machine has no more room, or a tick took too long, with code, path, need and limit.
    """
    s = int(status[0])
    rooms = emulation.rooms
    if code == FULL_DESK:
        return replace(rooms, arrivals=2 * rooms.arrivals)
    if code == FULL_BOX:
        return larger_boxes(status, emulation)
    if code in (FULL_STORE, FULL_RECEIVED):
        name = "own" if code == FULL_STORE else "received"
        same = siblings(s, emulation)
        values = np.array(getattr(rooms, name))
        values[same] = 2 * values[same] + 8
        larger = replace(rooms, own=values) if name == "own" else replace(rooms, received=values)
        return within_sram(larger, status, emulation)
    if code == OVERRUN:
        busiest = int(emulation.board.busiest[s].max())
        raise NumericsError(
            stop(
                status,
                emulation,
                f"{busiest} cycles in a tick of {emulation.rules.budget}; use smaller slices, a "
                "longer tick, or overrun: late or ignore",
                "S2-TICK",
            )
        )
    if code == BURST:
        raise NumericsError(
            stop(
                status,
                emulation,
                "a neuron spikes more than 1024 times in a tick; lower the "
                "weights or add a refractory period",
                "S2-MODEL",
            )
        )
    raise NumericsError(f"the emulator stopped with the unknown code {code}")


def siblings(s: int, emulation: Emulation) -> Integers:
    """Return a slice and the same one in all other copies."""
    count = emulation.plan.copies * emulation.each
    return np.arange(s % emulation.each, count, emulation.each)


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
        raise NumericsError(stop(place, emulation, what, "S2-FIFO"))
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
    return fixed + per_own * int(rooms.own[s]) + (8 if inside else 4) * int(rooms.received[s]) * kept


def within_sram(rooms: Rooms, status: Integers, emulation: Emulation) -> Rooms:
    """Return stores cut to what the SRAM holds.

    Raises
    ------
    NumericsError
        If they were as large as that before.
    """
    s, limit = int(status[0]), emulation.options.profile.data_sram
    need = sram_bytes(rooms, s, emulation)
    if need <= limit.value:
        return rooms
    now = sram_bytes(emulation.rooms, s, emulation)
    share = (limit.value - now) / (need - now)
    own = emulation.rooms.own + ((rooms.own - emulation.rooms.own) * max(share, 0.0)).astype(np.int64)
    received = emulation.rooms.received + (
        (rooms.received - emulation.rooms.received) * max(share, 0.0)
    ).astype(np.int64)
    if own[s] == emulation.rooms.own[s] and received[s] == emulation.rooms.received[s]:
        more = (rooms.own > emulation.rooms.own).astype(np.int64)
        one = replace(emulation.rooms, own=emulation.rooms.own + more,
                      received=emulation.rooms.received + (1 - more))
        need = sram_bytes(one, s, emulation)
        raise NumericsError(
            stop(
                status,
                emulation,
                f"its spikes {against(need, limit)}; lower the rates, or use smaller slices or a "
                "shorter sample",
                "S2-SRAM",
            )
        )
    return replace(rooms, own=own, received=received)


def stop(status: Integers, emulation: Emulation, what: str, code: str) -> Diagnostic:
    """Return what to say of a run that cannot go on."""
    s, sample, tick = (int(value) for value in status)
    item, site = emulation.plan.slices[s], emulation.plan.sites[s]
    return Diagnostic(
        f"{item} on chip {site.x},{site.y} PE {site.pe}, sample {sample}, tick {tick}: {what}",
        f"populations.{item.population}",
        code,
    )
