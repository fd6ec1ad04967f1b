"""Gradients of a machine against differences of its loss.

Entries whose spike counts change under the perturbation have no derivative
there; they are left out and counted. Regularizers of spike counts are constant under every other
perturbation, and their heuristic slopes are left out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from netdesc.backend import Machine
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.testing.difference import Probe, extrapolate
from netdesc.trace import Cotangent, Trace

STAGES = logging.getLogger("netdesc.stages")
"""Called with the entry that comes next."""


class Scored(Protocol):
    """A loss and its derivative, for example ``netdesc.losses.Evaluation``."""

    @property
    def loss(self) -> float:
        """The loss."""
        ...

    @property
    def cotangent(self) -> Cotangent:
        """Its derivative with respect to the trace."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """One array of parameters.

    Parameters
    ----------
    exact : ndarray of float64, shape (k,)
        The gradient that the machine computed.
    differences : ndarray of float64, shape (k,)
        The same by differences; NaN where not looked at or where spikes came or went.
    checked, skipped : int
        Entries that were compared, and entries where spikes came or went.
    """

    exact: Floats
    differences: Floats
    checked: int
    skipped: int

    @property
    def error(self) -> float:
        """Largest absolute deviation; 0 where nothing was compared."""
        return float(np.abs(self.differences - self.exact)[np.isfinite(self.differences)].max(initial=0.0))

    @property
    def scale(self) -> float:
        """Largest entry of the gradient, in magnitude."""
        return float(np.abs(self.exact).max(initial=0.0))

    @property
    def deviation(self) -> float:
        """Largest deviation relative to the largest entry of this gradient."""
        return self.error / self.scale if self.scale > 0 else self.error


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """The result of a gradient check.

    Parameters
    ----------
    loss : float
        At the unperturbed parameters.
    comparisons : mapping of str to Comparison
        By key of the trainable parameters, and ``POPULATION.spike_times`` for the stimulus.
    """

    loss: float
    comparisons: Mapping[str, Comparison]

    @property
    def deviations(self) -> dict[str, float]:
        """Largest deviation relative to the largest entry, each over all keys of a kind.

        The kinds are ``weight``, ``delay`` and ``spike_times``: one unit each, so that a projection that
        hardly matters is not measured by rounding.
        """
        kinds: dict[str, list[Comparison]] = {}
        for key, item in self.comparisons.items():
            kinds.setdefault(key.rpartition(".")[2], []).append(item)
        result = {}
        for kind, items in kinds.items():
            error, scale = max(item.error for item in items), max(item.scale for item in items)
            result[kind] = error / scale if scale > 0 else error
        return result

    @property
    def deviation(self) -> float:
        """Largest of ``deviations``; 0 where nothing was compared."""
        return max(self.deviations.values(), default=0.0)

    @property
    def checked(self) -> int:
        """Number of entries compared."""
        return sum(item.checked for item in self.comparisons.values())

    @property
    def skipped(self) -> int:
        """Number of entries where spikes came or went."""
        return sum(item.skipped for item in self.comparisons.values())


def gradcheck(
    machine: Machine,
    stimulus: Events,
    objective: Callable[[Trace], Scored],
    *,
    step: float = 1e-2,
    limit: int = 100,
) -> GradientCheck:
    """Compare the gradient of a machine with differences of the loss.

    Parameters
    ----------
    machine : Machine
        Left with the parameters that it had.
    stimulus : Events
        By program-wide index of the sources.
    objective : callable
        From a trace to a loss and its cotangent; smooth in the spike times.
    step : float
        Largest step: relative to the root mean square of the weights, in ms for delays and spike times.
    limit : int
        Entries looked at per key, drawn evenly where there are more.

    Raises
    ------
    NumericsError
        If the step is not positive.
    """
    if not step > 0:
        raise NumericsError(f"expected a positive step, got {step}; use for example 1e-2")
    trace = machine.forward(stimulus, seed=0)
    scored = objective(trace)
    gradient = machine.adjoint(trace, replace(scored.cotangent, counts={}))
    counts = spike_counts(machine, trace)

    def loss_of(events: Events) -> float | None:
        moved = machine.forward(events, seed=0)
        return objective(moved).loss if np.array_equal(spike_counts(machine, moved), counts) else None

    comparisons = {}
    for key, value in machine.program.trainable().items():
        value = trace.effective_parameters.get(key, value)

        def probe(index: int, key: str = key, value: Floats = value) -> Probe:
            return parameter_probe(machine, lambda: loss_of(stimulus), key, value, index=index, step=step)

        try:
            comparisons[key] = compare(key, probe, gradient.parameters[key], limit)
        finally:
            machine.write({key: value})
    for name, spikes in source_spikes(machine.program, stimulus):

        def time_probe(index: int, spikes: Integers = spikes) -> Probe:
            return time_probe_of(stimulus, loss_of, int(spikes[index]), machine.program.duration, step=step)

        key = f"{name}.spike_times"
        comparisons[key] = compare(key, time_probe, gradient.spike_times[name], limit)
    return GradientCheck(scored.loss, comparisons)


def spike_counts(machine: Machine, trace: Trace) -> Integers:
    """Return how often every neuron spiked in every sample.

    Returns
    -------
    ndarray of int64, shape (batch * neurons,)
        Population after population.
    """
    counts = [
        np.bincount(spikes.samples() * item.size + spikes.sources, minlength=trace.batch * item.size)
        for item in machine.program.populations
        if item.kind == "spiking"
        for spikes in [trace.spikes[item.name]]
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *counts])


def source_spikes(program: Program, stimulus: Events) -> Iterator[tuple[str, Integers]]:
    """Yield the sources and which events of the stimulus are theirs.

    Yields
    ------
    name : str
    events : ndarray of int64
        Indices into ``stimulus``, in the order of ``Trace.spikes`` of the source.
    """
    for item in program.populations:
        if item.kind == "source":
            yield item.name, np.flatnonzero((stimulus.sources >= item.start) & (stimulus.sources < item.stop))


def parameter_probe(
    machine: Machine, loss: Callable[[], float | None], key: str, value: Floats, *, index: int, step: float
) -> Probe:
    """Return the direction of one weight or delay, of which the loss of the machine is a function.

    It is to one side where a delay is too short for both.
    """
    delay = key.endswith(".delay")
    reach = step if delay else step * float(np.sqrt(np.mean(value**2)) or 1.0)

    def at(distance: float) -> float | None:
        moved = np.array(value)
        moved[index] += distance
        machine.write({key: moved})
        return loss()

    return Probe(at, reach, not delay or bool(value[index] >= reach))


def time_probe_of(
    stimulus: Events, loss: Callable[[Events], float | None], event: int, duration: float, *, step: float
) -> Probe:
    """Return the direction of one spike of the stimulus, of which the loss is a function; times are in ms.

    It is to one side where the spike is too early for both; backwards where it is too late.
    """
    early, late = stimulus.times[event] < step, stimulus.times[event] + step > duration

    def at(distance: float) -> float | None:
        times = np.array(stimulus.times)
        times[event] += distance
        return loss(stimulus.move(times))

    return Probe(at, -step if late else step, not (early or late))


def compare(key: str, probe: Callable[[int], Probe], exact: Floats, limit: int) -> Comparison:
    """Differentiate in at most ``limit`` directions, and compare with exact derivatives, shape (k,).

    The probe returns a direction by its index; the key says in reports of progress what is differentiated.
    """
    differences = np.full(exact.shape, np.nan)
    looked = np.unique(np.linspace(0, len(exact) - 1, min(limit, len(exact))).round().astype(np.int64))
    for number, index in enumerate(looked.tolist(), start=1):
        STAGES.info("comparing %s, entry %d of %d", key, number, len(looked))
        differences[index] = extrapolate(probe(index))
    checked = int(np.isfinite(differences).sum())
    return Comparison(np.array(exact), differences, checked, len(looked) - checked)
