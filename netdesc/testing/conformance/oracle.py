"""What is right: spikes and derivatives of the reference simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.testing.conformance.spikes import compare, ordinals, spiking
from netdesc.testing.conformance.subject import Bench, Tolerance
from netdesc.testing.gradcheck import source_spikes
from netdesc.testing.reference.simulator import ReferenceTrace, simulate
from netdesc.trace import Trace

STEP = 1e-4
"""Of central differences: relative to the root mean square of the weights, in ms for times."""

Loss = Callable[[Program, Events], float]
"""A loss of a network and its stimulus, run by the reference."""


def expect(bench: Bench, trace: Trace, stimulus: Events | None = None) -> ReferenceTrace:
    """Return what a network does with the parameters that a device says it ran.

    The stimulus is that of the bench where there is no other.
    """
    program = bench.program.with_parameters(trace.effective_parameters)
    return simulate(program, bench.stimulus if stimulus is None else stimulus)


def misfit(bench: Bench, trace: Trace, tolerance: Tolerance, stimulus: Events | None = None) -> str:
    """Return how spikes differ from those that are right for a stimulus, empty where they agree."""
    expected = expect(bench, trace, stimulus)
    lonely, total, first = 0, 0, ""
    for name, size in spiking(bench.program):
        count, fault = compare(trace.spikes[name], expected.spikes[name], size, tolerance.spike_time)
        lonely, total = lonely + count, total + len(expected.spikes[name])
        first = first or (f"{name}, {fault}" if fault else "")
    return "" if lonely <= tolerance.missing * total else f"{lonely} of {total} spikes disagree; {first}"


def cotangent_of(program: Program, spikes: Mapping[str, Events]) -> dict[str, Floats]:
    """Return dL/dt of every spike for a loss that is linear in spike times.

    The factor of a spike belongs to its sample, its neuron and its number, so that two devices whose
    spike times differ a little have the same cotangent.

    Returns
    -------
    dict of str to ndarray
        For the spiking populations, in 1/ms.
    """
    result = {}
    for name, _ in spiking(program):
        events = spikes[name]
        neuron = program.population(name).start + events.sources
        result[name] = 1.5 + np.sin(12.9898 * neuron + 78.233 * ordinals(events) + 37.719 * events.samples())
    return result


def loss_of(program: Program, stimulus: Events) -> float:
    """Return the loss of ``cotangent_of`` of a network."""
    spikes = simulate(program, stimulus).spikes
    return sum(
        float(np.sum(factor * spikes[name].times)) for name, factor in cotangent_of(program, spikes).items()
    )


def differentiate(program: Program, stimulus: Events, loss: Loss = loss_of) -> dict[str, Floats]:
    """Return the derivatives of a loss by central differences, by key.

    The program has the parameters that ran.
    """
    result = {}
    for key, value in program.trainable().items():

        def moved_loss(moved: Floats, key: str = key) -> float:
            return loss(program.with_parameters({key: moved}), stimulus)

        scale = 1.0 if key.endswith(".delay") else float(np.sqrt(np.mean(value**2)) or 1.0)
        result[key] = gradient_of(moved_loss, value, STEP * scale)
    return result


def differentiate_stimulus(program: Program, stimulus: Events, loss: Loss = loss_of) -> dict[str, Floats]:
    """Return the derivatives of a loss with respect to the spikes of the sources.

    Returns
    -------
    dict of str to ndarray
        By name of the source, in 1/ms, aligned with its spikes.
    """
    result = {}
    for name, mine in source_spikes(program, stimulus):

        def moved_loss(times: Floats, mine: Integers = mine) -> float:
            moved = np.array(stimulus.times)
            moved[mine] = times
            return loss(program, stimulus.move(moved))

        result[name] = gradient_of(moved_loss, stimulus.times[mine], STEP)
    return result


def gradient_of(loss: Callable[[Floats], float], value: Floats, step: float) -> Floats:
    """Return central differences of a function of a vector."""
    slopes = np.empty(len(value))
    for k in range(len(value)):
        move = np.zeros(len(value))
        move[k] = step
        slopes[k] = (loss(value + move) - loss(value - move)) / (2.0 * step)
    return slopes
