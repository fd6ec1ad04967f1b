"""Options of the numba backend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from netdesc.errors import BackendError, Diagnostic
from netdesc.threads import available

SCHEMES = ("published", "exact_exponential", "off_grid")
ALIASES = {"paper": "published"}
"""Former names of schemes, still accepted."""

PRECISIONS = ("float32", "float64")
KNOWN = ("solver", "threads", "denominator_floor", "max_spikes")


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
        Spikes per sample and stage at which a run ends with an error; None for ``spike_limit``'s default.
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
        """Read the section ``backends.numba``.

        Parameters
        ----------
        options : mapping

        Returns
        -------
        Options

        Raises
        ------
        BackendError
            With every option that is not known or not possible.
        """
        kind, details = _choice(options.get("solver") or "event")
        defaults = {"threads": available(), "denominator_floor": 1e-6}
        numbers = {key: _given(options, key, default) for key, default in defaults.items()}
        if options.get("max_spikes") is not None:
            numbers["max_spikes"] = options["max_spikes"]
        timestep = float(_given(details, "timestep", 0.1)) if kind == "grid" else None
        scheme, precision, transport = _read_scheme(details)
        faults = [
            *(
                _fault(key, f"is not an option of this backend; it has {', '.join(KNOWN)}")
                for key in options
                if key not in KNOWN
            ),
            *_solver_faults(kind, timestep),
            *_scheme_faults(scheme, precision, transport),
            *(
                _fault(key, f"{value:g} is too low; it must be above 0")
                for key, value in numbers.items()
                if not value > 0
            ),
        ]
        if faults:
            raise BackendError(faults)
        return cls(
            timestep,
            int(numbers["threads"]),
            float(numbers["denominator_floor"]),
            int(numbers["max_spikes"]) if "max_spikes" in numbers else None,
            scheme,
            precision,
            transport,
        )


def _given(options: Mapping[str, Any], key: str, default: float) -> float:
    value = options.get(key)
    return default if value is None else value


def _fault(path: str, message: str) -> Diagnostic:
    return Diagnostic(message, f"backends.numba.{path}", "NB-OPTION")


def _solver_faults(kind: str, timestep: float | None) -> Iterator[Diagnostic]:
    if kind not in ("event", "grid"):
        yield _fault("solver", f"expected event or grid: {{timestep: 0.1 ms}}, got {kind}")
    if timestep is not None and not 0.0 < timestep < math.inf:
        yield _fault("solver.grid.timestep", f"expected a step above 0 ms, got {timestep:g} ms")


def _read_scheme(details: Mapping[str, Any]) -> tuple[str, str, bool]:
    given = str(details.get("scheme") or "exact_exponential")
    scheme = ALIASES.get(given, given)
    plain = scheme == "exact_exponential"
    precision = str(details.get("precision") or ("float64" if plain else "float32"))
    transport = details.get("transport")
    implied = not plain or precision == "float32"
    return scheme, precision, implied if transport is None else bool(transport)


def _scheme_faults(scheme: str, precision: str, transport: bool) -> Iterator[Diagnostic]:
    for name, value, known in (("scheme", scheme, SCHEMES), ("precision", precision, PRECISIONS)):
        if value not in known:
            yield _fault(f"solver.grid.{name}", f"has no {name} {value}; it has {', '.join(known)}")
    if not transport and (precision == "float32" or scheme != "exact_exponential"):
        yield Diagnostic(
            f"a grid without transport needs scheme exact_exponential in float64, got {scheme} in "
            f"{precision}; set transport: true",
            "backends.numba.solver.grid.transport",
            "NB-SCHEME",
        )


def _choice(value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        kind, details = next(iter(value.items()))
        return str(kind), details or {}
    return str(getattr(value, "kind", value)), getattr(value, "options", {})
