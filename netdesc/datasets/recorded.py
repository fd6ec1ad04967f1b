"""Recorded spikes with labels or targets, before they are given to a program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.datasets.classes import Labels
from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.goals import Traces
from netdesc.units import UNITS_OF_TIME

SOON = 1e-3
"""Where all spikes come within this fraction of a sample, the unit is probably wrong."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The samples of one file.

    Parameters
    ----------
    events : Events
        Times in ms, channels counted from 0.
    labels : ndarray of texts or int64, shape (samples,), or None
    times : ndarray of float64, shape (samples, outputs, k), or None
        Target times in ms, NaN where there is none.
    traces : Traces or None
        Target voltages.
    """

    events: Events
    labels: Labels | None = None
    times: Floats | None = None
    traces: Traces | None = None

    def __len__(self) -> int:
        return self.events.batch

    def take(self, which: Integers) -> Recorded:
        """Return some of the samples.

        Parameters
        ----------
        which : ndarray of int64, shape (n,)
        """
        labels, times = (None if item is None else item[which] for item in (self.labels, self.times))
        traces = None if self.traces is None else self.traces[which]
        return Recorded(self.events.take(which), labels, times, traces)


def require_channels(recorded: Recorded, channels: int, path: str) -> None:
    """Refuse spikes on a channel beyond the number that there are.

    Raises
    ------
    DescriptionError
        With the first sample that has one.
    """
    found = recorded.events.sources
    wrong = (found < 0) | (found >= channels)
    if wrong.any():
        index = int(wrong.argmax())
        sample, highest = int(recorded.events.samples()[index]), int(found.max())
        fix = f"set the size of the population with source: dataset to {highest + 1}"
        raise DescriptionError(
            f"expected channels 0 to {channels - 1}, got {found[index]} in sample {sample}, "
            f"all counted from 0; {fix if found[index] >= channels else 'number channels from 0'}",
            path=path,
        )


def keep_inside(
    recorded: Recorded, duration: float, *, drop: bool, unit: str, path: str
) -> tuple[Recorded, int]:
    """Return samples without the spikes before 0 and after the end, and how many these are.

    Parameters
    ----------
    recorded : Recorded
    duration : float
        Length of a sample in ms.
    drop : bool
        Whether there may be any.
    unit : str
        In which the file is thought to hold times, for the message.
    path : str
        Dotted path of the dataset, for the message.

    Returns
    -------
    recorded : Recorded
    lost : int

    Raises
    ------
    DescriptionError
        If there are some and they are not to be dropped, or all of them are outside.
    """
    events = recorded.events
    kept = (events.times >= 0.0) & (events.times <= duration)
    lost = len(kept) - int(np.count_nonzero(kept))
    if not lost:
        return recorded, 0
    if not drop or lost == len(kept):
        raise DescriptionError(
            f"{lost} of {len(kept)} spikes are outside of a sample, 0 ms to {duration:g} ms; they run "
            f"from {events.times.min():g} ms to {events.times.max():g} ms. "
            f"{suggest(events.times, duration, unit)}",
            path=path,
        )
    return Recorded(events.keep(kept), recorded.labels, recorded.times, recorded.traces), lost


def suggest(times: Floats, duration: float, unit: str) -> str:
    """Return what to do about spikes outside of a sample."""
    if times.min() >= 0.0:
        mostly = 2 * np.count_nonzero(times > duration) > len(times)
        for other, factor in UNITS_OF_TIME.items():
            late = times.max() / UNITS_OF_TIME[unit] * factor
            if mostly and factor < UNITS_OF_TIME[unit] and SOON * duration < late <= duration:
                return (
                    f"With unit: {other} all would be inside the sample; or set simulation.duration, or "
                    "outside: drop"
                )
        return f"Set simulation.duration: {np.ceil(times.max()):g} ms, or outside: drop"
    return "Shift the times of the file, or set outside: drop"


def note_early(recorded: Recorded, duration: float, unit: str) -> tuple[str, ...]:
    """Return a note where all spikes come so soon that the unit is probably wrong."""
    last = float(recorded.events.times.max(initial=0.0))
    if not len(recorded.events) or last > SOON * duration:
        return ()
    return (f"the last spike is at {last:g} ms of {duration:g} ms; check unit: {unit}",)
