"""What a run tells besides its spikes: packets and events counted, and what they cost."""

from __future__ import annotations

import numpy as np

from netdesc_spinnaker2.emulator_board import Emulation
from netdesc_spinnaker2.emulator_stops import sram_bytes
from netdesc_spinnaker2.packets import DELIVERED, DROPPED, LATE, SENT
from netdesc_spinnaker2.plan import SPACES
from netdesc_spinnaker2.programs import EVENTS, GRAZING, IN_FLIGHT, LONG_TICKS

FATES = {"sent": SENT, "delivered": DELIVERED, "late": LATE, "dropped": DROPPED}


def count_health(emulation: Emulation) -> dict[str, int]:
    """Return the counts of a run.

    Parameters
    ----------
    emulation : Emulation

    Returns
    -------
    dict of str to int
        ``packets_sent``, ``_delivered``, ``_late`` and ``_dropped`` of all kinds, the same for each
        kind, as in
        ``spike_packets_sent``: sent = delivered + late + dropped, a packet counted once for every
        element that
        it goes to. ``arrivals`` and ``in_flight``: synaptic events in time, and due after the end.
        ``overruns``: elements and ticks whose work took longer than a tick. ``grazing`` as in ``Gradient``.
    """
    counts = emulation.board
    packets = counts.packets.sum(axis=0)
    result = {f"packets_{fate}": int(packets[:, k].sum()) for fate, k in FATES.items()}
    for number, kind in enumerate(SPACES):
        if packets[number].any():
            result |= {f"{kind}_packets_{fate}": int(packets[number, k]) for fate, k in FATES.items()}
    events = counts.events.sum(axis=0)
    return {
        **result,
        "arrivals": int(events[EVENTS] - events[IN_FLIGHT]),
        "in_flight": int(events[IN_FLIGHT]),
        "overruns": int(events[LONG_TICKS]),
        "grazing": int(events[GRAZING]),
    }


def sum_costs(emulation: Emulation, batch: int, *, passes: int) -> dict[str, float]:
    """Return what a run took.

    Parameters
    ----------
    emulation : Emulation
    batch : int
        Samples.
    passes : int
        1 for a forward run, 2 for one forward and backward.

    Returns
    -------
    dict of str to float
        ``ticks`` on the chip, copies in parallel; ``time_ms``; ``packets_`` of each kind;
        ``peak_cycles`` of the
        busiest element in a tick; ``peak_sram_bytes`` of the fullest.
    """
    counts, plan = emulation.board, emulation.plan
    rounds = -(-batch // plan.copies)
    ticks = rounds * passes * (emulation.rules.steps + 1)
    packets = counts.packets[:, :, SENT].sum(axis=0)
    fullest = max(sram_bytes(emulation.rooms, s, emulation) for s in range(emulation.each))
    return {
        "ticks": float(ticks),
        "time_ms": ticks * emulation.options.step,
        **{f"packets_{kind}": float(packets[k]) for k, kind in enumerate(SPACES) if packets[k]},
        "peak_cycles": float(np.max(counts.busiest, initial=0)),
        "peak_sram_bytes": float(fullest),
    }
