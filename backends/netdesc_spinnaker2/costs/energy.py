"""Energy of a run, part by part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.events import Floats
from netdesc.sums import add_up
from netdesc_spinnaker2.costs.clock import Pace
from netdesc_spinnaker2.options import Options

PARTS = ("baseline", "sleeping", "busy_low", "busy_high", "packets", "dram")
"""Where energy goes."""

NUMBERS = (
    "chip_power",
    "sleep_power_low",
    "sleep_power_high",
    "busy_power_low",
    "busy_power_high",
    "packet_energy",
    "dram_energy",
)
"""Numbers of the profile that it depends on."""


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy in mJ.

    Parameters
    ----------
    baseline : float
        Of the chips that are used, for as long as the run lasts.
    sleeping : float
        What the elements in use take even when they do nothing; unused elements are off.
    busy_low, busy_high : float
        What busy elements add to that, by clock.
    packets : float
        Of every packet, once for every element that it goes to.
    dram : float
        Of bytes to and from the DRAM.
    """

    baseline: float
    sleeping: float
    busy_low: float
    busy_high: float
    packets: float
    dram: float

    @property
    def total(self) -> float:
        """Sum of all parts."""
        return float(sum(getattr(self, part) for part in PARTS))


def spend(pace: Pace, ticks: Floats, options: Options, *, chips: int, packets: float, dram: float) -> Energy:
    """Add up the energy of a run.

    Parameters
    ----------
    pace : Pace
        Of the elements in use.
    ticks : ndarray of float64, shape (columns,)
        Ticks that a column stands for.
    options : Options
        With ``clock: high`` elements sleep at the high clock, otherwise at the low one.
    chips : int
        Chips in use.
    packets, dram : float
        Packets, counted once for every element that they go to; bytes moved.
    """
    profile, seconds = options.profile, ticks * 1e-3
    span = add_up(seconds) * pace.tick
    at_high = add_up(np.where(pace.high, pace.busy, 0.0) * seconds)
    at_low = add_up(np.where(pace.high, 0.0, pace.busy) * seconds)
    asleep = max(len(pace.busy) * span - at_high - at_low, 0.0)
    idle = profile.sleep_power_high if options.clock == "high" else profile.sleep_power_low
    sleeping = (
        asleep * idle.value
        + at_high * profile.sleep_power_high.value
        + at_low * profile.sleep_power_low.value
    )
    return Energy(
        baseline=chips * span * profile.chip_power.value,
        sleeping=sleeping,
        busy_low=at_low * profile.busy_power_low.value,
        busy_high=at_high * profile.busy_power_high.value,
        packets=packets * profile.packet_energy.value * 1e-6,
        dram=dram * profile.dram_energy.value * 1e-6,
    )
