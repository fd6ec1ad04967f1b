"""What the schemes of a grid do not have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.dynamics.tick import EXACT, PUBLISHED
from netdesc.errors import BackendError, Diagnostic
from netdesc.program import PopulationSlice, Program
from netdesc_numba.grid.passes import CODE, trained_delay, unpublished


def refuse(program: Program, scheme: str, *, transport: bool) -> None:
    """Raise an error that names everything a scheme does not have.

    Parameters
    ----------
    program : Program
    scheme : str
    transport : bool
        Whether delays include the transport of a packet, of whole ticks.

    Raises
    ------
    BackendError
        If adjoints are recorded, except with ``exact_exponential`` without transport, or delays trained with
        it; if a neuron starts at or above its threshold, except with ``exact_exponential``; and, with
        ``published``, if a neuron has a refractory period or a subtractive reset, or states are recorded.
    """
    same = scheme == EXACT and not transport
    faults = [
        fault
        for population in program.populations
        if population.kind == "spiking"
        for fault in cell_faults(program, population, scheme)
    ]
    for item in program.sampling:
        if scheme == PUBLISHED or (item.variable.startswith("lam") and not same):
            message = (
                f"scheme {scheme} does not record {item.variable}; record spikes only, or set "
                "backends.numba.solver: event"
            )
            faults.append(Diagnostic(message, f"record.{item.population}", CODE))
    faults += [trained_delay(block.path) for block in program.blocks if block.train_delay and transport]
    if faults:
        raise BackendError(faults)


def cell_faults(program: Program, population: PopulationSlice, scheme: str) -> Iterator[Diagnostic]:
    """Yield what a scheme does not have of a population's cells."""
    if population.equations is not None:
        return
    span = slice(population.start, population.stop)
    values = program.parameters
    if scheme != EXACT and np.any(values["v_init"][span] >= values["threshold"][span]):
        message = (
            f"scheme {scheme} needs every neuron to start below its threshold; lower the initial voltage"
        )
        yield Diagnostic(message, f"{population.path}.neuron", CODE)
    if scheme == PUBLISHED:
        yield from unpublished(population.path, values["tau_ref"][span], population.subtractive_reset)
