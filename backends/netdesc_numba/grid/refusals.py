"""What the schemes with packets do not have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.adjoint.final_voltages import final_readings
from netdesc.dynamics.tick import PUBLISHED
from netdesc.errors import BackendError, Diagnostic
from netdesc.program import PopulationSlice, Program

CODE = "NB-SCHEME"


def refuse(program: Program, scheme: str) -> None:
    """Raise an error that names everything a scheme does not have.

    Parameters
    ----------
    program : Program
    scheme : str

    Raises
    ------
    BackendError
        If a neuron starts at or above its threshold; if adjoints are recorded or delays trained; and, with
        ``published``, if a neuron has a refractory period or a subtractive reset, or states are recorded.
    """
    faults = [
        fault
        for population in program.populations
        if population.kind == "spiking"
        for fault in cell_faults(program, population, scheme)
    ]
    for item in program.sampling:
        if scheme == PUBLISHED or item.variable.startswith("lam"):
            faults.append(
                Diagnostic(
                    f"scheme {scheme} does not record {item.variable}; record spikes only, or set "
                    "backends.numba.solver: event",
                    f"record.{item.population}",
                    CODE,
                )
            )
    faults += [
        Diagnostic(
            f"scheme {scheme} does not train delays, which are whole ticks; set train: false, or "
            "backends.numba.solver: event",
            f"{block.path}.delay",
            CODE,
        )
        for block in program.blocks
        if block.train_delay
    ]
    recurrent = {
        program.populations[p].name for stage in program.stages if stage.recurrent for p in stage.populations
    }
    faults += [
        Diagnostic(
            f"scheme {scheme} has no gradient of last voltages in a cycle of projections, which "
            f"{item.population} is in; set pull: 0 in its loss, or backends.numba.solver: event",
            f"populations.{item.population}",
            CODE,
        )
        for item in final_readings(program)
        if item.population in recurrent
    ]
    if faults:
        raise BackendError(faults)


def cell_faults(program: Program, population: PopulationSlice, scheme: str) -> Iterator[Diagnostic]:
    """Yield what a scheme does not have of a population's cells."""
    span = slice(population.start, population.stop)
    values = program.parameters
    path = f"{population.path}.neuron"
    if np.any(values["v_init"][span] >= values["threshold"][span]):
        yield Diagnostic(
            f"scheme {scheme} needs every neuron to start below its threshold; lower the initial voltage",
            path,
            CODE,
        )
    if scheme == PUBLISHED and np.any(values["tau_ref"][span] > 0.0):
        yield Diagnostic(
            "scheme published has no refractory period; use 0 ms, exact_exponential or off_grid",
            path,
            CODE,
        )
    if scheme == PUBLISHED and population.subtractive_reset:
        yield Diagnostic(
            "scheme published has no subtractive reset; use reset: to_value, exact_exponential or off_grid",
            path,
            CODE,
        )
