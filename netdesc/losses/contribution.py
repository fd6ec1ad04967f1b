"""What every loss of a file adds to the total, and to the cotangent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from netdesc.description.model import Loss
from netdesc.dynamics.outputs import Term
from netdesc.errors import BackendError, DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.goals import Goals
from netdesc.losses.firing_rate import count_spikes, firing_rate
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.losses.predictions import Predictions, predict_by_spikes, predict_by_voltages
from netdesc.losses.pull import pull_of, pull_silent
from netdesc.losses.requirements import (
    REGULARIZERS,
    TRACED,
    choose_labels,
    follows_samples,
    require_times,
    require_traces,
)
from netdesc.losses.spike_time_mse import relative_spike_time_mse, spike_time_mse, squared_distance
from netdesc.losses.term import Kind
from netdesc.losses.time_to_first_spike import time_to_first_spike
from netdesc.losses.voltage_cross_entropy import reading_of, voltage_cross_entropy
from netdesc.losses.voltage_mse import read_voltages, voltage_mse
from netdesc.observation import Reading
from netdesc.program import Program
from netdesc.trace import Trace

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "time_to_first_spike": time_to_first_spike,
        "spike_time_mse": spike_time_mse,
        "relative_spike_time_mse": relative_spike_time_mse,
    }
)
"""Kinds of losses on first spikes, by name."""

VOLTAGE_KINDS: Mapping[str, Kind] = MappingProxyType(
    {"max_voltage": voltage_cross_entropy, "mean_voltage": voltage_cross_entropy}
)
"""Kinds of losses on readings of voltages, by name."""

Slopes = dict[tuple[str, str], Floats]
"""Derivatives by what a loss reads: by field of ``netdesc.trace.Cotangent``, and key there."""


class Contribution(NamedTuple):
    """One loss of a batch, before its weight and the mean over the batch.

    Parameters
    ----------
    values : ndarray of float64, shape (batch,)
    slopes : Slopes
    predictions : Predictions or None
        None where the loss asks for none.
    """

    values: Floats
    slopes: Slopes
    predictions: Predictions | None = None


Reader = Callable[[Loss, Trace, Program, Goals], Contribution]
"""Computes a loss from what it reads of a trace.

Raises ``BackendError`` if the trace lacks it, and ``DescriptionError`` if labels or targets are missing or do
not fit, or the population never spikes.
"""


def choose_reader(loss: Loss) -> Reader:
    """Return the function that computes a kind of loss from what it reads."""
    if loss.kind in REGULARIZERS:
        return read_counts
    if loss.kind == TRACED:
        return read_traces
    if follows_samples(loss):
        return read_ordered_spikes
    return read_readings if loss.kind in VOLTAGE_KINDS else read_first_spikes


def read_first_spikes(loss: Loss, trace: Trace, program: Program, goals: Goals) -> Contribution:
    """Compute a loss of first spikes."""
    events = find_spikes(loss, trace)
    first = FirstSpikes.find(events, program.population(loss.population).size)
    labels = choose_labels(loss, goals.labels, first.times.shape)
    values, slopes = compute_term(loss, first.times, labels, duration=program.duration)
    found: Slopes = {("spikes", loss.population): first.scatter(slopes, len(events))}
    if pull_of(loss) > 0.0:
        lifts, pulls = pull_silent(loss, first.times, labels, trace, program)
        values = values + lifts
        found["readings", Reading(loss.population, "final").key] = pulls
    return Contribution(values, found, predict_by_spikes(first.times, labels))


def read_ordered_spikes(loss: Loss, trace: Trace, program: Program, goals: Goals) -> Contribution:
    """Compute a loss of target times of the samples."""
    size = program.population(loss.population).size
    targets = require_times(loss, goals.times, size)
    events = find_spikes(loss, trace)
    ordered = FirstSpikes.find_several(events, size, targets.shape[2])
    values, slopes = squared_distance(ordered.times, targets, duration=program.duration)
    found: Slopes = {("spikes", loss.population): ordered.scatter(slopes, len(events))}
    return Contribution(values, found, predict_by_spikes(ordered.times[:, :, 0], None))


def read_readings(loss: Loss, trace: Trace, program: Program, goals: Goals) -> Contribution:
    """Compute a loss of readings of voltages."""
    key = reading_of(loss).key
    if key not in trace.readings:
        raise BackendError(
            f"the run has no reading {key}; use a backend that reads voltages, such as numba",
            path=f"losses.{loss.name}",
        )
    voltages = trace.readings[key].values
    labels = choose_labels(loss, goals.labels, voltages.shape)
    values, slopes = compute_term(loss, voltages, labels, duration=program.duration)
    return Contribution(values, {("readings", key): slopes}, predict_by_voltages(voltages, labels))


def read_traces(loss: Loss, trace: Trace, program: Program, goals: Goals) -> Contribution:
    """Compute a loss of target voltages."""
    traces = require_traces(loss, goals.traces, program)
    voltages = read_voltages(loss, trace)
    targets = np.full(voltages.shape, np.nan)
    targets[:, :, : traces.values.shape[1]] = traces.values.transpose(0, 2, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        values, slopes = voltage_mse(voltages, targets)
    return Contribution(values, {("recordings", f"{loss.population}.v"): slopes})


def read_counts(loss: Loss, trace: Trace, program: Program, goals: Goals) -> Contribution:
    """Compute a regularizer of the number of spikes."""
    size = program.population(loss.population).size
    values, slopes = firing_rate(loss.options, count_spikes(find_spikes(loss, trace), size))
    return Contribution(values, {("counts", loss.population): slopes})


def find_spikes(loss: Loss, trace: Trace) -> Events:
    """Return the spikes that a loss is about.

    Raises
    ------
    DescriptionError
        If the population has no spikes because it is a read-out.
    """
    if loss.population not in trace.spikes:
        raise DescriptionError(
            f"{loss.kind} needs spikes, but population {loss.population} never spikes; "
            "use a spiking population",
            path=f"losses.{loss.name}",
        )
    return trace.spikes[loss.population]


def compute_term(loss: Loss, times: Floats, labels: Integers | None, *, duration: float) -> Term:
    """Compute one loss of first spike times or readings as `Kind` does; its errors have the path of the loss.

    Raises
    ------
    DescriptionError
        If the loss has no labels and needs them, or its target does not fit.
    """
    try:
        # An overflow becomes an infinite loss, which training reports with its epoch and step.
        with np.errstate(over="ignore", invalid="ignore"):
            kind = KINDS.get(loss.kind) or VOLTAGE_KINDS[loss.kind]
            return kind(loss.options, times, labels, duration=duration)
    except ValueError as error:
        raise DescriptionError(str(error), path=f"losses.{loss.name}") from error
