"""What a run tells besides its spikes: packets and events counted, and what they cost."""

from __future__ import annotations

from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.costs.counting import FATES, count_costs
from netdesc_spinnaker2.mapping.plan import SPACES
from netdesc_spinnaker2.programs.layer import EVENTS, GRAZING, IN_FLIGHT, LONG_TICKS


def count_health(emulation: Emulation) -> dict[str, int]:
    """Return the counts of a run.

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
    """Return what a run took, by the names of ``Costs.flat``.

    Parameters
    ----------
    emulation : Emulation
    batch : int
        Samples.
    passes : int
        1 for a forward run, 2 for a batch that was learned from in one step.
    """
    return count_costs(emulation, batch, learns=passes == 2).flat()
