"""Options of the numba backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netdesc.errors import BackendError
from netdesc.options import Count, Flag, Kinds, Option, Positive, Section, Word
from netdesc.threads import available

SECTION = Section("backends.numba", "NB-OPTION")
"""Where the options of this backend stand."""

SCHEMES = Word(("exact_exponential", "published", "off_grid"), {"paper": "published"})

GRID = (
    Option("timestep", "Length of a step", Positive("ms", "0.1 ms"), "0.1 ms"),
    Option("scheme", "How a step is computed", SCHEMES, "exact_exponential"),
    Option(
        "precision",
        "Precision of the state; float64 for exact_exponential and float32 for the other schemes by default",
        Word(("float32", "float64")),
        stated=False,
    ),
    Option(
        "transport",
        "Whether every synapse has at least one step of delay, as between chips; true for published, "
        "off_grid and float32 by default",
        Flag(),
        stated=False,
    ),
)

OPTIONS = (
    Option(
        "solver",
        "How time advances",
        Kinds({"event": ("Exact in continuous time", ()), "grid": ("Step by step", GRID)}),
        "event",
    ),
    Option("threads", "Threads, which change no result; all by default", Count()),
    Option(
        "denominator_floor",
        "Smallest slope of the membrane at a threshold crossing that the gradient divides by",
        Positive("", "1e-6"),
        1e-6,
        stated=False,
    ),
    Option(
        "max_spikes",
        "Spikes per sample at which a run ends with an error; 100 per neuron and shortest time constant, and "
        "at least 100 000, by default",
        Count(),
        stated=False,
    ),
)
"""What may stand under ``backends.numba``."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of a machine.

    Parameters
    ----------
    timestep : float or None
        Step of the grid in ms; None for the event-driven solver.
    threads : int
        Number of threads; results do not depend on it.
    denominator_floor : float
        Smallest slope of v at a spike that the adjoint divides by, relative to the distance from reset
        to threshold.
    max_spikes : int or None
        Spikes per sample and stage at which a run ends with an error; None for ``most_spikes``'s default.
    scheme : str
        How a tick of the grid is computed: ``published``, ``exact_exponential`` or ``off_grid``.
    precision : str
        Of the state on the grid, ``float32`` or ``float64``.
    transport : bool
        Whether every synapse has at least one tick of delay.
    """

    timestep: float | None
    threads: int
    denominator_floor: float
    max_spikes: int | None
    scheme: str = "exact_exponential"
    precision: str = "float64"
    transport: bool = False

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Read the section ``backends.numba``; BackendError with every option that is not possible."""
        values, faults = SECTION.read(OPTIONS, options)
        _, details = values.pop("solver", ("event", {}))
        scheme = details.get("scheme", "exact_exponential")
        plain = scheme == "exact_exponential"
        precision = details.get("precision", "float64" if plain else "float32")
        transport = details.get("transport", not plain or precision == "float32")
        if faults:
            raise BackendError(faults)
        defaults = {item.name: item.default for item in OPTIONS[1:]} | {"threads": available()}
        values, timestep = defaults | values, details.get("timestep")
        return cls(timestep=timestep, scheme=scheme, precision=precision, transport=transport, **values)
