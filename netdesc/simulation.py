"""Run a model, or differentiate it, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from netdesc.api import Batch, compile, evaluate_losses, read_batch
from netdesc.compiled import CompiledProgram, Model
from netdesc.datasets.samples import Samples
from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.trace import Trace
from netdesc.training import TrainingResult
from netdesc.training.weights import load_weights as read_weights
from netdesc.weights import Weights, fit_weights

Source = Mapping[str, Any] | Path | str | TrainingResult
"""Where weights come from."""


class GradientResult(NamedTuple):
    """Loss and gradient of one batch.

    Parameters
    ----------
    loss : float
        Mean over the batch.
    trace : Trace
    gradient : Gradient
    """

    loss: float
    trace: Trace
    gradient: Gradient


def run(
    model: Model,
    *,
    backend: str = "numba",
    batch: Events | Samples | Batch | None = None,
    seed: int | None = None,
    weights: Source | None = None,
) -> Trace:
    """Run a model once.

    Parameters
    ----------
    model : Model
    backend : str
    batch : Events, Samples, Batch or None
        Spikes of the dataset population, by program-wide neuron index; or samples to encode, scaled by
        themselves; None for the model's own stimulus, or for the first batch of its data.
    seed : int or None
        Seed of the random numbers of the run; None for the seed of the model.
    weights : mapping of str to array, Path, str, TrainingResult or None
        Weights and delays by name (``input_to_hidden.weight``), one value per synapse or a matrix pre by
        post; a run directory, its ``weights.h5``, or the result of a training. Parameters that are absent
        or None keep the values of the description.

    Returns
    -------
    Trace

    Raises
    ------
    NetdescError
        As ``compile`` and ``CompiledProgram.forward``; DescriptionError if weights do not fit.
    """
    compiled = _prepared(model, backend, weights)
    return compiled.forward(read_batch(compiled, batch).events, seed)


def grad(
    model: Model,
    *,
    backend: str = "numba",
    batch: Batch | Samples | None = None,
    weights: Source | None = None,
) -> GradientResult:
    """Compute loss, spikes and gradient of one batch.

    Parameters
    ----------
    model : Model
        With at least one loss.
    backend : str
    batch : Batch, Samples or None
        Samples with labels or targets, as for `run`; None for the first batch of the model's data, or its
        own stimulus.
    weights : mapping of str to array, Path, str, TrainingResult or None
        As for `run`.

    Returns
    -------
    GradientResult
        A tuple (loss, trace, gradient).

    Raises
    ------
    NetdescError
        As ``compile``, ``CompiledProgram.forward`` and ``CompiledProgram.backward``; DescriptionError if
        weights do not fit.
    """
    compiled = _prepared(model, backend, weights)
    samples = read_batch(compiled, batch)
    trace = compiled.forward(samples.events)
    result = evaluate_losses(compiled, trace, samples.goals)
    return GradientResult(result.loss, trace, compiled.backward(trace, result.cotangent))


def load_weights(model: Model, source: Source, *, backend: str = "numba") -> Weights:
    """Return weights and delays with the neurons that they connect.

    Parameters
    ----------
    model : Model
    source : mapping of str to array, Path, str or TrainingResult
        As for `run`.
    backend : str

    Returns
    -------
    Weights

    Raises
    ------
    NetdescError
        If they do not fit the model, or the model does not compile.
    """
    compiled = compile(model, backend)
    return Weights(_fitting(source, compiled), compiled.program.connections())


def _prepared(model: Model, backend: str, weights: Source | None) -> CompiledProgram:
    compiled = compile(model, backend)
    if weights is not None:
        compiled.write(_fitting(weights, compiled))
    return compiled


def _fitting(source: Source, compiled: CompiledProgram) -> dict[str, Floats]:
    if isinstance(source, Mapping):
        return fit_weights(source, compiled.program)
    if isinstance(source, TrainingResult):
        source = source.weights
    if not isinstance(source, str | Path):
        raise DescriptionError(
            "expected weights as a mapping of arrays, a run directory, a weights.h5 or a TrainingResult, got "
            f"{type(source).__name__}"
        )
    return read_weights(Path(source), compiled.program, compiled.model.description)
