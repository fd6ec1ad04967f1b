"""Options of the numba backend."""

from __future__ import annotations

from collections.abc import Mapping
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
        faults = [
            Diagnostic(
                f"is not an option of this backend; it has {', '.join(KNOWN)}",
                f"backends.numba.{key}",
                "NB-OPTION",
            )
            for key in options
            if key not in KNOWN
        ]
        solver = options.get("solver") or "event"
        kind, details = _choice(solver)
        if kind not in ("event", "grid"):
            faults.append(
                Diagnostic(
                    f"{kind} is not a solver; write event or grid: {{timestep: 0.1 ms}}",
                    "backends.numba.solver",
                    "NB-OPTION",
                )
            )
        timestep = float(details.get("timestep") or 0.1) if kind == "grid" else None
        if timestep is not None and not timestep > 0:
            faults.append(
                Diagnostic(
                    f"{timestep:g} ms is not a step; it must be above 0 ms",
                    "backends.numba.solver.grid.timestep",
                    "NB-OPTION",
                )
            )
        if details.get("scheme", "exact_exponential") != "exact_exponential":
            faults.append(
                Diagnostic(
                    f"has no scheme {details['scheme']}; it has exact_exponential",
                    "backends.numba.solver.grid.scheme",
                    "NB-OPTION",
                )
            )
        if faults:
            raise BackendError(faults)
        return cls(
            timestep,
            int(options.get("threads") or available()),
            float(options.get("denominator_floor") or 1e-6),
            int(options.get("max_spikes") or 50_000_000),
        )


def _choice(value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        kind, details = next(iter(value.items()))
        return str(kind), details or {}
    return str(getattr(value, "kind", value)), getattr(value, "options", {})
