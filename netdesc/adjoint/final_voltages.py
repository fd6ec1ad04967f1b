"""Voltages at the end of a run, of neurons that may spike.

A neuron without a spike is a read-out for the length of that sample: its last voltage depends on arrivals
alone, and the adjoint of it begins with a jump of lam_v at the end of the run.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.adjoint.drive import Drive
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats
from netdesc.observation import Reading, Sampling
from netdesc.program import PopulationSlice, Program
from netdesc.trace import Cotangent, Read, Recording, Trace

FINAL = "final"


def final_readings(program: Program) -> list[Reading]:
    """Return the readings that are last voltages."""
    return [item for item in program.readings if item.kind == FINAL]


def final_samplings(program: Program) -> tuple[Sampling, ...]:
    """Return what to sample for the last voltages: v of all neurons, at the start and the end."""
    return tuple(
        Sampling(item.population, "v", np.arange(program.population(item.population).size), program.duration)
        for item in final_readings(program)
    )


def read_final_voltages(
    program: Program, samples: Mapping[str, Recording], spikes: Mapping[str, Events]
) -> dict[str, Read]:
    """Take the last voltages from samples.

    Parameters
    ----------
    program : Program
    samples : mapping of str to Recording
        ``POPULATION.v`` of every neuron, the last one at the end of the run.
    spikes : mapping of str to Events
        By population.

    Returns
    -------
    dict of str to Read
        By the keys of the readings.
    """
    result = {}
    for item in final_readings(program):
        found = samples[f"{item.population}.v"]
        last = found.values[:, np.argsort(found.neurons), -1]
        result[item.key] = read_silent(last, spikes[item.population])
    return result


def read_silent(voltages: Floats, spikes: Events) -> Read:
    """Return last voltages of shape (batch, n) as a reading, NaN where a neuron spikes."""
    values = np.array(voltages, dtype=np.float64)
    values[spikes.samples(), spikes.sources] = np.nan
    return Read(values)


def drive_final_voltages(
    program: Program, places: Mapping[int, int], size: int, trace: Trace, cotangent: Cotangent
) -> Drive | None:
    """Collect what a loss of last voltages injects into a stage of spiking neurons.

    Parameters
    ----------
    program : Program
    places : mapping of int to int
        Populations of the stage, and the first neuron of each within it.
    size : int
        Neurons of the stage.
    trace : Trace
    cotangent : Cotangent

    Returns
    -------
    Drive or None
        None where the loss reads no last voltage of the stage.

    Raises
    ------
    NumericsError
        If the loss reads the last voltage of a neuron in a sample in which it spikes.
    """
    if not any(item.key in cotangent.readings for item in final_readings(program)):
        return None
    mine = {program.populations[k].name: (program.populations[k], place) for k, place in places.items()}
    jumps = np.zeros((trace.batch, size, 1))
    for item in final_readings(program):
        if item.population not in mine or item.key not in cotangent.readings:
            continue
        population, place = mine[item.population]
        values = np.asarray(cotangent.readings[item.key], dtype=np.float64)
        refuse_spikes(population, trace, values)
        tau_m = program.parameters["tau_m"][population.start : population.stop]
        jumps[:, place : place + population.size, 0] -= values / tau_m
    if not jumps.any():
        return None
    nothing = np.zeros((trace.batch, size))
    return Drive(
        np.array([program.duration]), jumps, nothing, nothing, nothing, np.empty(0),
        np.empty((0, trace.batch, size)),
    )  # fmt: skip


def refuse_spikes(population: PopulationSlice, trace: Trace, values: Floats) -> None:
    """Refuse derivatives by the last voltage of neurons that spike."""
    events = trace.spikes[population.name]
    if np.any(values[events.samples(), events.sources] != 0.0):
        raise NumericsError(
            f"the cotangent has a derivative by the last voltage of a neuron of {population.name} that "
            "spikes; only that of a silent neuron has a gradient here",
            population.path,
        )
