"""Training on a device that holds loss and optimizer itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.backend import LearningRule, LearningState, Objective, OnDeviceLearning
from netdesc.description.model import Loss, Training
from netdesc.errors import BackendError, Diagnostic, NumericsError
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.optimizers import OptimizerState, fill_options
from netdesc.training.task import State, Task

CODE = "ON-DEVICE"
"""Code of what stands against learning on a device."""


def put_on_device(task: Task, *, backend: str) -> Task:
    """Prepare the machine of a task to learn by itself, where the file asks for that.

    Parameters
    ----------
    task : Task
    backend : str
        Its name, for messages.

    Returns
    -------
    Task
        The same where loss and optimizer are to run on the host.

    Raises
    ------
    BackendError
        If the machine cannot learn by itself, or not in this way; everything at once, code ``ON-DEVICE`` or
        one of the backend's own.
    """
    if not task.training.options.get("on_device"):
        return task
    machine, faults = task.machine, list[Diagnostic]()
    policy = task.training.silent_neurons.kind
    if policy != "ignore":
        faults.append(
            Diagnostic(
                f"{policy} is applied by the host, but with on_device the device updates the weights; use "
                "ignore, or remove on_device",
                "training.silent_neurons",
                CODE,
            )
        )
    if not isinstance(machine, OnDeviceLearning):
        faults.append(
            Diagnostic(
                f"the backend {backend} cannot learn on the device; remove on_device, or "
                "name a backend that can",
                "training.on_device",
                CODE,
            )
        )
        raise BackendError(faults)
    try:
        machine.prepare(write_rule(task.losses, task.training))
    except BackendError as error:
        faults.extend(error.diagnostics)
    if faults:
        raise BackendError(faults)
    return replace(task, device=machine)


def write_rule(losses: Mapping[str, Loss], training: Training) -> LearningRule:
    """Put together what a device needs to know in order to learn."""
    return LearningRule(list_objectives(losses), training.optimizer.kind, fill_options(training.optimizer))


def list_objectives(losses: Mapping[str, Loss]) -> tuple[Objective, ...]:
    """Return losses as plain data."""
    return tuple(
        Objective(
            loss.kind,
            loss.population,
            loss.weight,
            {name: value for name, value in loss.options.items() if value is not None},
        )
        for loss in losses.values()
    )


def give_state(device: OnDeviceLearning, flat: FlatParameters, state: State) -> None:
    """Put parameters and optimizer, of this device, of another one or of the host, onto a device."""
    moments = {name: flat.split(moment) for name, moment in state.optimizer.moments.items()}
    device.restore(LearningState(state.optimizer.steps, flat.split(state.values), moments))


def take_state(device: OnDeviceLearning, flat: FlatParameters, state: State) -> State:
    """Read parameters and optimizer back from a device.

    Returns
    -------
    State
        With the device's values and optimizer.

    Raises
    ------
    NumericsError
        If a parameter or a moment is not finite.
    """
    learned = device.state()
    parts = {"parameters": learned.parameters, **learned.moments}
    faults = [
        f"{key} ({name})"
        for name, part in parts.items()
        for key in flat.keys
        if not np.isfinite(part[key]).all()
    ]
    if faults:
        raise NumericsError(
            f"epoch {state.epoch + 1}: read back from the device, {', '.join(faults)} is not "
            "finite; lower the learning rate"
        )
    moments = {name: flat.join(part) for name, part in learned.moments.items()}
    return replace(
        state, values=flat.join(learned.parameters), optimizer=OptimizerState(learned.steps, moments)
    )
