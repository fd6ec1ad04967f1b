"""Sums over the batches of an epoch, and over samples that nothing is learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from netdesc.backend import StepReport
from netdesc.events import Floats
from netdesc.forecast.host import CHUNK
from netdesc.losses.evaluation import Evaluation, evaluate
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.records import Metrics
from netdesc.training.task import Task


def find_silent(trace: Trace, program: Program) -> NDArray[np.bool_]:
    """Find the spiking neurons that are silent in every sample of a batch.

    Returns
    -------
    ndarray of bool, shape (n + 1,)
        By program-wide index; False for sources and read-outs, and in the last element.
    """
    silent = np.zeros(program.size + 1, dtype=np.bool_)
    for population in program.populations:
        if population.kind == "spiking":
            part = silent[population.start : population.stop]
            part[:] = True
            part[trace.spikes[population.name].sources] = False
    return silent


def bump_weights(values: Floats, flat: FlatParameters, silent: NDArray[np.bool_], *, amount: float) -> Floats:
    """Raise the drive of neurons that `find_silent` found, in the vector of trainable parameters, shape (n,).

    The amount, in the units of the file, is added to every trainable weight onto a silent neuron, and
    subtracted where the weight is a magnitude of inhibition.
    """
    if not silent.any():
        return values
    return values + amount * flat.signs * silent[flat.targets]


PEAK = "peak_"
"""How names of costs begin that are maxima and no sums."""


@dataclass(slots=True)
class Tally:
    """What is summed up batch by batch."""

    program: Program
    samples: int = 0
    batches: int = 0
    loss: float = 0.0
    labelled: int = 0
    correct: int = 0
    correct_untied: int = 0
    ties: int = 0
    silent_samples: int = 0
    silent_labels: int = 0
    silent_fraction: float = 0.0
    spikes: Counter[str] = field(default_factory=Counter)
    costs: dict[str, float] = field(default_factory=dict)

    def add(self, evaluation: Evaluation, trace: Trace, silent: NDArray[np.bool_]) -> None:
        """Add a batch, with the neurons that are silent in all of it, as `find_silent` returns them."""
        self._add_answers(evaluation, trace.batch)
        self.silent_samples += evaluation.silent_samples
        self.silent_labels += evaluation.silent_labels
        self.silent_fraction += float(np.count_nonzero(silent))
        for name, events in trace.spikes.items():
            self.spikes[name] += len(events)
        self.add_costs(trace.costs)

    def add_step(self, report: StepReport) -> None:
        """Add a batch that a device learned from."""
        self._add_answers(report, len(report.predictions))
        self.silent_samples += int(np.count_nonzero(report.predictions < 0))
        self.silent_labels += report.silent_targets
        self.silent_fraction += report.silent_neurons
        self.spikes.update(report.spikes)
        self.add_costs(report.costs)

    def _add_answers(self, found: Evaluation | StepReport, samples: int) -> None:
        self.samples += samples
        self.batches += 1
        self.loss += found.loss * samples
        if found.correct is not None:
            self.labelled += samples
            self.correct += int(np.count_nonzero(found.correct))
            self.correct_untied += int(np.count_nonzero(found.correct & ~found.ties))
        self.ties += int(np.count_nonzero(found.ties))

    def add_costs(self, costs: Mapping[str, float]) -> None:
        """Add what a device reports; of what is a peak the largest counts."""
        for name, cost in costs.items():
            old = self.costs.get(name, 0.0)
            self.costs[name] = max(old, cost) if name.startswith(PEAK) else old + cost

    def conclude(self, split: str) -> Metrics:
        """Return means over all samples that were added, which are for a split."""
        spiking = sum(item.size for item in self.program.populations if item.kind == "spiking")
        return Metrics(
            split=split,
            samples=self.samples,
            loss=self.loss / self.samples,
            accuracy=self.correct / self.labelled if self.labelled else None,
            accuracy_ties_as_errors=self.correct_untied / self.labelled if self.labelled else None,
            ties=self.ties,
            silent_samples=self.silent_samples,
            silent_labels=self.silent_labels,
            silent_fraction=self.silent_fraction / (self.batches * max(spiking, 1)),
            spikes={name: count / self.samples for name, count in self.spikes.items()},
            costs=self.costs,
        )


def measure(task: Task, values: Floats, split: str) -> Metrics:
    """Find out how well parameters, shape (n,), do on the samples of a split, of which there are some."""
    tally, feed = Tally(task.program), task.feeds[split]
    task.machine.write(task.flat.split(values))
    for stimulus, goals in feed.batches(feed.in_order(), CHUNK):
        trace = task.machine.forward(stimulus, seed=task.program.seed)
        evaluation = evaluate(task.losses, trace, task.program, goals)
        tally.add(evaluation, trace, find_silent(trace, task.program))
    return tally.conclude(split)
