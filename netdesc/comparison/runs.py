"""One model on one substrate: spikes, losses and gradients, or a refusal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.api import evaluate_losses, located
from netdesc.border import FAULT, MEMORY
from netdesc.comparison.predictions import Predictions, collect_predictions, join
from netdesc.comparison.records import Settings
from netdesc.comparison.samples import Batch, choose_batch, choose_feed, single
from netdesc.comparison.substrates import Substrate
from netdesc.comparison.watching import compile_watched
from netdesc.compiled import CompiledProgram, Model
from netdesc.errors import Diagnostic, NetdescError
from netdesc.events import Floats
from netdesc.losses.evaluation import Evaluation
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc.training.records import Metrics
from netdesc.training.tally import Tally, find_silent

CHUNK = 250
"""Samples in a batch when only losses are wanted."""

STRIDE = 1_000_003
"""Difference between consecutive noise seeds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The results of a model on one substrate.

    Parameters
    ----------
    substrate : Substrate
    model : Model
        With the options of the substrate.
    compiled : CompiledProgram
    batch : Batch
        What was run.
    trace : Trace
        Of the batch.
    evaluation : Evaluation or None
        Losses of the batch; None where the model has none.
    gradients : tuple of mapping, or None
        Derivative of the loss of every sample, by the keys of ``Program.trainable``; None where there is
        nothing to differentiate.
    metrics : Metrics or None
        Of the test samples; None where the model has no losses or no data.
    notes : tuple of Diagnostic
        What was approximated, and what could not be measured.
    seconds : mapping of str to float
        Time that the host took for ``forward``, ``adjoint`` and ``test``.
    curves : mapping of str to sequence of float
        Columns of the metrics of the training that the weights come from; empty where there is none.
    predictions : Predictions or None
        Predictions on the test samples; None where the model has no labels.
    """

    substrate: Substrate
    model: Model
    compiled: CompiledProgram
    batch: Batch
    trace: Trace
    evaluation: Evaluation | None
    gradients: tuple[Mapping[str, Floats], ...] | None
    metrics: Metrics | None
    notes: tuple[Diagnostic, ...]
    seconds: Mapping[str, float]
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    predictions: Predictions | None = None

    @property
    def program(self) -> Program:
        """What was run, after the passes of the backend."""
        return self.compiled.program

    @property
    def loss(self) -> float | None:
        """Loss of the test samples, or else of the batch; None where the model has none."""
        measured = self.metrics or self.evaluation
        return None if measured is None else measured.loss

    @property
    def gradient(self) -> dict[str, Floats] | None:
        """Derivative of the mean loss of the batch, by key."""
        if self.gradients is None:
            return None
        return {key: np.mean([one[key] for one in self.gradients], axis=0) for key in self.gradients[0]}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a substrate did not run a model."""

    substrate: Substrate
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """What every substrate is to do.

    Parameters
    ----------
    settings : Settings
    parameters : mapping of str to ndarray
        Weights and delays to write; what is absent stays as in the file.
    batch : Batch or None
        Samples to run; None to draw them.
    """

    settings: Settings
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    batch: Batch | None = None


def attempt(model: Model, substrate: Substrate, job: Job) -> Outcome | Refusal:
    """Run a model forward and backward, and measure it on the test samples, or return why it cannot run.

    The model has the options of the substrate. That the backend cannot differentiate it is a note.
    """
    try:
        compiled, notes = compile_watched(model, substrate.backend, job.settings)
        if job.parameters:
            compiled.write(job.parameters)
        seed, notes = compiled.program.seed, (*compiled.notes, *notes)
        batch = choose_batch(compiled, job.settings.samples, job.batch)
        trace, seconds = _forward(compiled, batch, seed)
        setup = Outcome(substrate, model, compiled, batch, trace, None, None, None, notes, {})
        return _conclude(setup, trace, job, seed=seed, forward=seconds)
    except NetdescError as error:
        return Refusal(substrate, error.located(model.description.locations).diagnostics)


