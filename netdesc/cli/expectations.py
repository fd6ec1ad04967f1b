"""What a file expects of its results, beside what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from netdesc.cli.output import tell
from netdesc.errors import DescriptionError
from netdesc.events import Events

if TYPE_CHECKING:
    from netdesc.api import Batch, CompiledProgram
    from netdesc.compiled import Model
    from netdesc.losses.evaluation import Evaluation
    from netdesc.testing.gradcheck import GradientCheck
    from netdesc.trace import Trace

SPLITS = ("train", "validation", "test")
KHZ = 1000.0
"""Hz in 1/ms."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation beside what was found.

    Parameters
    ----------
    path : str
        In the file, for example ``expect.output.rate``.
    expected, found : str
        In words.
    met : bool
    value : float or None
        What was found, as a number.
    """

    path: str
    expected: str
    found: str
    met: bool
    value: float | None

    @property
    def name(self) -> str:
        """The path in the section ``expect``."""
        return self.path.removeprefix("expect.")


def check_expectations(model: Model, backend: str, weights: Path | None = None) -> list[Check]:
    """Run a model and check everything that its file expects.

    Accuracies, and the loss of a model with data and a section ``training``, are those of trained weights;
    without any the model is trained first. All else is of the first batch, or of the model's own stimulus,
    with the same weights where there are any.

    Parameters
    ----------
    model : Model
    backend : str
    weights : Path or None
        Run directory of a training, or its ``weights.h5``.

    Raises
    ------
    DescriptionError
        If the file expects nothing, or something that cannot be measured.
    NetdescError
        If the backend cannot run the model.
    """
    expect = model.description.expect
    if not expect:
        raise DescriptionError("expected a section expect, got none; add one", path="expect")
    bounds = {split: expect.get(f"{split}_accuracy") for split in SPLITS}
    bounds = {split: item for split, item in bounds.items() if item is not None}
    needed = bounds or ("loss" in expect and _has_trained_loss(model.description))
    with TemporaryDirectory() as place:
        if needed and weights is None:
            weights = _train(model, backend, Path(place) / "run")
        trained = _trained(model, backend, weights, bounds) if needed and weights is not None else ()
        return [*trained, *_first_batch(model, backend, weights)]


def check_bounds(
    path: str, bounds: Mapping[str, Any], value: float | None, *, unit: str = "", scale: float = 1.0
) -> Check:
    """Compare a number with the bounds of a file; what cannot be measured is not met."""
    low, high = bounds.get("between") or (bounds.get("min"), bounds.get("max"))
    behind = f" {unit}" if unit else ""
    words = [f"at least {low * scale:g}{behind}"] if low is not None else []
    words += [f"at most {high * scale:g}{behind}"] if high is not None else []
    met = value is not None and (low is None or value >= low) and (high is None or value <= high)
    found = "not measured" if value is None else f"{value * scale:.6g}{behind}"
    return Check(path, " and ".join(words), found, met, None if value is None else value * scale)


def _has_trained_loss(description: Any) -> bool:
    from netdesc.description.sections.data import with_dataset

    return with_dataset(description.data) is not None and description.training is not None


def _train(model: Model, backend: str, folder: Path) -> Path:
    from netdesc.training import train

    tell(
        f"training {model.description.name}, because an accuracy is expected; use --weights DIR to skip this"
    )
    return train(model, backend=backend, output=folder).weights


def _trained(model: Model, backend: str, weights: Path, accuracies: Mapping[str, Any]) -> Iterator[Check]:
    """Yield checks of trained weights: accuracies with their bounds by split, and the loss."""
    from netdesc.api import located
    from netdesc.training.session import prepare_task
    from netdesc.training.tally import measure
    from netdesc.training.task import choose_split
    from netdesc.training.weights import load_weights

    task, expect = prepare_task(model, backend, learns=False), model.description.expect
    with located(model):
        values = task.flat.join(load_weights(weights, task.program, model.description))
        for split, bounds in accuracies.items():
            accuracy = measure(task, values, split).accuracy if split in task.feeds else None
            yield check_bounds(f"expect.{split}_accuracy", bounds, accuracy)
        if "loss" in expect and _has_trained_loss(model.description):
            loss = measure(task, values, choose_split(task.feeds)).loss
            yield check_bounds("expect.loss", expect["loss"], loss)


def _first_batch(model: Model, backend: str, weights: Path | None) -> Iterator[Check]:
    from netdesc.api import compile, evaluate_losses, first_batch
    from netdesc.training.weights import load_weights

    expect = model.description.expect
    compiled = compile(model, backend)
    if weights is not None:
        compiled.write(load_weights(weights, compiled.program, compiled.model.description))
    batch = first_batch(compiled)
    trace = compiled.forward(batch.events)
    for name in model.description.populations:
        if name in expect:
            yield from _population(name, expect[name], trace, compiled)
    if "loss" in expect and not _has_trained_loss(model.description):
        loss = evaluate_losses(compiled, trace, batch.goals).loss
        yield check_bounds("expect.loss", expect["loss"], loss)
    if "gradient_deviation" in expect:
        # of the first sample
        found = check_gradients(compiled, batch.head(1), limit=100)
        deviation = found.deviation if found.checked and math.isfinite(found.deviation) else None
        yield check_bounds("expect.gradient_deviation", expect["gradient_deviation"], deviation)


def _population(
    name: str, expect: Mapping[str, Any], trace: Trace, compiled: CompiledProgram
) -> Iterator[Check]:
    path, program = f"expect.{name}", compiled.program
    if name not in trace.spikes:
        raise DescriptionError(f"population {name} never spikes; remove it from expect", path=path)
    events, size = trace.spikes[name], program.population(name).size
    per_sample = len(events) / events.batch
    if expect.get("rate") is not None:
        rate = per_sample / size / program.duration
        yield check_bounds(f"{path}.rate", expect["rate"], rate, unit="Hz", scale=KHZ)
    if expect.get("spikes") is not None:
        yield check_bounds(f"{path}.spikes", expect["spikes"], per_sample)
    if expect.get("spike_times") is not None:
        yield _timed(f"{path}.spike_times", expect["spike_times"], events, size)


def _timed(path: str, expect: Mapping[str, Any], events: Events, size: int) -> Check:
    wanted, tolerance = expect["times"], expect["tolerance"]
    expected = f"{sum(len(times) for times in wanted)} spikes, each within {tolerance:g} ms"
    if len(wanted) != size:
        message = f"times of {len(wanted)} neurons are written, but the population has {size}"
        raise DescriptionError(f"{message}; give one list per neuron", path=path)
    worst = 0.0
    for sample in events.lists(size):
        for neuron, (times, found) in enumerate(zip(wanted, sample, strict=True)):
            if len(times) != len(found):
                words = f"neuron {neuron} spikes {len(found)} times, not {len(times)}"
                return Check(path, expected, words, False, None)
            worst = max(worst, float(np.abs(np.subtract(times, found)).max(initial=0.0)))
    return Check(path, expected, f"at most {worst:.3g} ms off", worst <= tolerance, worst)


def check_gradients(compiled: CompiledProgram, batch: Batch, *, limit: int) -> GradientCheck:
    """Compare the gradients of a batch with central differences, ``limit`` entries of each parameter."""
    from netdesc.api import evaluate_losses
    from netdesc.testing.gradcheck import gradcheck

    def objective(trace: Trace) -> Evaluation:
        return evaluate_losses(compiled, trace, batch.goals)

    return gradcheck(compiled.machine, compiled.stimulate(batch.events), objective, limit=limit)
