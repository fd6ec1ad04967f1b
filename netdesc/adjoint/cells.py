"""Parameters of the neurons of a stage, as kernels take them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.dynamics.generate import record_of_cell
from netdesc.dynamics.membrane import Membrane
from netdesc.dynamics.protocol import find_code
from netdesc.errors import BackendError
from netdesc.events import Floats, Integers, frozen
from netdesc.program import PopulationSlice, Program, Stage


class Constants(NamedTuple):
    """Parameters that all neurons of a layer share.

    Parameters
    ----------
    tau_m, tau_s : float
        In ms.
    gap, reset : float
        Threshold and reset minus the resting voltage.
    """

    tau_m: float
    tau_s: float
    gap: float
    reset: float


class UniformLayer(NamedTuple):
    """A layer, as kernels take it.

    Parameters
    ----------
    constants : Constants
    weights : ndarray of float64, shape (rows, n)
        An arrival adds its row to the currents. Read-only without exception, as kernels are compiled for
        one kind of array.
    start, current : ndarray of float64, shape (n,)
        Voltage above rest and current at 0.
    """

    constants: Constants
    weights: Floats
    start: Floats
    current: Floats


class Loop(NamedTuple):
    """Projections of a layer onto itself.

    Parameters
    ----------
    row : ndarray of int64, shape (projections,)
        First row of the weights of each.
    delay : ndarray of float64, shape (projections,)
        In ms.
    shortest : float
        The smallest of the delays.
    """

    row: Integers
    delay: Floats
    shortest: float


def neurons_of(program: Program, stage: Stage) -> Integers:
    """Return the indices of the neurons of a stage in the program."""
    return np.concatenate(
        [np.arange(program.populations[p].start, program.populations[p].stop) for p in stage.populations]
    )


def read_cells(program: Program, stage: Stage) -> Any:
    """Return the parameters of a stage as kernels take them; their class says which cell it is."""
    if any(program.populations[p].equations is not None for p in stage.populations):
        return read_equations(program, stage)
    return read_membranes(program, stage)


def read_membranes(program: Program, stage: Stage) -> Membrane:
    """Return the parameters of a stage of linear membranes, in the frame of the resting voltage."""
    index = neurons_of(program, stage)
    values = program.parameters
    tau_s = np.atleast_2d(values["tau_s"].T).T[index]
    current = np.atleast_2d(values["i_init"].T).T[index]
    if tau_s.shape[1] == 1:
        tau_s, current = np.repeat(tau_s, 2, axis=1), np.hstack([current, np.zeros_like(current)])
    single = np.isnan(tau_s[:, 1])
    tau_s = np.where(np.isnan(tau_s), tau_s[:, :1], tau_s)
    current = np.where(np.isnan(current), 0.0, current) if bool(np.any(single)) else current
    rest = values["rest"][index]
    return Membrane(
        tau_m=values["tau_m"][index],
        tau_ref=values["tau_ref"][index],
        tau_s=np.ascontiguousarray(tau_s),
        gap=values["threshold"][index] - rest,
        reset=values["reset"][index] - rest,
        start=values["v_init"][index] - rest,
        current=np.ascontiguousarray(current),
    )


def decay_alike(cells: Membrane) -> bool:
    """Return whether both currents of every neuron have the same time constant."""
    return bool(np.all(cells.tau_s[:, 0] == cells.tau_s[:, 1]))


def are_uniform(cells: Any) -> bool:
    """Return whether neurons are linear membranes that share their time constants and levels."""
    if not isinstance(cells, Membrane) or not decay_alike(cells):
        return False
    columns = (cells.tau_m, cells.tau_ref, cells.tau_s[:, 0], cells.gap, cells.reset)
    return all(bool(np.all(column == column[0])) for column in columns)


def make_layer(cells: Membrane, weights: Floats) -> UniformLayer:
    """Return a layer of uniform cells; see ``are_uniform``. The weights are those of all rows in turn."""
    constants = Constants(
        float(cells.tau_m[0]), float(cells.tau_s[0, 0]), float(cells.gap[0]), float(cells.reset[0])
    )
    rows = frozen(weights.reshape(-1, len(cells.tau_m)), np.float64)
    return UniformLayer(constants, rows, cells.start, cells.current.sum(axis=1))


def replace_weights(layer: UniformLayer, weights: Floats) -> UniformLayer:
    """Return a layer with other weights of its rows."""
    return layer._replace(weights=frozen(weights.reshape(layer.weights.shape), np.float64))


def residuals_of(population: PopulationSlice) -> tuple[str, ...]:
    """Return the names of what the adjoint needs of each spike of a population."""
    return find_code(record_of(population)).residuals


def record_of(population: PopulationSlice) -> type:
    """Return the class of the parameter records of a population's cell."""
    cell = population.equations
    return Membrane if cell is None else record_of_cell(cell)


def read_equations(program: Program, stage: Stage) -> Any:
    """Return the parameters of a stage of cells that are given by equations."""
    members = [program.populations[p] for p in stage.populations]
    cell = members[0].equations
    if cell is None or any(item.equations != cell for item in members):
        models = ", ".join(f"{item.name} ({item.model})" for item in members)
        message = (
            f"populations that form a cycle need one neuron model, got {models}; give all of them the same"
        )
        raise BackendError(message, f"{members[0].path}.neuron")
    record = record_of_cell(cell)
    values = {name: np.concatenate([item.values[name] for item in members]) for name in cell.parameters}
    hold = values.get(cell.refractory, np.zeros(sum(item.size for item in members)))
    start = np.concatenate([initial_states(record, item) for item in members])
    return record(
        **{f"{name}_": np.ascontiguousarray(item) for name, item in values.items()}, start=start, tau_ref=hold
    )


def initial_states(record: type, population: PopulationSlice) -> Floats:
    """Return the states at 0 of a population, shape (size, width)."""
    cell = population.equations
    if cell is None:
        raise ValueError(f"{population.name} has no equations")
    given = record(
        **{f"{name}_": population.values[name] for name in cell.parameters}, start=None, tau_ref=None
    )
    initial = find_code(record).functions["initial"]
    states = np.array([initial(given, k) for k in range(population.size)], dtype=np.float64)
    for column, name in enumerate(cell.variables):
        if f"initial.{name}" in population.values:
            states[:, column] = population.values[f"initial.{name}"]
    for receptor, short in SHORT_NAMES.items():
        if f"initial.{short}" in population.values and receptor in cell.receptors:
            first = next(iter(cell.receptors[receptor].state))
            column = cell.variables.index(f"{first}_{receptor}")
            states[:, column] = population.values[f"initial.{short}"]
    return states


SHORT_NAMES = {"excitatory": "i_exc", "inhibitory": "i_inh"}
"""Names in a file of the initial values of receptors."""
