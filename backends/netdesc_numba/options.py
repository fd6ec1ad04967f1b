"""Options of the numba backend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from netdesc.errors import BackendError, Diagnostic
from netdesc.threads import available

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
    max_spikes : int
        Spikes per sample and stage at which a run ends with an error.
    """

    timestep: float | None
    threads: int
    denominator_floor: float
    max_spikes: int

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
        defaults = {"threads": available(), "denominator_floor": 1e-6, "max_spikes": 50_000_000}
        numbers = {key: _given(options, key, default) for key, default in defaults.items()}
        timestep = float(_given(details, "timestep", 0.1)) if kind == "grid" else None
        faults = [
            *(
                _fault(key, f"is not an option of this backend; it has {', '.join(KNOWN)}")
                for key in options
                if key not in KNOWN
            ),
            *_solver_faults(kind, details, timestep),
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
            int(numbers["max_spikes"]),
        )


def _given(options: Mapping[str, Any], key: str, default: float) -> float:
    value = options.get(key)
    return default if value is None else value


def _fault(path: str, message: str) -> Diagnostic:
    return Diagnostic(message, f"backends.numba.{path}", "NB-OPTION")


def _solver_faults(kind: str, details: Mapping[str, Any], timestep: float | None) -> Iterator[Diagnostic]:
    if kind not in ("event", "grid"):
        yield _fault("solver", f"{kind} is not a solver; write event or grid: {{timestep: 0.1 ms}}")
    if timestep is not None and not 0.0 < timestep < math.inf:
        yield _fault("solver.grid.timestep", f"{timestep:g} ms is not a step; it must be above 0 ms")
    if details.get("scheme", "exact_exponential") != "exact_exponential":
        yield _fault("solver.grid.scheme", f"has no scheme {details['scheme']}; it has exact_exponential")


def _choice(value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        kind, details = next(iter(value.items()))
        return str(kind), details or {}
    return str(getattr(value, "kind", value)), getattr(value, "options", {})
