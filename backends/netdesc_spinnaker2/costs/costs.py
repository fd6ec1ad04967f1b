"""From what processing elements did to cycles, time and energy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from netdesc.events import Floats
from netdesc.limits import Limit
from netdesc.sums import add_up
from netdesc_spinnaker2.costs import energy
from netdesc_spinnaker2.costs.energy import Energy, choose_pace, spend
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
    column : int
        Tick; -1 where there is none.
    """

    value: float
    place: str = ""
    column: int = -1


@dataclass(frozen=True, slots=True)
class Costs:
    """What a run takes.

    Parameters
    ----------
    samples : int
    ticks : float
        Ticks on the chip, one sample after the other in each copy.
    time : float
        In ms, all ticks.
    cycles : float
        Of all elements in all ticks.
    busiest : Peak
        Cycles of the busiest element in a tick.
    crowded : Peak
        Packets into an element in a tick.
    link : Peak
        Packets over a link in a tick.
    overruns : float
        Elements and ticks whose work takes longer than a tick.
    at_low, at_high : float
        Elements and ticks at each clock.
    packets : mapping of str to float
        By kind, each once for every element that it goes to.
    fates : mapping of str to float
        Packets of all kinds by what became of them; empty in an estimate.
    dram : float
        Bytes to and from the DRAM.
    sram : Peak
        Bytes of SRAM of the fullest element.
    energy : Energy
        In mJ.
    numbers : mapping of str to Limit
        What all this was computed with.
    """

    samples: int
    ticks: float
    time: float
    cycles: float
    busiest: Peak
    crowded: Peak
    link: Peak
    overruns: float
    at_low: float
    at_high: float
    packets: Mapping[str, float]
    fates: Mapping[str, float]
    dram: float
    sram: Peak
    energy: Energy
    numbers: Mapping[str, Limit]

    def flat(self) -> dict[str, float]:
        """Return all numbers by name, for ``Trace.costs``.

        Returns
        -------
        dict of str to float
            Energy in mJ, time in ms. Names with ``peak_`` are maxima, all others are sums over the samples.
        """
        result = {
            "ticks": self.ticks,
            "time_ms": self.time,
            "cycles": self.cycles,
            "overruns": self.overruns,
            "pe_ticks_low": self.at_low,
            "pe_ticks_high": self.at_high,
            "dram_bytes": self.dram,
            "peak_cycles": self.busiest.value,
            "peak_packets": self.crowded.value,
            "peak_link_packets": self.link.value,
            "peak_sram_bytes": self.sram.value,
        }
        result |= {f"packets_{kind}": count for kind, count in {**self.packets, **self.fates}.items()}
        result |= {f"energy_{part}_mJ": getattr(self.energy, part) for part in energy.PARTS}
        result["energy_mJ"] = self.energy.total
        return {name: float(value) for name, value in result.items()}

    def places(self) -> dict[str, str]:
        """Return where the peaks are, by the names of ``flat``."""
        peaks = {
            "peak_cycles": self.busiest,
            "peak_packets": self.crowded,
            "peak_link_packets": self.link,
            "peak_sram_bytes": self.sram,
        }
        return {name: peak.place for name, peak in peaks.items() if peak.place}


def count_cycles(work: Work, options: Options) -> Floats:
    """Return the cycles of every element in a tick, shape (slices, columns)."""
    profile = options.profile
    return np.asarray(
        work.events * profile.synapse_cycles.value
        + work.updates * profile.neuron_cycles.value
        + (work.received + work.sent) * profile.packet_cycles.value
        + work.steps * profile.update_cycles.value
    )


def charge(work: Work, plan: Plan, options: Options, *, sram: Peak | None = None) -> Costs:
    """Find out what a run takes.

    Parameters
    ----------
    work : Work
        Expected or counted.
    plan : Plan
    options : Options
    sram : Peak or None
        Bytes of SRAM of the fullest element; None for those that the plan foresees.
    """
    cycles = count_cycles(work, options)
    pace = choose_pace(cycles, options)
    span = add_up(work.ticks)
    chips, packets = len({site.chip for site in plan.sites}), sum(work.packets.values())
    high = add_up(pace.high * work.ticks)
    return Costs(
        samples=work.samples,
        ticks=span,
        time=span * pace.tick,
        cycles=add_up(cycles * work.ticks),
        busiest=find_peak(cycles, plan),
        crowded=find_peak(work.received, plan),
        link=_busiest_link(work),
        overruns=add_up(pace.overrun * work.ticks),
        at_low=len(plan.slices) * span - high,
        at_high=high,
        packets=work.packets,
        fates={},
        dram=work.dram,
        sram=fullest(plan, plan.bytes) if sram is None else sram,
        energy=spend(pace, work.ticks, options, chips=chips, packets=packets, dram=work.dram),
        numbers=numbers_of(options),
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
    site = plan.sites[row]
    place = f"{plan.slices[row]} at chip {site.x},{site.y} PE {site.pe}"
    return Peak(float(values[row, column]), place, column)


def fullest(plan: Plan, size: Callable[[int], int]) -> Peak:
    """Return the most bytes of SRAM of a slice, whose number ``size`` takes, and where that is."""
    return find_peak(np.array([[size(item.index)] for item in plan.slices], dtype=np.float64), plan)


def _busiest_link(work: Work) -> Peak:
    best = Peak(0.0)
    for ((x, y), number), load in work.links.items():
        column = int(load.argmax())
        if load[column] > best.value:
            best = Peak(float(load[column]), f"link {number} of chip {x},{y}", column)
    return best
