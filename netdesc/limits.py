"""Vocabulary for what a device can do: numbers with unit, source and tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LOSSES = frozenset(
    {
        "time_to_first_spike",
        "spike_time_mse",
        "relative_spike_time_mse",
        "max_voltage",
        "mean_voltage",
        "voltage_mse",
        "firing_rate",
    }
)
"""Kinds of losses whose cotangents an adjoint of spikes and membranes accepts."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that a device imposes.

    Parameters
    ----------
    value : float
    unit : str
        Empty for a count.
    source : str
        Where the number comes from.
    tag : str
        ``V`` verified, ``R`` reported, ``D`` derived, ``A`` assumed.
    """

    value: float
    unit: str
    source: str
    tag: str


def six_digits(value: float) -> str:
    """Return a number as text, in at most six digits where it is not whole."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"


def against(need: float, limit: Limit) -> str:
    """Return a need beside its limit, with source and tag, as text."""
    unit = f" {limit.unit}" if limit.unit else ""
    return (
        f"needs {six_digits(need)}{unit}, the limit is {six_digits(limit.value)}{unit} "
        f"({limit.source}; {limit.tag})"
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device can do.

    Parameters
    ----------
    time : str
        How time advances, in words: ``event-driven`` or ``grid``, with the step.
    models : frozenset of str
        Neuron models and kinds of sources that it runs.
    trainable : frozenset of str
        What it can train: ``weight``, ``delay``, or a parameter of a neuron.
    losses : frozenset of str
        Kinds of losses whose cotangent its adjoint accepts.
    recordings : frozenset of str
        Variables that it can record.
    numbers : mapping of str to Limit
        Everything that can be counted.
    gradients : frozenset of str
        ``eventprop``, ``surrogate``.
    step : float or None
        Step of the grid in ms, by which the memory of a run is estimated; None where time is continuous.
    """

    time: str
    models: frozenset[str]
    trainable: frozenset[str]
    losses: frozenset[str]
    recordings: frozenset[str]
    numbers: Mapping[str, Limit] = field(default_factory=dict)
    gradients: frozenset[str] = frozenset({"eventprop"})
    step: float | None = None
