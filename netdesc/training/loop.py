"""The epochs of a training, as functions from state to state."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import BackendError, NumericsError
from netdesc.events import Events, Floats, Integers, all_finite
from netdesc.goals import Goals
from netdesc.losses.evaluation import evaluate
from netdesc.losses.requirements import choose_labels
from netdesc.streams import stream
from netdesc.training.device import give_state, take_state
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.garbage import without_old_objects
from netdesc.training.pace import Pace
from netdesc.training.records import EpochReport, Metrics, rank_report
from netdesc.training.schedules import scale_rate
from netdesc.training.signs import Watch
from netdesc.training.tally import Tally, bump_weights, find_silent, measure
from netdesc.training.task import State, Task


def run_epoch(task: Task, state: State, watch: Watch | None = None, pace: Pace | None = None) -> State:
    """Train for one epoch and validate, with what was seen in the epochs before.

    The pace is that of the training, for its forecast.

    Raises
    ------
    NumericsError
        With epoch and step, if a loss, gradient or parameter is not finite, or if the training explodes or
        is dead and ``training.on_dead`` is ``stop``.
    """
    begin = perf_counter()
    watch = watch or Watch(task, state.values)
    with without_old_objects():
        state, metrics, grazing = train_epoch(task, state, watch, pace)
    notes = watch.conclude(state.reports, metrics.loss, epoch=state.epoch + 1)
    validation = measure(task, state.values, "validation") if "validation" in task.feeds else None
    state = replace(state, epoch=state.epoch + 1)
    report = report_epoch(task, state, metrics, validation=validation, grazing=grazing)
    return keep_best(task, state, replace(report, seconds=perf_counter() - begin, notes=notes))


def train_epoch(
    task: Task, state: State, watch: Watch, pace: Pace | None = None
) -> tuple[State, Metrics, int]:
    """Take the steps of one epoch, with what was seen in the epochs before, and time its batches.

    Returns
    -------
    state : State
        With new values, optimizer and step.
    metrics : Metrics
        Of the training samples.
    grazing : int
        Spikes whose gradient was clamped.

    Raises
    ------
    NumericsError
        With epoch and step, if a loss, gradient or parameter is not finite.
    """
    feed, tally, grazing = task.feeds["train"], Tally(task.program), 0
    order = shuffle(task, state.epoch, len(feed))
    if task.device is None:
        task.machine.write(task.flat.split(state.values))
    else:
        give_state(task.device, task.flat, state)
    watch.begin()
    for stimulus, goals in feed.batches(order, task.training.batch_size, round_number=state.epoch):
        if pace is not None:
            pace.begin()
        try:
            before = state.values
            state, raised = train_batch(task, state, stimulus, goals=goals, tally=tally)
        except NumericsError as error:
            kept = "; the checkpoint keeps the epochs before" if state.epoch else ""
            raise NumericsError(
                f"epoch {state.epoch + 1}, step {tally.batches + 1} of the epoch: {error}{kept}"
            ) from error
        except BackendError as error:
            where = f"epoch {state.epoch + 1}, step {tally.batches + 1} of the epoch: "
            raise BackendError(
                replace(item, message=f"{where}{item.message}") for item in error.diagnostics
            ) from error
        grazing += raised
        watch.observe(tally, before, state.values, epoch=state.epoch + 1)
        if pace is not None:
            pace.observe(stimulus.batch)
    if task.device is not None:
        state = take_state(task.device, task.flat, state)
    elif task.fused is not None:
        task.machine.write(task.flat.split(state.values))
    return state, tally.conclude("train"), grazing


def train_batch(
    task: Task, state: State, stimulus: Events, *, goals: Goals, tally: Tally
) -> tuple[State, int]:
    """Take one step: forward run, loss, adjoint run, update; or have the device take it.

    The batch is added to the tally.

    Parameters
    ----------
    task : Task
    state : State
        Its values are those that the machine has, unless the task is fused.
    stimulus : Events
    goals : Goals
    tally : Tally

    Returns
    -------
    state : State
        With a new step; with new values and optimizer, unless these are on the device.
    grazing : int
        Spikes whose gradient was clamped.

    Raises
    ------
    NumericsError
        If the loss, the gradient or a new parameter is not finite.
    """
    if task.device is not None:
        return learn_batch(task, state, stimulus, goals=goals, tally=tally)
    if task.fused is not None and goals.labels is not None:
        found = task.fused(state.values, stimulus, goals.labels)
        if found is not None:
            tally.add_step(found.report)
            state = take_step(task, state, found.report.loss, found.gradient, silent=found.silent)
            return state, found.report.health["grazing"]
        task.machine.write(task.flat.split(state.values))
    trace = task.machine.forward(stimulus, seed=task.program.seed + state.step)
    evaluation = evaluate(task.losses, trace, task.program, goals)
    gradient = task.machine.adjoint(trace, evaluation.cotangent)
    silent = find_silent(trace, task.program)
    slope = task.flat.join(gradient.parameters)
    state = take_step(task, state, evaluation.loss, slope, silent=silent)
    tally.add(evaluation, trace, silent)
    return state, gradient.health.get("grazing", 0)


def learn_batch(
    task: Task, state: State, stimulus: Events, *, goals: Goals, tally: Tally
) -> tuple[State, int]:
    """Have the device take one step; see ``train_batch``."""
    if task.device is None:
        raise NumericsError("the machine is not prepared to learn by itself")
    for loss in task.losses.values():
        choose_labels(loss, goals.labels, (stimulus.batch, task.program.population(loss.population).size))
    factor = scale_rate(task.training.schedule, task.training.epochs, epoch=state.epoch, step=state.step)
    report = task.device.learn(stimulus, goals.labels, seed=task.program.seed + state.step, factor=factor)
    if not np.isfinite(report.loss):
        raise NumericsError(f"the loss is {report.loss}; lower the learning rate")
    tally.add_step(report)
    return replace(state, step=state.step + 1), report.health.get("grazing", 0)


def shuffle(task: Task, epoch: int, samples: int) -> Integers:
    """Return the order of the samples in an epoch, shape (samples,).

    It is the same whenever and wherever the epoch, counted from 0, is run.
    """
    if not task.training.options.get("shuffle", True):
        return np.arange(samples)
    return stream(task.program.seed, f"training.shuffle.{epoch}").permutation(samples)


def take_step(task: Task, state: State, loss: float, gradient: Floats, *, silent: NDArray[np.bool_]) -> State:
    """Change the parameters once by the gradient of a batch, shape (n,).

    They are written to the machine, unless the task is fused.

    Raises
    ------
    NumericsError
        If loss, gradient or new parameters are not finite.
    """
    if not np.isfinite(loss):
        raise NumericsError(f"the loss is {loss}; lower the learning rate")
    factor = scale_rate(task.training.schedule, task.training.epochs, epoch=state.epoch, step=state.step)
    values, optimizer = task.optimizer.update(state.values, gradient, state.optimizer, factor=factor)
    policy = task.training.silent_neurons
    if policy.kind == "weight_bump":
        values = bump_weights(values, task.flat, silent, amount=float(policy.options["amount"]))
    # What is not finite in a gradient is not finite in the values, either.
    finite = all_finite(values)
    if not finite and not np.isfinite(gradient).all():
        raise NumericsError(
            f"the gradient of {name_culprit(task.flat, gradient)} is not finite; lower the learning rate"
        )
    values = task.flat.clip(values)
    if not finite and not np.isfinite(values).all():
        raise NumericsError(
            f"{name_culprit(task.flat, values)} is not finite after the update; lower the learning rate"
        )
    values.flags.writeable = False
    if task.fused is None:
        task.machine.write(task.flat.split(values))
    return State(
        state.epoch, state.step + 1, values, optimizer, state.best_values, state.best_epoch, state.reports
    )


def name_culprit(flat: FlatParameters, vector: Floats) -> str:
    """Name the first parameter of a vector, shape (n,), with an element that is not finite."""
    return next(key for key, part in flat.split(vector).items() if not np.isfinite(part).all())


def report_epoch(
    task: Task, state: State, metrics: Metrics, *, validation: Metrics | None, grazing: int
) -> EpochReport:
    """Put the report of an epoch together, its time still open, from the state after it."""
    factor = scale_rate(
        task.training.schedule, task.training.epochs, epoch=state.epoch - 1, step=state.step - 1
    )
    return EpochReport(
        epoch=state.epoch,
        epochs=task.training.epochs,
        loss=metrics.loss,
        accuracy=metrics.accuracy,
        accuracy_ties_as_errors=metrics.accuracy_ties_as_errors,
        validation_loss=validation.loss if validation else None,
        validation_accuracy=validation.accuracy if validation else None,
        validation_accuracy_ties_as_errors=validation.accuracy_ties_as_errors if validation else None,
        learning_rate=factor * float(task.training.optimizer.options["learning_rate"]),
        silent_fraction=metrics.silent_fraction,
        silent_samples=metrics.silent_samples,
        silent_labels=metrics.silent_labels,
        grazing=grazing,
        seconds=0.0,
        samples=metrics.samples,
        costs=metrics.costs,
    )


def keep_best(task: Task, state: State, report: EpochReport) -> State:
    """Add the report of an epoch to the state after it, and take its weights for the best where they are.

    Without validation samples the last weights are the best.
    """
    stopping, best = task.training.early_stopping, state.best_epoch
    better = best == 0 or rank_report(report, stopping) > rank_report(state.reports[best - 1], stopping)
    state = replace(state, reports=(*state.reports, report))
    return replace(state, best_values=state.values, best_epoch=state.epoch) if better else state


def is_over(task: Task, state: State) -> bool:
    """Return whether all epochs are over, or early stopping ends the training."""
    return state.epoch >= task.training.epochs or has_stalled(task, state)


def has_stalled(task: Task, state: State) -> bool:
    """Return whether as many epochs as early stopping allows brought nothing better."""
    stopping = task.training.early_stopping
    return stopping is not None and state.epoch - state.best_epoch >= int(stopping.options["patience"])
