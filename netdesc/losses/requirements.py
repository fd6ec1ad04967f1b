"""Whether samples have the labels and targets that the losses of a model need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from netdesc.description.model import Loss
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.events import Floats, Integers
from netdesc.goals import Goals, Traces
from netdesc.program import Program
from netdesc.steps import count_samples

REGULARIZERS = frozenset({"firing_rate"})
"""Kinds of losses that have no predictions and no labels."""

TRACED = "voltage_mse"
"""Kind of the loss on target voltages."""

CLOSE = 1e-6
"""Fraction of an interval by which times may differ."""


def require_goals(losses: Iterable[Loss], goals: Goals, program: Program, *, split: str) -> None:
    """Refuse samples of a split without the labels or targets that a loss needs, before anything runs.

    Raises
    ------
    DescriptionError
        With one diagnostic per loss.
    """
    faults: list[Diagnostic] = []
    for loss in losses:
        try:
            faults.extend(find_faults(loss, goals, program, split))
        except DescriptionError as error:
            faults.extend(error.diagnostics)
    if faults:
        raise DescriptionError(faults)


def find_faults(loss: Loss, goals: Goals, program: Program, split: str) -> Iterator[Diagnostic]:
    """Yield what a loss lacks."""
    path, size = f"losses.{loss.name}", program.population(loss.population).size
    if loss.kind in REGULARIZERS:
        return
    if loss.kind == TRACED:
        require_traces(loss, goals.traces, program, split=split)
        return
    if follows_samples(loss):
        require_times(loss, goals.times, size)
        return
    if loss.options.get("target") is None and goals.labels is None:
        found, fix = "neither labels nor targets", "add labels to the data"
        if goals.times is not None:
            found, fix = "target times", "use spike_time_mse"
        elif goals.traces is not None:
            found, fix = "target voltages", "use voltage_mse"
        yield Diagnostic(
            f"{loss.kind} expected labels of the {split} samples, got {found}; {fix}, or write a target",
            path=path,
        )
        return
    choose_labels(loss, goals.labels, (1, size))


def follows_samples(loss: Loss) -> bool:
    """Return whether a loss of spike times takes its targets from the samples."""
    return (
        loss.kind == "spike_time_mse"
        and loss.options.get("target") is None
        and all(loss.options.get(name) is None for name in ("correct", "wrong"))
    )


def require_times(loss: Loss, targets: Floats | None, size: int) -> Floats:
    """Return the target times of samples, shape (batch, size, k), for a loss that takes them from there.

    Raises
    ------
    DescriptionError
        If there are no target times, or not one row for each neuron.
    """
    if targets is None:
        raise DescriptionError(
            "spike_time_mse expected target times of the samples, got none; use data with targets, or write "
            "target, or correct and wrong",
            path=f"losses.{loss.name}",
        )
    if targets.shape[1] != size:
        raise DescriptionError(
            f"spike_time_mse expected targets of the {size} neurons of population {loss.population}, got "
            f"targets of {targets.shape[1]}; set populations.{loss.population}.size: {targets.shape[1]}",
            path=f"losses.{loss.name}",
        )
    return targets


def require_traces(loss: Loss, traces: Traces | None, program: Program, *, split: str = "") -> Traces:
    """Return the target voltages of samples, checked against a program.

    Parameters
    ----------
    loss : Loss
        Of kind ``voltage_mse``.
    traces : Traces or None
    program : Program
    split : str
        What the samples are for, for messages; empty where this is not known.

    Raises
    ------
    DescriptionError
        If there are none, or outputs, interval or length do not fit.
    """
    path, size = f"losses.{loss.name}", program.population(loss.population).size
    of = f"of the {split} samples" if split else "of the samples"
    if traces is None:
        raise DescriptionError(
            f"voltage_mse expected target voltages {of}, got none; add target_interval and targets to the "
            "data, or pass netdesc.Samples(x, traces=..., trace_interval=...)",
            path=path,
        )
    interval, (steps, outputs) = float(loss.options["interval"]), traces.values.shape[1:]
    if abs(traces.interval - interval) > CLOSE * interval:
        raise DescriptionError(
            f"expected target voltages {of} every {interval:g} ms, got them every {traces.interval:g} ms; "
            f"set interval: {traces.interval:g} ms",
            path=path,
        )
    if outputs != size:
        raise DescriptionError(
            f"voltage_mse expected target voltages of the {size} neurons of population {loss.population}, "
            f"got those of {outputs}; set populations.{loss.population}.size: {outputs}",
            path=path,
        )
    most = count_samples(program.duration, interval)
    if steps > most:
        raise DescriptionError(
            f"expected at most {most} target voltages for each output, one every {interval:g} ms from 0 to "
            f"{program.duration:g} ms, got {steps}; set simulation.duration: {(steps - 1) * interval:g} ms, "
            "or shorten them",
            path=path,
        )
    return traces


def choose_labels(loss: Loss, labels: Integers | None, shape: tuple[int, ...]) -> Integers | None:
    """Return the labels that hold for one loss: its own target, or those of the samples, shape (batch,).

    They are None where the loss has neither, or asks for none; ``shape`` is (batch, size) of its population.

    Raises
    ------
    DescriptionError
        If a label names no neuron of the population.
    """
    target = loss.options.get("target")
    if loss.kind in REGULARIZERS or isinstance(target, list | tuple | np.ndarray):
        return None
    if target is not None:
        labels = np.full(shape[0], int(target), dtype=np.int64)
    if labels is not None and len(labels) and (labels.min() < 0 or labels.max() >= shape[1]):
        raise DescriptionError(
            f"labels run from {labels.min()} to {labels.max()}, but population {loss.population} has "
            f"{shape[1]} neurons, 0 to {shape[1] - 1}; give it one neuron per class",
            path=f"losses.{loss.name}",
        )
    return labels
