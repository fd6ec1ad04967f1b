"""From what processing elements did to cycles, time and energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from netdesc.events import Floats
from netdesc.limits import Limit
from netdesc.sums import add_up
from netdesc_spinnaker2.costs import energy
from netdesc_spinnaker2.costs.energy import choose_pace, spend
from netdesc_spinnaker2.mapping.plan import Chip, Plan
from netdesc_spinnaker2.options import Options

NUMBERS = (
    "synapse_cycles",
    "neuron_cycles",
    "packet_cycles",
    "update_cycles",
    "clock_low",
    "clock_high",
    "clock_threshold",
    *energy.NUMBERS,
)
"""Numbers of the profile that costs depend on."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the processing elements of a plan do, column by column.

    A column is a tick, or several ticks with the same work in each. Rows are the slices of the plan.

    Parameters
    ----------
    events, updates, received, sent, steps : ndarray of float64, shape (slices, columns)
        In one tick: synaptic events, neuron updates, packets taken in, packets sent, optimizer steps of one
        weight.
    ticks : ndarray of float64, shape (columns,)
        Ticks that a column stands for.
    samples : int
        Samples that were run in all these ticks, those in parallel copies included.
    packets : mapping of str to float
        Packets in the whole run by kind, each once for every element that it goes to.
    links : mapping of ((x, y), int) to ndarray of float64, shape (columns,)
        Packets over a link in one tick: chip that they leave, number of the link.
    dram : float
        Bytes to and from the DRAM in the whole run.
    """

    events: Floats
    updates: Floats
    received: Floats
    sent: Floats
    steps: Floats
    ticks: Floats
    samples: int
    packets: Mapping[str, float] = field(default_factory=dict)
    links: Mapping[tuple[Chip, int], Floats] = field(default_factory=dict)
    dram: float = 0.0


@dataclass(frozen=True, slots=True)
class Peak:
    """The most that one place has to do in a tick.

    Parameters
    ----------
    value : float
    place : str
        Slice and processing element, or link; empty where there is none.
    """

    value: float
    place: str = ""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a run takes.

    Parameters
    ----------
    values : mapping of str to float
        By the names of ``Trace.costs``: energy in mJ, time in ms. Names with ``peak_`` are maxima, all others
        sums over the samples. ``ticks`` are those on the chip, one sample after the other in each copy;
        ``packets_KIND`` counts each packet once for every element that it goes to.
    places : mapping of str to str
        Where the peaks are, by their names.
    """

    values: Mapping[str, float]
    places: Mapping[str, str]


def count_cycles(work: Work, options: Options) -> Floats:
    """Return the cycles of every element in a tick, shape (slices, columns)."""
    profile = options.profile
    return np.asarray(
        work.events * profile.synapse_cycles.value
        + work.updates * profile.neuron_cycles.value
        + (work.received + work.sent) * profile.packet_cycles.value
        + work.steps * profile.update_cycles.value
    )


def charge(
    work: Work,
    plan: Plan,
    options: Options,
    *,
    sram: Peak | None = None,
    busiest: Peak | None = None,
    overruns: float | None = None,
    fates: Mapping[str, float] | None = None,
) -> Costs:
    """Find out what a run takes.

    Parameters
    ----------
    work : Work
        Expected or counted.
    plan : Plan
    options : Options
    sram, busiest : Peak or None
        Bytes of SRAM of the fullest element, and cycles of the busiest in a tick if more than those in the
        work; None for what plan and work have.
    overruns : float or None
        Elements and ticks whose work takes longer than a tick; None for those in the work.
    fates : mapping of str to float, or None
        Packets of all kinds by what became of them; None before the run.
    """
    cycles = count_cycles(work, options)
    pace = choose_pace(cycles, options)
    span, high = add_up(work.ticks), add_up(pace.high * work.ticks)
    overruns = add_up(pace.overrun * work.ticks) if overruns is None else overruns
    chips, packets = len({site.chip for site in plan.sites}), sum(work.packets.values())
    spent = spend(pace, work.ticks, options, chips=chips, packets=packets, dram=work.dram)
    peaks = {
        "peak_cycles": max(find_peak(cycles, plan), busiest or Peak(0.0), key=lambda peak: peak.value),
        "peak_packets": find_peak(work.received, plan),
        "peak_link_packets": _busiest_link(work),
        "peak_sram_bytes": sram or fullest(plan, plan.bytes),
    }
    values = {
        "ticks": span,
        "time_ms": span * pace.tick,
        "cycles": add_up(cycles * work.ticks),
        "overruns": overruns,
        "pe_ticks_low": len(plan.slices) * span - high,
        "pe_ticks_high": high,
        "dram_bytes": work.dram,
        **{name: peak.value for name, peak in peaks.items()},
        **{f"packets_{kind}": count for kind, count in {**work.packets, **(fates or {})}.items()},
        **{f"energy_{part}_mJ": energy for part, energy in spent.items()},
        "energy_mJ": sum(spent.values()),
    }
    return Costs(
        {name: float(value) for name, value in values.items()},
        {name: peak.place for name, peak in peaks.items() if peak.place},
    )


def numbers_of(options: Options) -> dict[str, Limit]:
    """Return the numbers that costs depend on, by name."""
    return {name: getattr(options.profile, name) for name in NUMBERS}


def arrange(counts: Floats, copies: int) -> Floats:
    """Put counts of samples where they were made: sample s runs in copy ``s % copies``, in turn.

    Parameters
    ----------
    counts : ndarray of float64, shape (samples, slices, ticks)
        Of the slices of one copy.
    copies : int

    Returns
    -------
    ndarray of float64, shape (copies * slices, rounds * ticks)
        Copy after copy, as a plan orders its slices; 0 where a copy has no sample in the last round.
    """
    samples, slices, ticks = counts.shape
    rounds = -(-samples // copies)
    padded = np.zeros((rounds * copies, slices, ticks))
    padded[:samples] = counts
    return (
        padded.reshape(rounds, copies, slices, ticks)
        .transpose(1, 2, 0, 3)
        .reshape(copies * slices, rounds * ticks)
    )


def find_peak(values: Floats, plan: Plan) -> Peak:
    """Return the largest of values with a row for every slice, and where it is."""
    if not values.size:
        return Peak(0.0)
    row, column = divmod(int(values.argmax()), values.shape[1])
    return Peak(float(values[row, column]), f"{plan.slices[row]} at {plan.sites[row]}")


def fullest(plan: Plan, size: Callable[[int], int]) -> Peak:
    """Return the most bytes of SRAM of a slice, whose number ``size`` takes, and where that is."""
    return find_peak(np.array([[size(item.index)] for item in plan.slices], dtype=np.float64), plan)


def _busiest_link(work: Work) -> Peak:
    best = Peak(0.0)
    for ((x, y), number), load in work.links.items():
        if load.max() > best.value:
            best = Peak(float(load.max()), f"link {number} of chip {x},{y}")
    return best
