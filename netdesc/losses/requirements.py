"""Whether samples have the labels and targets that the losses of a model need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netdesc.description.model import Loss
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.losses.contribution import REGULARIZERS, choose_labels, follows_samples, require_times
from netdesc.losses.goals import Goals
from netdesc.losses.voltage_mse import KIND as TRACED
from netdesc.losses.voltage_mse import require_traces
from netdesc.program import Program


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
