"""Non-idealities of the chip, as pairs of settings that differ in one of them alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netdesc_spinnaker2.options import Options

Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def list_non_idealities(options: Mapping[str, Any]) -> dict[str, Pair]:
    """Return the settings without and with every non-ideality that can be switched off.

    Parameters
    ----------
    options : mapping
        The section ``backends.spinnaker2``.

    Returns
    -------
    dict of str to (mapping, mapping)
        The chip at its most ideal has spikes between ticks and weights of 32 bits. The delay of a tick that
        transport takes cannot be switched off: like integer weights, it shows in the effective parameters.
    """
    now = Options.read(options)
    ideal = {**options, "scheme": "off_grid", "weights": "float"}
    pairs: dict[str, Pair] = {}
    if now.scheme != "off_grid":
        exact = {**ideal, "scheme": "exact_exponential"}
        pairs["time grid"] = (ideal, exact)
        if now.scheme != "exact_exponential":
            pairs[f"scheme {now.scheme}"] = (exact, {**ideal, "scheme": now.scheme})
    return pairs
