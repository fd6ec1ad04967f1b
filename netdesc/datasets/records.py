"""Samples with labels, as numbers and as spikes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netdesc.events import Events, Floats, Integers, frozen
from netdesc.goals import Goals, Traces

if TYPE_CHECKING:
    from netdesc.datasets.augmentation import Augmentation


@dataclass(frozen=True, slots=True)
class Table:
    """Samples as numbers, before they are encoded.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        Dimensionless, 0 to 1.
    labels : ndarray of int64, shape (samples,)
        Class of each sample, counted from 0.
    """

    values: Floats
    labels: Integers

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, np.float64))
        object.__setattr__(self, "labels", frozen(self.labels, np.int64))


class Prepared(NamedTuple):
    """Samples ready to be encoded.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        0 to 1.
    goals : Goals
    """

    values: Floats
    goals: Goals


@dataclass(frozen=True, slots=True)
class Split:
    """One part of a dataset: for training, validation or test.

    Parameters
    ----------
    labels : ndarray of int64, shape (samples,), or None
        Class of each sample; None where the samples have no class.
    events : Events
        The samples as spikes, by program-wide neuron index.
    augmentation : Augmentation or None
        How the samples are changed in training.
    times : ndarray of float64, shape (samples, outputs, k), or None
        Target times in ms of the first k spikes of every output; NaN where there is no target.
    traces : Traces or None
        Target voltages.
    """

    labels: Integers | None
    events: Events
    augmentation: Augmentation | None = None
    times: Floats | None = None
    traces: Traces | None = None

    @property
    def goals(self) -> Goals:
        """Labels and targets of all samples."""
        return Goals(self.labels, self.times, self.traces)

    def __len__(self) -> int:
        return self.events.batch

    def batch(self, indices: Integers, *, epoch: int | None = None) -> Events:
        """Return some of the samples.

        Parameters
        ----------
        indices : ndarray of int64, shape (n,)
            Which samples, in the order wanted.
        epoch : int or None
            Epoch of training, counted from 0, in which they are changed by the augmentation; None for the
            samples as they are.

        Returns
        -------
        Events
            A batch of n samples, whose identities are ``indices``.
        """
        events = replace(self.events.take(indices), identities=indices)
        if epoch is None or self.augmentation is None:
            return events
        return self.augmentation.apply(events, indices, epoch)

    def part(self, indices: Integers) -> Split:
        """Return a split of some of the samples, in the order wanted.

        Parameters
        ----------
        indices : ndarray of int64, shape (n,)
        """
        goals = self.batch_goals(indices)
        taken = self.events.take(indices)
        return Split(goals.labels, taken, self.augmentation, goals.times, goals.traces)

    def batch_goals(self, indices: Integers) -> Goals:
        """Return labels and targets of some of the samples.

        Parameters
        ----------
        indices : ndarray of int64, shape (n,)
        """
        return self.goals.take(indices)

    def chunks(self, size: int) -> Iterator[Integers]:
        """Yield the indices of all samples in order, in batches of a size; the last may be smaller."""
        for start in range(0, len(self), size):
            yield np.arange(start, min(start + size, len(self)))


@dataclass(frozen=True, slots=True)
class Dataset:
    """Samples for training and for finding out how good it was.

    Parameters
    ----------
    train : Split
    validation, test : Split or None
        None where the file asks for none.
    notes : tuple of str
        What is worth knowing about how the samples were made, for example how many spikes were dropped.
    """

    train: Split
    validation: Split | None
    test: Split | None
    notes: tuple[str, ...] = ()
