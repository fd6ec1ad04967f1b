"""What a training works on, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netdesc.backend import Machine, OnDeviceLearning
from netdesc.datasets import Dataset
from netdesc.description.model import Loss, Training
from netdesc.events import Floats
from netdesc.program import Program
from netdesc.training.feed import UNSEEN, Feed
from netdesc.training.layout import Layout
from netdesc.training.optimizers import Optimizer, OptimizerState
from netdesc.training.records import EpochReport


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
    layout : Layout
    optimizer : Optimizer
    device : OnDeviceLearning or None
        The machine, prepared to learn by itself; None where loss and optimizer run on the host.
    """

    machine: Machine
    training: Training
    losses: Mapping[str, Loss]
    dataset: Dataset | None
    layout: Layout
    optimizer: Optimizer
    device: OnDeviceLearning | None = None

    @property
    def program(self) -> Program:
        """What is trained."""
        return self.machine.program

    def train_feed(self) -> Feed:
        """Return the samples to learn from: those of the dataset, or one of the model's own sources."""
        return Feed(self.program, None if self.dataset is None else self.dataset.train)

    def feed(self, split: str) -> Feed | None:
        """Return the samples of ``train``, ``validation`` or ``test``; None where there are none."""
        if split == "train":
            return self.train_feed()
        if self.dataset is None:
            return None
        part, first = {
            "validation": (self.dataset.validation, UNSEEN),
            "test": (self.dataset.test, 2 * UNSEEN),
        }[split]
        return None if part is None else Feed(self.program, part, first)


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
    values = task.layout.join(task.program.trainable())
    return State(0, 0, values, task.optimizer.start(len(values)), values, 0, ())
