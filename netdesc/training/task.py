"""What a training works on, its batches of stimuli, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.backend import Backend, LossGradient, Machine, OnDeviceLearning
from netdesc.datasets.records import Dataset, Split
from netdesc.description.model import Loss, Training
from netdesc.events import Events, Floats, Integers
from netdesc.goals import Goals
from netdesc.program import Program
from netdesc.stimulus import stimulus
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.optimizers import Optimizer, OptimizerState
from netdesc.training.records import EpochReport

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
        """Yield all samples in an order, in batches of a size; the last may be smaller.

        The round is how often all samples have been seen before, in training; None outside of it, where
        samples are not augmented.
        """
        for start in range(0, len(order), size):
            number = (round_number or 0) * len(order) + start
            yield self.draw(order[start : start + size], number, epoch=round_number)

    def in_order(self) -> Integers:
        """Return the order of the samples as they stand, shape (len(self),)."""
        return np.arange(len(self))


@dataclass(frozen=True, slots=True)
class Task:
    """Everything about a training that does not change.

    Parameters
    ----------
    machine : Machine
    training : Training
    losses : mapping of str to Loss
    dataset : Dataset or None
        None for a model with its own sources only.
    flat : FlatParameters
    optimizer : Optimizer
    device : OnDeviceLearning or None
        The machine, prepared to learn by itself; None where loss and optimizer run on the host.
    backend : Backend or None
        What the machine is of, for forecasts; None where there are none.
    fused : LossGradient or None
        Runs forward, loss and adjoint in one; None where they are run one after the other.
    """

    machine: Machine
    training: Training
    losses: Mapping[str, Loss]
    dataset: Dataset | None
    flat: FlatParameters
    optimizer: Optimizer
    device: OnDeviceLearning | None = None
    backend: Backend | None = None
    fused: LossGradient | None = None

    @property
    def program(self) -> Program:
        """What is trained."""
        return self.machine.program

    @property
    def feeds(self) -> dict[str, Feed]:
        """The samples by what they are for; see `list_feeds`."""
        return list_feeds(self.program, self.dataset)


def list_feeds(program: Program, dataset: Dataset | None) -> dict[str, Feed]:
    """Return the samples for ``train``, ``validation`` and ``test``, as far as there are any.

    Without a dataset there is one sample to learn from, of the model's own sources.
    """
    if dataset is None:
        return {"train": Feed(program, None)}
    splits = {
        "train": (dataset.train, 0),
        "validation": (dataset.validation, UNSEEN),
        "test": (dataset.test, 2 * UNSEEN),
    }
    return {name: Feed(program, split, first) for name, (split, first) in splits.items() if split is not None}


def choose_split(feeds: Mapping[str, Feed]) -> str:
    """Return which samples to measure on: those for testing, or else for validation or training."""
    return next(name for name in ("test", "validation", "train") if name in feeds)


@dataclass(frozen=True, slots=True)
class State:
    """A training between two epochs.

    Parameters
    ----------
    epoch, step : int
        Epochs and steps that are over.
    values : ndarray of float64, shape (n,)
        Trainable parameters.
    optimizer : OptimizerState
    best_values : ndarray of float64, shape (n,)
        Those of the best epoch.
    best_epoch : int
        0 before the first.
    reports : tuple of EpochReport
    """

    epoch: int
    step: int
    values: Floats
    optimizer: OptimizerState
    best_values: Floats
    best_epoch: int
    reports: tuple[EpochReport, ...]


def start(task: Task) -> State:
    """Return the state before the first epoch."""
    values = task.flat.join(task.program.trainable())
    return State(0, 0, values, task.optimizer.start(len(values)), values, 0, ())
