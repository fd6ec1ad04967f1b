"""Random changes of training samples, drawn in every epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netdesc.description.model import Choice
from netdesc.events import Events, Floats, Integers
from netdesc.streams import stream

KINDS = ("channel_shift", "time_jitter")
"""Names of the changes that can be made."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The changes of every training sample.

    Parameters
    ----------
    changes : tuple of Choice
        In order. ``channel_shift`` with ``max``: all spikes of a sample move by one number of channels,
        uniform from ``-max`` to ``max``; those that leave the range of channels are gone.
        ``time_jitter`` with ``sigma`` in ms: every spike moves by a normal time, reflected at both ends
        of the sample.
    seed : int
        Root of the streams. A sample is changed the same way in an epoch, in whatever batch it comes.
    start, stop : int
        Range of the sources, ``stop`` excluded.
    duration : float
        Length of a sample in ms.
    """

    changes: tuple[Choice, ...]
    seed: int
    start: int
    stop: int
    duration: float

    def apply(self, events: Events, which: Integers, epoch: int) -> Events:
        """Change some samples.

        Parameters
        ----------
        events : Events
        which : ndarray of int64, shape (n,)
            Number of each sample of the batch within its split.
        epoch : int
            Counted from 0.
        """
        for index, change in enumerate(self.changes):
            path = f"data.augmentation.{index}.{epoch}"
            if change.kind == "channel_shift":
                events = self._shift(events, which, int(change.options["max"]), path)
            else:
                events = self._jitter(events, which, float(change.options["sigma"]), path)
        return events

    def _shift(self, events: Events, which: Integers, most: int, path: str) -> Events:
        # One row of draws for all samples, of which a batch takes its own: one stream, not one per sample.
        drawn = stream(self.seed, path).integers(-most, most + 1, size=int(which.max(initial=-1)) + 1)
        sources = events.sources + np.repeat(drawn[which], np.diff(events.offsets))
        kept = (sources >= self.start) & (sources < self.stop)
        return replace(events, sources=sources).keep(kept)

    def _jitter(self, events: Events, which: Integers, sigma: float, path: str) -> Events:
        counts = np.diff(events.offsets)
        moves = [
            stream(self.seed, f"{path}.{sample}").normal(0.0, sigma, count)
            for sample, count in zip(which.tolist(), counts.tolist(), strict=True)
        ]
        times = reflect(events.times + np.concatenate([np.empty(0), *moves]), self.duration)
        return events.move(times)


def reflect(times: Floats, duration: float) -> Floats:
    """Fold times back into a sample at both of its ends; times and duration are in ms."""
    folded = np.mod(times, 2.0 * duration)
    result: Floats = np.minimum(folded, 2.0 * duration - folded)
    return result
