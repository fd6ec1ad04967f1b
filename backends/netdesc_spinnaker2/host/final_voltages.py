"""Voltages at the end of a sample: read by the host, and derivatives by them that it sends to the board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.adjoint.drive import check_cotangent
from netdesc.adjoint.final_voltages import final_readings, final_samplings, read_final_voltages, refuse_spikes
from netdesc.errors import BackendError, Diagnostic
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.trace import Cotangent, Read, Recording, Trace
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.board.loading import Out
from netdesc_spinnaker2.board.packets import AT_END
from netdesc_spinnaker2.host.readout import read_samples
from netdesc_spinnaker2.programs.loss import Forces


def watch(program: Program) -> Program:
    """Return a program with the last voltages among what is sampled."""
    return replace(program, sampling=(*program.sampling, *final_samplings(program)))


def read_states(
    out: Out, emulation: Emulation, program: Program, spikes: Mapping[str, Events]
) -> tuple[dict[str, Recording], dict[str, Read]]:
    """Return what was sampled, and the last voltages.

    Parameters
    ----------
    out : Out
        Of a run of ``watch(program)``.
    emulation : Emulation
    program : Program
    spikes : mapping of str to Events

    Returns
    -------
    samples : dict of str to Recording
        By ``population.variable``, as the program asks.
    readings : dict of str to Read
        By the keys of the readings.
    """
    final = final_samplings(program)
    asked = read_samples(out, emulation, replace(program, sampling=(*final, *program.sampling)))
    last = read_samples(out, emulation, watch(program)) if final else {}
    keys = {f"{item.population}.{item.variable}" for item in program.sampling}
    return {key: asked[key] for key in keys}, read_final_voltages(program, last, spikes)


def last_voltage_forces(
    program: Program, trace: Trace, cotangent: Cotangent, outputs: tuple[str, ...]
) -> dict[str, Floats]:
    """Return ``-dL/dv (th - E)`` of the last voltages, by population, shape (batch, n).

    Parameters
    ----------
    program : Program
    trace : Trace
    cotangent : Cotangent
    outputs : tuple of str
        Populations with a loss program.

    Raises
    ------
    NumericsError
        If the cotangent does not fit, or is about a neuron that spikes.
    BackendError
        If it is about a population without a loss program.
    """
    check_cotangent(program, trace, cotangent)
    result = {}
    for item in final_readings(program):
        values = cotangent.readings.get(item.key)
        if values is None or not np.any(values):
            continue
        population = program.population(item.population)
        refuse_spikes(population, trace, np.asarray(values, dtype=np.float64))
        if item.population not in outputs:
            message = (
                f"a loss pulls {item.population}, which projects to other neurons and has no loss program; "
                "set pull: 0"
            )
            raise BackendError(Diagnostic(message, f"populations.{item.population}", "S2-LOSS"))
        span = slice(population.start, population.stop)
        gap = program.parameters["threshold"][span] - program.parameters["rest"][span]
        result[item.population] = -np.asarray(values, dtype=np.float64) * gap
    return result


def add_last_voltages(
    forces: Forces,
    by_voltage: Mapping[str, Floats],
    holders: Mapping[str, tuple[Integers, Integers]],
    each: int,
    top: int,
) -> Forces:
    """Add derivatives by last voltages to those by spikes.

    Parameters
    ----------
    forces : Forces
    by_voltage : mapping of str to ndarray
        From ``last_voltage_forces``.
    holders : mapping of str to (starts, numbers)
        Loss programs by population, as ``slice_holders`` finds them.
    each : int
        Holders of a sample.
    top : int
        First tick backward, in which they leave.
    """
    groups, neurons, values = [], [], []
    for name, matrix in by_voltage.items():
        starts, numbers = holders[name]
        samples, cells = np.nonzero(matrix)
        groups.append(samples * each + numbers[np.searchsorted(starts, cells, side="right") - 1])
        neurons.append(cells)
        values.append(matrix[samples, cells])
    if not groups:
        return forces
    group = np.concatenate(groups)
    order = np.argsort(group, kind="stable")
    at = forces.first[1:][group[order]]
    counts = np.bincount(group, minlength=len(forces.first) - 1)
    return Forces(
        forces.first + np.concatenate(([0], np.cumsum(counts))),
        np.insert(forces.tick, at, top - 1),
        np.insert(forces.neuron, at, np.concatenate(neurons)[order]),
        np.insert(forces.fraction, at, np.float32(AT_END)),
        np.insert(forces.value, at, np.concatenate(values)[order].astype(np.float32)),
    )
