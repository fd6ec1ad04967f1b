"""From the counts of an emulated board to its health and the work of its processing elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netdesc.events import Floats
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.board.packets import DELIVERED, DROPPED, LATE, SENT
from netdesc_spinnaker2.board.slices import senders_of
from netdesc_spinnaker2.costs.costs import Costs, Peak, Work, arrange, charge, find_peak, fullest
from netdesc_spinnaker2.costs.expectation import GATHER, Prospect, run_ticks
from netdesc_spinnaker2.host.interruptions import sram_bytes
from netdesc_spinnaker2.mapping.plan import SPACES, Chip
from netdesc_spinnaker2.programs.layer import EVENTS, GRAZING, IN_FLIGHT, LONG_TICKS

FATES = {"sent": SENT, "delivered": DELIVERED, "late": LATE, "dropped": DROPPED}
"""What becomes of packets."""

Link = tuple[Chip, int]


Path = tuple[int, bool, tuple[Link, ...]]
"""Way of the packets of a slice: the slice whose spikes make them (the sender, or that whose errors it sends
back), whether they are errors, and the links."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What a board needs to know to count its work, once for every map.

    Parameters
    ----------
    prospect : Prospect
        Gradients and weights travel as foreseen, for no rate has a say in them.
    paths : tuple of Path
        Of all packets that leave their chip.
    sizes : ndarray of float64, shape (slices of a copy,)
        Neurons that a slice updates in every tick.
    sram : Peak
        Bytes of the fullest element, with the stores as they are.
    foreseen : dict of int to Work
        The expected work of learning from a batch, by its size; added to.
    """

    prospect: Prospect
    paths: tuple[Path, ...]
    sizes: Floats
    sram: Peak
    foreseen: dict[int, Work]


def measure(e: Emulation) -> Meter:
    """Return what it takes to count the work of a board."""
    for known in e.meters:
        if isinstance(known, Meter):
            return known
    sizes = [item.size * (item.role in ("layer", "loss")) for item in e.plan.slices[: e.each]]
    # All copies have the same stores.
    sram = fullest(e.plan, lambda s: sram_bytes(e.rooms, s, e) if e.plan.slices[s].copy <= 0 else 0)
    meter = Meter(
        Prospect.of(e.plan, e.options), tuple(_paths(e)), np.array(sizes, dtype=np.float64), sram, {}
    )
    e.meters.append(meter)
    return meter


def count_health(emulation: Emulation) -> dict[str, int]:
    """Return the counts of a run.

    Returns
    -------
    dict of str to int
        ``packets_sent``, ``_delivered``, ``_late`` and ``_dropped`` of all kinds, the same for each kind, as
        in ``spike_packets_sent``: sent = delivered + late + dropped, a packet counted once for every element
        that it goes to. ``arrivals`` and ``in_flight``: synaptic events in time, and due after the end.
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


def count_costs(emulation: Emulation, batch: int, *, learns: bool) -> Costs:
    """Return what a run took.

    Parameters
    ----------
    emulation : Emulation
        With the counts of the run.
    batch : int
        Samples.
    learns : bool
        Whether they were a batch to learn from, in one step.
    """
    board, plan = emulation.board, emulation.plan
    # Where there were more samples than the record of work holds, only the board knows the extremes.
    return charge(
        count_work(emulation, batch, learns=learns),
        plan,
        emulation.options,
        sram=measure(emulation).sram,
        busiest=find_peak(board.busiest.max(axis=1, keepdims=True).astype(np.float64), plan),
        overruns=float(board.events[:, LONG_TICKS].sum()),
        fates={name: float(board.packets[:, :, number].sum()) for name, number in FATES.items()},
    )


