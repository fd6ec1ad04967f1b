"""Batches of stimuli with labels, from a dataset or from the model's own sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from netdesc.datasets import Split
from netdesc.events import Events, Integers
from netdesc.losses import Goals
from netdesc.program import Program
from netdesc.stimulus import stimulus

UNSEEN = 1 << 40
"""Samples from this number on are never trained on, so their noise is their own."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Samples to run.

    Parameters
    ----------
    program : Program
    split : Split or None
        None for the model's own sources: one sample without a label.
    first : int
        Number of the first sample; noise and Poisson sources are drawn for every number.
    """

    program: Program
    split: Split | None
    first: int = 0

    def __len__(self) -> int:
        return 1 if self.split is None else len(self.split)

    def draw(self, indices: Integers, number: int, *, epoch: int | None = None) -> tuple[Events, Goals]:
        """Return some of the samples.

        Parameters
        ----------
        indices : ndarray of int64, shape (n,)
        number : int
            Number of the first of them.
        epoch : int or None
            In which they are changed by the augmentation of the data; None for the samples as they are.

        Returns
        -------
        events : Events
            A batch of n samples, with the spikes of all sources. Their identities count on from ``first``
            and ``number``, so that noise differs from epoch to epoch and does not depend on batch sizes.
        goals : Goals
        """
        numbers = self.first + number + np.arange(len(indices))
        samples = None if self.split is None else self.split.batch(indices, epoch=epoch)
        events = stimulus(
            self.program,
            dataset_events=samples,
            batch=len(indices),
            seed=self.program.seed,
            identities=numbers,
        )
        return events, Goals() if self.split is None else self.split.batch_goals(indices)

    def batches(
        self, order: Integers, size: int, *, round_number: int | None = None
    ) -> Iterator[tuple[Events, Goals]]:
        """Yield all samples in batches.

        Parameters
        ----------
        order : ndarray of int64, shape (len(self),)
            In which order.
        size : int
            Samples in a batch; the last may be smaller.
        round_number : int or None
            How often all samples have been seen before, in training; None outside of it, where samples are
            not augmented.

        Yields
        ------
        events : Events
        goals : Goals
        """
        for start in range(0, len(order), size):
            number = (round_number or 0) * len(order) + start
            yield self.draw(order[start : start + size], number, epoch=round_number)

    def in_order(self) -> Integers:
        """Return the order of the samples as they stand, shape (len(self),)."""
        return np.arange(len(self))
