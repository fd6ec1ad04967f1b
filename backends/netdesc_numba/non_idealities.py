"""Non-idealities of a grid, as pairs of settings that differ in one of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netdesc_numba.options import Options

Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def list_non_idealities(options: Mapping[str, Any]) -> dict[str, Pair]:
    """Return the settings without and with every non-ideality of this backend.

    Parameters
    ----------
    options : mapping
        The section ``backends.numba``.

    Returns
    -------
    dict of str to (mapping, mapping)
        Empty for the event-driven solver, which is exact.
    """
    now = Options.read(options)
    if now.timestep is None:
        return {}

    def on_grid(**details: Any) -> dict[str, Any]:
        return {**options, "solver": {"grid": {"timestep": now.timestep, **details}}}

    exact = {**options, "solver": "event"}
    plain = on_grid(scheme="exact_exponential", precision="float64", transport=False)
    if now.scheme == "off_grid":
        return {}
    pairs: dict[str, Pair] = {"time grid": (exact, plain)}
    if now.transport:
        moved = on_grid(scheme="exact_exponential", precision="float64", transport=True)
        pairs["transport"] = (plain, moved)
    if now.precision == "float32":
        pairs["32-bit state"] = (
            on_grid(scheme="exact_exponential", precision="float64", transport=now.transport),
            on_grid(scheme="exact_exponential", precision="float32", transport=now.transport),
        )
    if now.scheme != "exact_exponential":
        pairs[f"scheme {now.scheme}"] = (
            on_grid(scheme="exact_exponential", precision=now.precision, transport=now.transport),
            options,
        )
    return pairs
