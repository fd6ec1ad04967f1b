"""The circuits that a program runs on, with the parameters that they really have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.errors import BackendError, Diagnostic
from netdesc.events import Floats, Integers
from netdesc.program import PopulationSlice, Program
from netdesc_brainscales2.chip.pattern import Pattern
from netdesc_brainscales2.mapping.demand import charges_into
from netdesc_brainscales2.mapping.plan import Plan, Wiring
from netdesc_brainscales2.profile import Profile

# Below this distance of reset and threshold, as a share of the nominal one, a circuit would never stop.
SMALLEST_SWING = 0.02


@dataclass(frozen=True, slots=True)
class Membranes:
    """Parameters of the neurons of a population, in ms and the voltage of the model.

    Parameters
    ----------
    tau_m, tau_ref, rest, threshold, reset, start : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
        Of the excitatory and the inhibitory input.
    current : ndarray of float64, shape (n, 2)
        Synaptic currents at the start of a sample.
    lsb : float
        LSB of the read-out per volt of the model.
    nominal_rest : ndarray of float64, shape (n,)
        Voltage of the model that is read as ``leak_level``.
    offset : ndarray of float64, shape (n,)
        Of the channel of the read-out in LSB.
    low, high : ndarray of float64, shape (n,)
        Rails.
    knee, room : ndarray of float64, shape (n,)
        Synaptic current from which an input saturates, infinity for never, and distance to its ceiling.
    """

    tau_m: Floats
    tau_ref: Floats
    rest: Floats
    threshold: Floats
    reset: Floats
    start: Floats
    tau_s: Floats
    current: Floats
    lsb: float
    nominal_rest: Floats
    offset: Floats
    low: Floats
    high: Floats
    knee: Floats
    room: Floats


def steps_of_voltage(program: Program, population: PopulationSlice, plan: Plan, profile: Profile) -> float:
    """Return the LSB of the read-out per volt of the model.

    The distance of threshold and rest is that of the two levels of the profile; a read-out without
    threshold has it through the strength of its synapses.
    """
    levels = profile.threshold_level.value - profile.leak_level.value
    first = population.start
    gap = float(program.parameters["threshold"][first] - program.parameters["rest"][first])
    if math.isfinite(gap) and gap > 0.0:
        return levels / gap
    steps = plan.scales[population.name] / float(charges_into(population, program)[0])
    return steps * levels / profile.weight_scale.value


def two_columns(values: Floats, start: int, stop: int, fill: float | None) -> Floats:
    """Return values of both synaptic inputs, shape (n, 2); a cell with one current has the same in both.

    With ``fill``, the second column of such a cell is that number instead.
    """
    found = np.atleast_2d(values.T).T[start:stop]
    if found.shape[1] == 1:
        found = np.hstack([found, np.full_like(found, np.nan)])
    other = found[:, 0] if fill is None else fill
    return np.stack([found[:, 0], np.where(np.isnan(found[:, 1]), other, found[:, 1])], axis=1)


def find_stuck(
    population: PopulationSlice, circuits: Integers, threshold: Floats, reset: Floats, gap: Floats
) -> list[Diagnostic]:
    """Return a fault for every neuron whose reset is not below its threshold; one without gap has none."""
    stuck = np.flatnonzero(np.isfinite(gap) & (threshold - reset <= SMALLEST_SWING * np.abs(gap)))
    return [
        Diagnostic(
            f"neuron {k} is placed on circuit {circuits[k, 0]}, whose reset is not below its threshold; "
            "calibrate the chip, or name the circuit in backends.brainscales2.dead_circuits",
            population.path,
            "B2-CIRCUIT",
        )
        for k in stuck.tolist()
    ]


def initial_currents(program: Program, population: PopulationSlice) -> Floats:
    """Return the currents of both inputs at the start; a single one goes to the input of its sign."""
    current = two_columns(program.parameters["i_init"], population.start, population.stop, 0.0)
    if len(population.receptors) >= 2:
        return current
    total = current.sum(axis=1)
    return np.stack([np.maximum(total, 0.0), np.minimum(total, 0.0)], axis=1)


def build_membranes(
    program: Program,
    population: PopulationSlice,
    plan: Plan,
    profile: Profile,
    pattern: Pattern,
    faults: list[Diagnostic],
) -> Membranes:
    """Return what the neurons of a population really are; add a fault for each that would never stop spiking.

    Capacitances and conductances of merged circuits add, so that their time constant is the harmonic mean
    and their rest weighted by the conductances; all else is the mean of the circuits.
    """
    values = {
        name: program.parameters[name][population.start : population.stop]
        for name in ("tau_m", "tau_ref", "rest", "threshold", "reset", "v_init")
    }
    circuits = plan.circuits(population.name)
    lsb = steps_of_voltage(program, population, plan, profile)
    conductance = 1.0 / pattern.tau_mem[circuits]
    shift = np.average(pattern.leak[circuits], axis=1, weights=conductance) / lsb
    gap = values["threshold"] - values["rest"]
    raised = np.where(np.isfinite(gap), gap, 0.0) * profile.threshold_offset.value
    # a read-out has no threshold, and no offset moves it
    threshold = values["threshold"] + raised + pattern.threshold[circuits].mean(axis=1) / lsb
    reset = values["reset"] + pattern.reset[circuits].mean(axis=1) / lsb
    faults += find_stuck(population, circuits, threshold, reset, gap)
    tau_s = two_columns(program.parameters["tau_s"], population.start, population.stop, None)
    swing = (profile.threshold_level.value - profile.leak_level.value) / lsb
    knee = profile.saturation_knee.value
    origin = values["rest"] - profile.leak_level.value / lsb
    return Membranes(
        tau_m=values["tau_m"] / conductance.mean(axis=1),
        tau_ref=values["tau_ref"],
        rest=values["rest"] + shift,
        threshold=threshold,
        reset=reset,
        start=values["v_init"] + np.where(values["v_init"] == values["rest"], shift, 0.0),
        tau_s=tau_s * pattern.tau_syn[circuits].mean(axis=1),
        current=initial_currents(program, population),
        lsb=lsb,
        nominal_rest=values["rest"],
        offset=pattern.cadc[circuits].mean(axis=1),
        low=origin + profile.rail_low.value / lsb,
        high=origin + profile.rail_high.value / lsb,
        knee=np.full(len(gap), knee * swing if knee > 0.0 else np.inf),
        room=np.full(len(gap), max(profile.saturation_limit.value - knee, SMALLEST_SWING) * swing),
    )


def synapse_gains(wiring: Wiring, pattern: Pattern) -> tuple[Floats, Floats]:
    """Return how strong the cells of each synapse are, on the excitatory and the inhibitory side.

    Returns
    -------
    tuple of ndarray of float64, shape (k,)
        Mean over the cells of a synapse; 1 where it has none on that side.
    """
    result = []
    for side, cells in enumerate((wiring.positive_circuit, wiring.negative_circuit)):
        used = cells >= 0
        gains = np.where(used, pattern.gain[np.maximum(cells, 0), side], 0.0)
        count = used.sum(axis=1)
        result.append(np.where(count > 0, gains.sum(axis=1) / np.maximum(count, 1), 1.0))
    return result[0], result[1]


def gather_membranes(
    program: Program, plan: Plan, profile: Profile, pattern: Pattern
) -> Mapping[str, Membranes]:
    """Return the membranes of all populations that are no sources, by name.

    Raises
    ------
    BackendError
        With every circuit that cannot work.
    """
    faults: list[Diagnostic] = []
    found = {
        population.name: build_membranes(program, population, plan, profile, pattern, faults)
        for population in program.populations
        if population.kind != "source"
    }
    if faults:
        raise BackendError(faults)
    return found
