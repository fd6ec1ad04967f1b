"""A training from its first epoch, or from where it stopped, to its last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.compiled import choose_backend
from netdesc.datasets.samples import Samples
from netdesc.description.model import Description
from netdesc.errors import DescriptionError
from netdesc.escapes import safe_name
from netdesc.forecast import Outline
from netdesc.losses.evaluation import require_kinds
from netdesc.training.checkpoint import restore_state, save_state
from netdesc.training.continuation import describe_stages
from netdesc.training.device import put_on_device
from netdesc.training.directory import (
    Run,
    RunDirectory,
    open_directory,
    require_vacant,
    write_metrics,
    write_result,
)
from netdesc.training.loop import has_stalled, is_over, run_epoch
from netdesc.training.origin import Origin
from netdesc.training.pace import Pace
from netdesc.training.preparation import build_task, load_machine, require_training
from netdesc.training.records import Metrics, Progress, TrainingResult
from netdesc.training.signs import Watch
from netdesc.training.tally import measure
from netdesc.training.task import State, Task, choose_split, start
from netdesc.training.weights import load_weights, save_weights

if TYPE_CHECKING:
    from netdesc.api import Model


def train(
    model: Model,
    *,
    data: Samples | None = None,
    backend: str | None = None,
    output: Path | str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> TrainingResult:
    """Train a model and write all results to a run directory.

    After every epoch the directory holds a complete checkpoint. A training that was stopped at any moment,
    in whatever way, and continues with ``resume`` on the same machine and versions ends with the same
    weights, bit for bit, as one that was never stopped.

    Parameters
    ----------
    model : Model
        With losses and a section ``training``.
    data : Samples or None
        Samples in place of the dataset of the model; its encoder and augmentation are used.
    backend : str or None
        None for ``training.backend`` of the file, or else numba.
    output : Path, str or None
        The run directory; created if it does not exist. None for ``runs/NAME``, with the name of the model.
    resume : bool
        Continue the run in the directory, if there is one. Only ``training.epochs``,
        ``training.early_stopping``, ``training.on_device``, ``training.on_dead``, the backend with its
        options, and what does not change the model may differ; a run that started on another backend
        continues with its optimizer state.
    progress : Progress or None
        Called after every epoch.

    Returns
    -------
    TrainingResult

    Raises
    ------
    DescriptionError
        If the model has nothing to train, no losses, or data that cannot be loaded.
    LimitError, BackendError
        If the backend does not support the model.
    RunDirectoryError
        If the directory holds a run and ``resume`` is False, or the run of another model.
    NumericsError
        With epoch and step, if a number stops being finite; the last checkpoint stays.
    """
    name = backend or choose_backend(model)
    directory = run_directory(model.description, output)
    require_vacant(directory, resume=resume)
    task = prepare_task(model, name, data)
    origin = Origin.of(model.description, task.program, task.dataset)
    with open_directory(directory, model.description, origin, backend=name, resume=resume) as run:
        try:
            return fit(task, run, progress=progress, pace=set_pace(task, model.description))
        except DescriptionError as error:
            raise error.located(model.description.locations) from error


def prepare_task(model: Model, backend: str, data: Samples | None = None, *, learns: bool = True) -> Task:
    """Gather what a training needs, once all that it asks for is known to be possible.

    Parameters
    ----------
    model : Model
    backend : str
    data : Samples or None
        As for ``train``.
    learns : bool
        False to measure alone, which needs neither gradients of the losses nor a device that learns.

    Raises
    ------
    DescriptionError
        If the model has nothing to train, no losses, or data that cannot be loaded.
    LimitError, BackendError
        If the backend does not support the model.
    """
    from netdesc.api import compile, located

    with located(model):
        training = require_training(model.description, backend)
        compiled = compile(model, backend)
        if learns:
            losses = compiled.backend.limits.losses
            require_kinds(model.description.losses.values(), losses, f"backend {backend}")
        task = build_task(load_machine(compiled), model.description, training, data)
        task = replace(task, backend=compiled.backend)
        return put_on_device(task, backend=backend) if learns else task


def run_directory(description: Description, output: Path | str | None) -> Path:
    """Return the directory of a run: as given, or named after the model."""
    if output is not None:
        return Path(output)
    return Path("runs") / safe_name(description.name or "model")


def evaluate(
    model: Model,
    weights: Path | str | None = None,
    backend: str | None = None,
    *,
    data: Samples | None = None,
) -> Metrics:
    """Measure trained weights on any backend.

    Parameters
    ----------
    model : Model
        With losses.
    weights : Path, str or None
        A run directory or its ``weights.h5``; None for the weights of the file.
    backend : str or None
        None for ``training.backend`` of the file, or else numba.
    data : Samples or None
        Samples in place of the dataset of the model. Features are scaled by their training samples, so pass
        the same as to `train`.

    Returns
    -------
    Metrics
        Of the test samples; of the validation or training samples where there are none.

    Raises
    ------
    DescriptionError
        If the model has no losses, or data that cannot be loaded.
    LimitError, BackendError
        If the backend does not support the model.
    RunDirectoryError
        If the weights do not fit.
    """
    from netdesc.api import located

    task = prepare_task(model, backend or choose_backend(model), data, learns=False)
    values = task.program.trainable()
    if weights is not None:
        values = load_weights(Path(weights), task.program, model.description)
    with located(model):
        return measure(task, task.flat.join(values), choose_split(task.feeds))


def set_pace(task: Task, description: Description) -> Pace | None:
    """Return what forecasts a training, its first forecast made; None where its backend is not known."""
    if task.backend is None:
        return None
    pace = Pace(Outline.of(task.program, description, task.backend, dataset=task.dataset))
    pace.announce()
    return pace


def fit(
    task: Task, run: Run, *, progress: Progress | None = None, pace: Pace | None = None
) -> TrainingResult:
    """Train until all epochs are over or early stopping ends it.

    Parameters
    ----------
    task : Task
    run : Run
        Goes on from its checkpoint where it has one.
    progress : Progress or None
    pace : Pace or None
        For the forecast.

    Raises
    ------
    RunDirectoryError
        If the checkpoint does not fit.
    NumericsError
        With epoch and step, if a number stops being finite, or if the training explodes or is dead and
        ``training.on_dead`` is ``stop``; the last checkpoint stays.
    """
    directory, past = run.directory, run.past
    state = start(task) if past is None else restore_state(past.content, task.flat, past.path)
    if state.epoch:
        write_metrics(directory.metrics, state.reports)
        keep_weights(task, state, run)
    watch = Watch(task, task.flat.join(task.program.trainable()))
    while not is_over(task, state):
        state = run_epoch(task, state, watch, pace)
        save_state(directory.checkpoint, state, task.flat, origin=run.origin)
        write_metrics(directory.metrics, state.reports)
        if state.best_epoch == state.epoch:
            keep_weights(task, state, run)
        if progress is not None:
            progress(state.reports[-1])
    if pace is not None:
        pace.conclude()
    result = finish(task, state, run)
    return result if pace is None else replace(result, forecast=pace.forecast)


def keep_weights(task: Task, state: State, run: Run) -> None:
    """Write the best weights so far."""
    best = task.flat.split(state.best_values)
    save_weights(
        run.directory.weights,
        best,
        epoch=state.best_epoch,
        origin=run.origin,
        connections=task.program.connections(),
    )


def finish(task: Task, state: State, run: Run) -> TrainingResult:
    """Test the best weights and draw the curves."""
    directory = run.directory
    test = measure(task, state.best_values, "test") if "test" in task.feeds else None
    write_result(directory.result, test, state.best_epoch)
    curve, notes = draw_curve(directory)
    signs = dict.fromkeys(note for report in state.reports for note in report.notes)
    return TrainingResult(
        directory=directory.path,
        reports=state.reports,
        best_epoch=state.best_epoch,
        stopped_early=has_stalled(task, state) and state.epoch < task.training.epochs,
        test=test,
        weights=directory.weights,
        curve=curve,
        notes=(
            *run.notes,
            *describe_stages(run.origin.stages),
            *signs,
            *(task.dataset.notes if task.dataset else ()),
            *notes,
        ),
    )


def draw_curve(directory: RunDirectory) -> tuple[Path | None, tuple[str, ...]]:
    """Draw the curves where matplotlib is installed.

    Returns
    -------
    curve : Path or None
    notes : tuple of str
        Why there is no picture, where there is none.
    """
    try:
        from netdesc.plotting import plot_curves

        plot_curves(directory.metrics, directory.curve)
    except ImportError:
        return None, ("matplotlib is not installed, so no curves were drawn; install netdesc[plot]",)
    return directory.curve, ()
