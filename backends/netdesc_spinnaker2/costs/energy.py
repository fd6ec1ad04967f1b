"""The clock of every processing element, tick by tick, and the energy of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats
from netdesc.sums import add_up
from netdesc_spinnaker2.options import Options

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
class Pace:
    """How long processing elements are busy, and at which clock.

    Parameters
    ----------
    high : ndarray of bool, shape (pes, columns)
        Whether the high clock is on.
    busy : ndarray of float64, shape (pes, columns)
        Busy time in a tick, ms; longer than a tick where the element overruns.
    tick : float
        Length of a tick in ms.
    """

    high: NDArray[np.bool_]
    busy: Floats
    tick: float

    @property
    def overrun(self) -> NDArray[np.bool_]:
        """Whether the work of a tick takes longer than a tick, shape (pes, columns)."""
        # Counts are whole, so that work of exactly one tick must not overrun by a rounding error.
        return np.asarray(self.busy > self.tick * (1.0 + 1e-12))


def choose_pace(cycles: Floats, options: Options) -> Pace:
    """Choose the clock of every processing element in every tick.

    Parameters
    ----------
    cycles : ndarray of float64, shape (pes, columns)
        Work of a tick.
    options : Options
        ``clock`` is ``high``, ``low`` or ``auto``: high only where the work exceeds ``clock_threshold`` of
        what the low clock does in a tick. An element knows its work when a tick begins, for the packets of
        the tick before wait in its FIFO.
    """
    profile, tick = options.profile, options.step
    low = profile.clock_low.value * tick * 1e-3
    high = {"high": np.ones(cycles.shape, dtype=np.bool_), "low": np.zeros(cycles.shape, dtype=np.bool_)}.get(
        options.clock, np.asarray(cycles > profile.clock_threshold.value * low)
    )
    rate = np.where(high, profile.clock_high.value, profile.clock_low.value)
    return Pace(high, cycles / rate * 1e3, tick)


def spend(
    pace: Pace, ticks: Floats, options: Options, *, chips: int, packets: float, dram: float
) -> dict[str, float]:
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

    Returns
    -------
    dict of str to float
        In mJ. ``baseline``: of the chips that are used, for as long as the run lasts. ``sleeping``: what the
        elements in use take even when they do nothing; unused elements are off. ``busy_low``, ``busy_high``:
        what busy elements add to that, by clock. ``packets``: of every packet, once for every element that it
        goes to. ``dram``: of bytes to and from the DRAM.
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
    return {
        "baseline": chips * span * profile.chip_power.value,
        "sleeping": sleeping,
        "busy_low": at_low * profile.busy_power_low.value,
        "busy_high": at_high * profile.busy_power_high.value,
        "packets": packets * profile.packet_energy.value * 1e-6,
        "dram": dram * profile.dram_energy.value * 1e-6,
    }
