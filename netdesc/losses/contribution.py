"""What every loss of a file adds to the total, and to the cotangent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from netdesc.description.model import Loss
from netdesc.errors import BackendError, DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.losses.firing_rate import count_spikes, firing_rate
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.losses.goals import Goals
from netdesc.losses.predictions import Predictions, predict_by_spikes, predict_by_voltages
from netdesc.losses.pull import pull_of, pull_silent
from netdesc.losses.spike_time_mse import relative_spike_time_mse, spike_time_mse, squared_distance
from netdesc.losses.term import Kind, Term
from netdesc.losses.time_to_first_spike import time_to_first_spike
from netdesc.losses.voltage_cross_entropy import reading_of, voltage_cross_entropy
from netdesc.losses.voltage_mse import KIND as TRACED
from netdesc.losses.voltage_mse import read_voltages, require_traces, voltage_mse
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

REGULARIZERS = frozenset({"firing_rate"})
"""Kinds of losses that have no predictions and no labels."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What losses are computed from.

    Parameters
    ----------
    trace : Trace
    program : Program
    goals : Goals
    """

    trace: Trace
    program: Program
    goals: Goals

    @property
    def labels(self) -> Integers | None:
        """Labels of the samples, shape (batch,)."""
        return self.goals.labels


@dataclass(frozen=True, slots=True)
class Piles:
    """Parts of a cotangent while losses are added up.

    Parameters
    ----------
    spikes, readings, counts, recordings : dict of str to ndarray
        As in ``netdesc.trace.Cotangent``.
    """

    spikes: dict[str, Floats]
    readings: dict[str, Floats]
    counts: dict[str, Floats]
    recordings: dict[str, Floats]


Reader = Callable[[Loss, Batch, Piles], tuple[float, Predictions | None]]


def choose_reader(loss: Loss) -> Reader:
    """Return the function that computes a kind of loss from what it reads."""
    if loss.kind in REGULARIZERS:
        return add_counts
    if loss.kind == TRACED:
        return add_traces
    if follows_samples(loss):
        return add_ordered_spikes
    return add_voltages if loss.kind in VOLTAGE_KINDS else add_spikes


def add_spikes(loss: Loss, batch: Batch, piles: Piles) -> tuple[float, Predictions | None]:
    """Compute a loss of first spikes and add its derivative to the parts of a cotangent.

    Returns
    -------
    value : float
        What the loss contributes to the mean over the batch.
    predictions : Predictions or None
        None where the loss asks for none.
    """
    events = find_spikes(loss, batch.trace)
    first = FirstSpikes.find(events, batch.program.population(loss.population).size)
    wanted = choose_labels(loss, batch.labels, first.times.shape)
    values, slopes = compute_term(loss, first.times, wanted, duration=batch.program.duration)
    share = loss.weight / max(batch.trace.batch, 1)
    pile(piles.spikes, loss.population, first.scatter(share * slopes, len(events)))
    if pull_of(loss) > 0.0:
        lifts, pulls = pull_silent(loss, first.times, wanted, batch.trace, batch.program)
        values = values + lifts
        pile(piles.readings, Reading(loss.population, "final").key, share * pulls)
    return share * float(values.sum()), predict_by_spikes(first.times, wanted)


def follows_samples(loss: Loss) -> bool:
    """Return whether a loss of spike times takes its targets from the samples."""
    return (
        loss.kind == "spike_time_mse"
        and loss.options.get("target") is None
        and all(loss.options.get(name) is None for name in ("correct", "wrong"))
    )


def require_times(loss: Loss, targets: Floats | None, size: int) -> Floats:
    """Return the target times of samples, shape (batch, size, k), for a loss that takes them from there.

    Raises
    ------
    DescriptionError
        If there are no target times, or not one row for each neuron.
    """
    if targets is None:
        raise DescriptionError(
            "spike_time_mse expected target times of the samples, got none; use data with targets, or write "
            "target, or correct and wrong",
            path=f"losses.{loss.name}",
        )
    if targets.shape[1] != size:
        raise DescriptionError(
            f"spike_time_mse expected targets of the {size} neurons of population {loss.population}, got "
            f"targets of {targets.shape[1]}; set populations.{loss.population}.size: {targets.shape[1]}",
            path=f"losses.{loss.name}",
        )
    return targets


def add_ordered_spikes(loss: Loss, batch: Batch, piles: Piles) -> tuple[float, Predictions | None]:
    """Compute a loss of target times of the samples and add its derivative; see ``add_spikes``.

    Raises
    ------
    DescriptionError
        If the samples have no target times, or not one row for each neuron.
    """
    size = batch.program.population(loss.population).size
    targets = require_times(loss, batch.goals.times, size)
    events = find_spikes(loss, batch.trace)
    ordered = FirstSpikes.find_several(events, size, targets.shape[2])
    values, slopes = squared_distance(ordered.times, targets, duration=batch.program.duration)
    share = loss.weight / batch.trace.batch
    pile(piles.spikes, loss.population, ordered.scatter(share * slopes, len(events)))
    return share * float(values.sum()), predict_by_spikes(ordered.times[:, :, 0], None)


def add_voltages(loss: Loss, batch: Batch, piles: Piles) -> tuple[float, Predictions | None]:
    """Compute a loss of voltages and add its derivative to a cotangent; see ``add_spikes``.

    Raises
    ------
    BackendError
        If the trace does not have the reading.
    """
    key = reading_of(loss).key
    if key not in batch.trace.readings:
        raise BackendError(
            f"the run has no reading {key}; use a backend that reads voltages, such as numba",
            path=f"losses.{loss.name}",
        )
    voltages = batch.trace.readings[key].values
    wanted = choose_labels(loss, batch.labels, voltages.shape)
    values, slopes = compute_term(loss, voltages, wanted, duration=batch.program.duration)
    share = loss.weight / max(batch.trace.batch, 1)
    pile(piles.readings, key, share * slopes)
    return share * float(values.sum()), predict_by_voltages(voltages, wanted)


def add_traces(loss: Loss, batch: Batch, piles: Piles) -> tuple[float, Predictions | None]:
    """Compute a loss of target voltages and add its derivative; see ``add_spikes``.

    Raises
    ------
    BackendError
        If the trace does not have the samples.
    DescriptionError
        If the target voltages are missing or do not fit.
    """
    traces = require_traces(loss, batch.goals.traces, batch.program)
    voltages = read_voltages(loss, batch.trace)
    targets = np.full(voltages.shape, np.nan)
    targets[:, :, : traces.values.shape[1]] = traces.values.transpose(0, 2, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        values, slopes = voltage_mse(voltages, targets)
    share = loss.weight / max(batch.trace.batch, 1)
    pile(piles.recordings, f"{loss.population}.v", share * slopes)
    return share * float(values.sum()), None


def add_counts(loss: Loss, batch: Batch, piles: Piles) -> tuple[float, Predictions | None]:
    """Compute a regularizer and add its slopes to a cotangent; see ``add_spikes``."""
    size = batch.program.population(loss.population).size
    values, slopes = firing_rate(loss.options, count_spikes(find_spikes(loss, batch.trace), size))
    share = loss.weight / max(batch.trace.batch, 1)
    pile(piles.counts, loss.population, share * slopes)
    return share * float(values.sum()), None


def pile(store: dict[str, Floats], key: str, values: Floats) -> None:
    """Add values to those that there are."""
    store[key] = store[key] + values if key in store else values


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


def choose_labels(loss: Loss, labels: Integers | None, shape: tuple[int, ...]) -> Integers | None:
    """Return the labels that hold for one loss: its own target, or those of the samples, shape (batch,).

    They are None where the loss has neither, or asks for none; ``shape`` is (batch, size) of its population.

    Raises
    ------
    DescriptionError
        If a label names no neuron of the population.
    """
    target = loss.options.get("target")
    if loss.kind in REGULARIZERS or isinstance(target, list | tuple | np.ndarray):
        return None
    if target is not None:
        labels = np.full(shape[0], int(target), dtype=np.int64)
    if labels is not None and len(labels) and (labels.min() < 0 or labels.max() >= shape[1]):
        raise DescriptionError(
            f"labels run from {labels.min()} to {labels.max()}, but population {loss.population} has "
            f"{shape[1]} neurons, 0 to {shape[1] - 1}; give it one neuron per class",
            path=f"losses.{loss.name}",
        )
    return labels


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
