"""Parameters of the neurons of a stage, as kernels take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netdesc.dynamics.generate import record_of_cell
from netdesc.dynamics.membrane import Membrane
from netdesc.dynamics.protocol import find_code
from netdesc.errors import BackendError, Diagnostic
from netdesc.events import Floats
from netdesc.program import PopulationSlice, Program, Stage


@dataclass(frozen=True, slots=True)
class Cells:
    """Parameters of the neurons of a stage, in the frame of the resting voltage.

    Parameters
    ----------
    tau_m, tau_ref : ndarray of float64, shape (n,)
        In ms.
    tau_s : ndarray of float64, shape (n, 2)
        In ms; the second column repeats the first where a neuron has one current.
    gap, reset, start : ndarray of float64, shape (n,)
        Threshold, reset and initial voltage minus the resting voltage.
    current : ndarray of float64, shape (n, 2)
        Initial synaptic currents.
    rest : ndarray of float64, shape (n,)
    two : bool
        Whether some neuron has two currents with different time constants.
    record : named tuple
        The parameters as kernels take them; its class says which cell it is.
    """

    tau_m: Floats
    tau_ref: Floats
    tau_s: Floats
    gap: Floats
    reset: Floats
    start: Floats
    current: Floats
    rest: Floats
    two: bool
    record: Any

    @property
    def uniform(self) -> bool:
        """Whether all neurons share their time constants and levels."""
        columns = (self.tau_m, self.tau_ref, self.tau_s[:, 0], self.gap, self.reset)
        return not self.two and all(bool(np.all(column == column[0])) for column in columns)


def read_cells(program: Program, stage: Stage) -> Cells:
    """Return the cells of a stage."""
    index = np.concatenate(
        [np.arange(program.populations[p].start, program.populations[p].stop) for p in stage.populations]
    )
    values = program.parameters
    tau_s = np.atleast_2d(values["tau_s"].T).T[index]
    current = np.atleast_2d(values["i_init"].T).T[index]
    if tau_s.shape[1] == 1:
        tau_s, current = np.repeat(tau_s, 2, axis=1), np.hstack([current, np.zeros_like(current)])
    single = np.isnan(tau_s[:, 1])
    tau_s = np.where(np.isnan(tau_s), tau_s[:, :1], tau_s)
    current = np.where(np.isnan(current), 0.0, current) if bool(np.any(single)) else current
    rest = values["rest"][index]
    given_by_equations = any(program.populations[p].equations is not None for p in stage.populations)
    membrane = Membrane(
        tau_m=values["tau_m"][index],
        tau_ref=values["tau_ref"][index],
        tau_s=np.ascontiguousarray(tau_s),
        gap=values["threshold"][index] - rest,
        reset=values["reset"][index] - rest,
        start=values["v_init"][index] - rest,
        current=np.ascontiguousarray(current),
    )
    return Cells(
        **membrane._asdict(),
        rest=rest,
        two=bool(np.any(tau_s[:, 0] != tau_s[:, 1])),
        record=read_record(program, stage) if given_by_equations else membrane,
    )


def residuals_of(population: PopulationSlice) -> tuple[str, ...]:
    """Return the names of what the adjoint needs of each spike of a population."""
    return find_code(record_of(population)).residuals


def record_of(population: PopulationSlice) -> type:
    """Return the class of the parameter records of a population's cell."""
    cell = population.equations
    return Membrane if cell is None else record_of_cell(cell)


def read_record(program: Program, stage: Stage) -> Any:
    """Return the parameters of a stage of cells that are given by equations, as kernels take them."""
    members = [program.populations[p] for p in stage.populations]
    cell = members[0].equations
    if cell is None or any(item.equations != cell for item in members):
        models = ", ".join(f"{item.name} ({item.model})" for item in members)
        message = (
            f"populations that form a cycle need one neuron model, got {models}; give all of them the same"
        )
        raise BackendError(Diagnostic(message, f"{members[0].path}.neuron"))
    record = record_of_cell(cell)
    values = {name: np.concatenate([item.values[name] for item in members]) for name in cell.parameters}
    hold = values.get(cell.refractory, np.zeros(sum(item.size for item in members)))
    start = np.concatenate([initial_states(record, item) for item in members])
    return record(
        **{name: np.ascontiguousarray(item) for name, item in values.items()}, start=start, tau_ref=hold
    )


def initial_states(record: type, population: PopulationSlice) -> Floats:
    """Return the states at 0 of a population, shape (size, width)."""
    cell = population.equations
    if cell is None:
        raise ValueError(f"{population.name} has no equations")
    given = record(**{name: population.values[name] for name in cell.parameters}, start=None, tau_ref=None)
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