def repeat(outcome: Outcome, job: Job) -> tuple[Outcome, ...]:
    """Run again on the same device with other noise seeds, as often as the settings of the job say.

    The first run counts; it is alone where another seed changes nothing.
    """
    runs, bare = [outcome], replace(outcome, notes=())
    for number in range(1, job.settings.repeats):
        # Far from the seeds that people choose, so that no two models share one.
        seed = outcome.program.seed + number * STRIDE
        trace, seconds = _forward(outcome.compiled, outcome.batch, seed)
        if number == 1 and is_same(outcome.trace, trace):
            break
        runs.append(_conclude(bare, trace, job, seed=seed, forward=seconds))
    return tuple(runs)


def is_same(one: Trace, two: Trace) -> bool:
    """Return whether two runs of one program gave the same spikes, voltages and readings."""
    spikes = (
        np.array_equal(events.times, two.spikes[name].times)
        and np.array_equal(events.sources, two.spikes[name].sources)
        for name, events in one.spikes.items()
    )
    voltages = (
        np.array_equal(part.values, others[key].values, equal_nan=True)
        for parts, others in ((one.recordings, two.recordings), (one.readings, two.readings))
        for key, part in parts.items()
    )
    return all(spikes) and all(voltages)


def _forward(compiled: CompiledProgram, batch: Batch, seed: int) -> tuple[Trace, float]:
    start = time.perf_counter()
    with located(compiled.model):
        trace = compiled.machine.forward(batch.events, seed=seed)
    return trace, time.perf_counter() - start


def _conclude(setup: Outcome, trace: Trace, job: Job, *, seed: int, forward: float) -> Outcome:
    """Return an outcome with what follows from a run forward."""
    compiled, clock = setup.compiled, {"forward": forward}
    losses = bool(setup.model.description.losses)
    evaluation = evaluate_losses(compiled, trace, setup.batch.goals) if losses else None
    gradients, faults = _differentiate(compiled, trace, evaluation, clock)
    metrics, predictions = _measure(compiled, job, clock, seed) if evaluation is not None else (None, None)
    return replace(
        setup,
        trace=trace,
        evaluation=evaluation,
        gradients=gradients,
        metrics=metrics,
        predictions=predictions,
        notes=(*setup.notes, *faults),
        seconds=clock,
    )


def _differentiate(
    compiled: CompiledProgram,
    trace: Trace,
    evaluation: Evaluation | None,
    clock: dict[str, float],
) -> tuple[tuple[Mapping[str, Floats], ...] | None, tuple[Diagnostic, ...]]:
    if evaluation is None or not compiled.program.trainable():
        return None, ()
    start = time.perf_counter()
    try:
        gradients = tuple(
            dict(compiled.backward(trace, single(evaluation.cotangent, trace, sample)).parameters)
            for sample in range(trace.batch)
        )
    except NetdescError as error:
        if any(item.code in (FAULT, MEMORY) for item in error.diagnostics):
            raise
        return None, tuple(
            replace(item, message=f"gradients are not compared: {item.message}") for item in error.diagnostics
        )
    clock["adjoint"] = time.perf_counter() - start
    return gradients, ()


def _measure(
    compiled: CompiledProgram, job: Job, clock: dict[str, float], seed: int
) -> tuple[Metrics | None, Predictions | None]:
    feed, split = choose_feed(compiled)
    if feed.split is None:
        return None, None
    start, program = time.perf_counter(), compiled.program
    tally = Tally(program)
    predictions = []
    for events, goals in feed.batches(feed.in_order()[: job.settings.test_samples], CHUNK):
        with located(compiled.model):
            trace = compiled.machine.forward(events, seed=seed)
        evaluation = evaluate_losses(compiled, trace, goals)
        tally.add(evaluation, trace, find_silent(trace, program))
        predictions.append(collect_predictions(evaluation, goals.labels))
    clock["test"] = time.perf_counter() - start
    return tally.conclude(split), join(predictions)
