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
    """Settings of a machine; what is not said here is in ``OPTIONS`` and ``GRID``.

    ``timestep`` is in ms, None for the event-driven solver; ``max_spikes`` counts those of a stage, None
    stands for the default of ``most_spikes``; ``denominator_floor`` is relative to the distance from reset
    to threshold.
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
