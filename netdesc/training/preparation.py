"""From a model to a task: what is missing or impossible is reported before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netdesc.backend import LossFusion, Machine
from netdesc.border import load as load_checked
from netdesc.datasets.samples import Samples
from netdesc.datasets.survey import load_samples
from netdesc.description.model import Description, Training
from netdesc.errors import BackendError, DescriptionError
from netdesc.memory import require_memory
from netdesc.training.device import list_objectives
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.optimizers import build_optimizer
from netdesc.training.records import require_watchable
from netdesc.training.task import Task

if TYPE_CHECKING:
    from netdesc.api import CompiledProgram


def load_machine(compiled: CompiledProgram) -> Machine:
    """Load a program on its device, with nothing to record; what the machine returns is checked."""
    program = compiled.program.without_sampling()
    return load_checked(compiled.backend, program, seed=program.seed)


def require_training(description: Description, backend: str) -> Training:
    """Return the section ``training``, once all it asks for is known to be possible.

    Raises
    ------
    DescriptionError
        If the section or a loss is missing.
    BackendError
        If forward and adjoint are to run on different backends.
    """
    if not description.losses:
        raise DescriptionError("there is no loss; add one under losses", path="losses")
    training = description.training
    if training is None:
        raise DescriptionError(
            "there is no section training; add one, for example training: {optimizer: adam, epochs: 100}",
            path="training",
        )
    if training.options.get("forward_backend") not in (None, backend):
        raise BackendError(
            "running forward and adjoint on different backends is not supported yet; remove forward_backend",
            path="training.forward_backend",
        )
    return training


def build_task(
    machine: Machine, description: Description, training: Training, data: Samples | None = None
) -> Task:
    """Gather what a training needs.

    Parameters
    ----------
    machine : Machine
    description : Description
    training : Training
    data : Samples or None
        In place of the data of the description.

    Raises
    ------
    DescriptionError
        If nothing is trainable, data are missing or do not fit, or early stopping has nothing to watch.
    LimitError
        If a batch would take more memory than there is.
    """
    program = machine.program
    flat = FlatParameters.of(program)
    dataset = load_samples(description, program, data)
    samples = len(dataset.train) if dataset is not None else 1
    require_memory(program, description, step=None, backend="", batch=min(training.batch_size, samples))
    validation = dataset.validation if dataset is not None else None
    require_watchable(
        training.early_stopping,
        validated=validation is not None,
        labelled=validation is not None and validation.labels is not None,
    )
    fused = machine.fuse(list_objectives(description.losses)) if isinstance(machine, LossFusion) else None
    return Task(
        machine,
        training,
        description.losses,
        dataset,
        flat,
        build_optimizer(training.optimizer, flat),
        fused=fused,
    )