def count_work(emulation: Emulation, batch: int, *, learns: bool) -> Work:
    """Return the work of a run, tick by tick.

    Parameters
    ----------
    emulation, batch, learns
        As in ``count_costs``.

    Returns
    -------
    Work
        Columns are the ticks forward, backward where there was learning, then ``GATHER`` and ``UPDATE``.
    """
    plan, meter = emulation.plan, measure(emulation)
    runs = 1 + learns
    counts, spans = _per_sample(emulation, batch, runs, meter.sizes)
    ticks = np.repeat(spans, counts.shape[-1])
    rows = np.zeros((4, len(plan.slices), len(ticks)))
    for row, values in zip(rows, counts, strict=True):
        row[: plan.copies * emulation.each] = arrange(values, plan.copies)
    links = _links(meter, counts[2], emulation, runs)
    sent = emulation.board.packets[:, :, SENT].sum(axis=0)
    work = Work(
        events=rows[0],
        updates=rows[3],
        received=rows[1],
        sent=rows[2],
        steps=np.zeros_like(rows[0]),
        ticks=ticks,
        samples=batch,
        links=links,
        packets={space: float(sent[number]) for number, space in enumerate(SPACES) if sent[number]},
        dram=float(sum(plan.recorded)) / plan.copies * batch,
    )
    if not learns:
        return work
    if batch not in meter.foreseen:
        meter.foreseen[batch] = meter.prospect.work(batch, learns=True)
    return _with_update(work, meter.foreseen[batch])


def _per_sample(emulation: Emulation, batch: int, runs: int, sizes: Floats) -> tuple[Floats, Floats]:
    """Return what each sample made, and how often each round was run.

    Events, packets in, packets out and updates; shape (4, samples, slices, ticks). Where the record of work
    is too short for the batch, one round of mean samples stands for all.
    """
    e, work = emulation, emulation.board.work
    ticks = run_ticks(e.rules.steps, e.options)
    rounds = -(-batch // e.plan.copies)
    # a batch without samples is a board that runs no round
    spans, share = np.ones(rounds) if rounds else np.zeros(1), 1.0
    counts = work[:, :, :runs, :ticks]
    if len(work) < batch:
        places = rounds * e.plan.copies
        spans, share = np.array([float(rounds)]), batch / places
        counts = np.repeat(counts.sum(axis=0, keepdims=True) / places, e.plan.copies, axis=0)
    result = np.empty((4, len(counts), e.each, runs * ticks))
    result[:3] = np.moveaxis(counts, -1, 0).reshape(3, len(counts), e.each, runs * ticks)
    result[3] = sizes[:, None] * share
    return result, spans


def _with_update(work: Work, foreseen: Work) -> Work:
    """Return work with the columns that are the same in every run."""
    names = ("events", "updates", "received", "sent", "steps", "ticks")
    joined: dict[str, Any] = {
        name: np.concatenate((getattr(work, name), getattr(foreseen, name)[..., GATHER:]), axis=-1)
        for name in names
    }
    idle = np.zeros(len(work.ticks))
    links = {
        link: np.concatenate((work.links.get(link, idle), load[GATHER:]))
        for link, load in foreseen.links.items()
    }
    return replace(work, **joined, links=links)


def _paths(emulation: Emulation) -> Iterator[Path]:
    """Yield the paths of spikes, and of the errors that answer them."""
    table, plan = emulation.table, emulation.plan
    senders = senders_of(plan, len(plan.slices))
    for item in plan.slices:
        if table.first["spike"][item.index] >= 0:
            yield from _path(emulation, int(table.first["spike"][item.index]), item.index, backward=False)
        for kind in ("error", "loss"):
            port = int(table.first[kind][item.index])
            for sender in senders[item.index] if port >= 0 else ():
                yield from _path(emulation, port, sender, backward=True)
                port += plan.slices[sender].size


def _path(emulation: Emulation, port: int, spikes: int, *, backward: bool) -> Iterator[Path]:
    journey = int(emulation.table.ports.journey[port])
    links = emulation.table.journeys[journey].links if journey >= 0 else ()
    if links:
        yield spikes, backward, links


def _links(meter: Meter, sent: Floats, emulation: Emulation, runs: int) -> dict[Link, Floats]:
    """Return the packets over every link in each tick of each round.

    An error packet travels in the backward tick after that of the spike that it answers; a loss packet does,
    too, and there is one at most for each spike.
    """
    copies, each = emulation.plan.copies, emulation.each
    if not meter.paths:
        return {}
    table = arrange(sent, copies)
    span = sent.shape[-1] // runs
    split = table.reshape(len(table), -1, runs, span)
    found: dict[Link, Floats] = {}
    for spikes, backward, path in meter.paths:
        if spikes >= copies * each or (backward and runs == 1):
            continue
        for link in path:
            load = found.setdefault(link, np.zeros(split.shape[1:]))
            if backward:
                load[:, 1, 1:] += split[spikes, :, 0, :-1]
            else:
                load[:, 0] += split[spikes, :, 0]
    return {link: load.reshape(-1) for link, load in found.items()}
