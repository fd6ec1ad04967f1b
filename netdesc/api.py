"""Load and compile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from netdesc.border import configure, passes_of
from netdesc.compiled import CompiledProgram, Model, located
from netdesc.description import describe, describe_mapping
from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.graph.pipeline import compile_graph
from netdesc.lower import lower
from netdesc.memory import expect_samples, require_memory
from netdesc.stimulus import needs_data, require_data
from netdesc.trace import Trace

if TYPE_CHECKING:
    from netdesc.datasets.samples import Samples
    from netdesc.goals import Goals, Traces
    from netdesc.losses.evaluation import Evaluation

__all__ = [
    "Batch",
    "CompiledProgram",
    "Model",
    "batch",
    "compile",
    "evaluate_losses",
    "first_batch",
    "load",
    "located",
    "read_batch",
]


class Batch(NamedTuple):
    """Samples with their labels and targets.

    Parameters
    ----------
    events : Events or None
        Spikes of the dataset population; None where the model has no data.
    labels : ndarray of int64, shape (batch,), or None
    times : ndarray of float64, shape (batch, outputs, k), or None
        Target times in ms of the first k spikes of every output; NaN where there is no target.
    traces : Traces or None
        Target voltages, ``values`` of shape (batch, steps, outputs).
    """

    events: Events | None
    labels: Integers | None
    times: Floats | None = None
    traces: Traces | None = None

    @property
    def goals(self) -> Goals:
        """Labels and targets, as losses take them."""
        from netdesc.goals import Goals

        return Goals(self.labels, self.times, self.traces)

    def head(self, count: int) -> Batch:
        """Return the first samples.

        Parameters
        ----------
        count : int

        Returns
        -------
        Batch
        """
        if self.events is None:
            return self
        goals = self.goals.take(slice(count))
        return Batch(self.events.head(count), goals.labels, goals.times, goals.traces)


def load(
    source: str | Path | Mapping[str, object], overrides: Mapping[str, object] | Sequence[str] = ()
) -> Model:
    """Read a description from a file or from a nested mapping.

    Parameters
    ----------
    source : str, Path or mapping
        A YAML file, or its content as a nested mapping in Python: texts such as ``"10 ms"``,
        numbers, booleans, lists, and numpy arrays in base units (ms, mV, nA, nF, MOhm, uS) wherever a
        file may have a list or a matrix.
    overrides : mapping or sequence of str
        ``{"training.epochs": 5}`` or ``["training.epochs=5"]``.

    Returns
    -------
    Model

    Raises
    ------
    DescriptionError
        With all errors and their locations: line and column in a file, the dotted path in a mapping.
    """
    if isinstance(source, Mapping):
        return Model(describe_mapping(source, overrides))
    return Model(describe(source, overrides))


def compile(model: Model, backend: str = "numba") -> CompiledProgram:
    """Compile a model for a backend.

    Parameters
    ----------
    model : Model
    backend : str
        Name of an installed backend.

    Returns
    -------
    CompiledProgram
        Not loaded on the device before its first use.

    Raises
    ------
    GraphError
        If no network can be built from the description.
    LimitError
        If the backend does not support the model, or a run would need more memory than is available.
    BackendError
        If there is no such backend, or one of its options is wrong.
    """
    description = model.description
    with located(model):
        device = configure(backend, description.backends.get(backend, {}))
        graph = compile_graph(description, passes_of(device))
        program = lower(graph)
        require_memory(
            program,
            description,
            step=device.limits.step,
            backend=device.name,
            batch=expect_samples(description),
        )
        return CompiledProgram(model, graph, program, device)


def evaluate_losses(compiled: CompiledProgram, trace: Trace, goals: Goals | Integers | None) -> Evaluation:
    """Compute the losses of a run.

    Parameters
    ----------
    compiled : CompiledProgram
    trace : Trace
    goals : Goals, ndarray of int64, shape (batch,), or None
        Labels and targets of the samples, or labels alone.

    Returns
    -------
    netdesc.losses.Evaluation

    Raises
    ------
    DescriptionError
        If the model has no loss, or a label is missing.
    """
    from netdesc.losses.evaluation import evaluate

    with located(compiled.model):
        return evaluate(compiled.model.description.losses, trace, compiled.program, goals)


def first_batch(compiled: CompiledProgram) -> Batch:
    """Return the first samples of a model's training data.

    Parameters
    ----------
    compiled : CompiledProgram

    Returns
    -------
    Batch
        ``training.batch_size`` samples, or 32, in the order of the dataset; without events where the
        model has no data.

    Raises
    ------
    DescriptionError
        If the data cannot be loaded.
    """
    description = compiled.model.description
    if not needs_data(compiled.program):
        return Batch(None, None)
    size = description.training.batch_size if description.training else 32
    return load_batch(compiled, None, "train", size)


def batch(
    model: Model,
    data: Samples | None = None,
    *,
    split: str = "train",
    count: int | None = None,
    backend: str = "numba",
) -> Batch:
    """Return the first samples of a split, encoded as in training.

    Parameters
    ----------
    model : Model
    data : Samples or None
        Samples in place of the dataset of the model.
    split : str
        ``train``, ``validation`` or ``test``.
    count : int or None
        How many; None for all.
    backend : str
        For which the neurons are counted.

    Returns
    -------
    Batch
        For `run` and `grad`.

    Raises
    ------
    DescriptionError
        If the data cannot be loaded, or there are no such samples.
    """
    return load_batch(compile(model, backend), data, split, count)


def read_batch(compiled: CompiledProgram, given: Events | Samples | Batch | None) -> Batch:
    """Return samples for a program in the form that it takes.

    Parameters
    ----------
    compiled : CompiledProgram
    given : Events, Samples, Batch or None
        None for the first batch of the model's data.

    Returns
    -------
    Batch

    Raises
    ------
    DescriptionError
        If the data cannot be loaded, or samples do not fit.
    """
    if given is None:
        return first_batch(compiled)
    if isinstance(given, Batch):
        return given
    return (
        Batch(given, None) if isinstance(given, Events) else load_batch(compiled, given.only(), "train", None)
    )


def load_batch(compiled: CompiledProgram, data: Samples | None, split: str, count: int | None) -> Batch:
    """Load a dataset and return the first samples of a split; see `batch`."""
    from netdesc.datasets.catalogue import load as load_dataset
    from netdesc.description.sections.data import with_dataset

    description, program = compiled.model.description, compiled.program
    with located(compiled.model):
        given = with_dataset(description.data) if data is None else data
        if given is None:
            require_data(program)
            raise DescriptionError("the model has no samples: no population has source: dataset")
        dataset = load_dataset(given, program, seed=program.seed, defaults=description.data)
        parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
        part = parts.get(split)
        if part is None:
            known = ", ".join(name for name, item in parts.items() if item is not None)
            raise DescriptionError(f"expected a split with samples, got {split!r}; use one of {known}")
    chosen = np.arange(len(part) if count is None else min(count, len(part)))
    goals = part.batch_goals(chosen)
    return Batch(part.batch(chosen), goals.labels, goals.times, goals.traces)
