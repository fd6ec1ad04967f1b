"""Non-idealities of the chip, as pairs of settings that differ in one non-ideality alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netdesc_brainscales2.options import Options
from netdesc_brainscales2.profile import Profile

Pair = tuple[Mapping[str, Any], Mapping[str, Any]]

FINE = 2.0**16
"""Factor by which steps are finer than those of the chip where they count as exact."""

_NON_IDEALITIES: Mapping[str, tuple[str, ...]] = {
    "time grid": ("event_grid",),
    "weight quantization": ("weight_max", "weight_scale", "weight_scale_low", "weight_scale_high"),
    "shortest refractory period": ("refractory_low",),
    "mismatch": (
        "tau_mem_spread",
        "tau_syn_spread",
        "threshold_spread",
        "leak_spread",
        "reset_spread",
        "gain_spread",
        "threshold_offset",
    ),
    "saturation": ("saturation_knee",),
    "noise": ("threshold_noise", "spike_jitter", "membrane_noise"),
    "read-out": ("cadc_noise", "cadc_offset_spread"),
}
"""Numbers of the machine behind each non-ideality, in the order in which they are switched on."""


def list_non_idealities(section: Mapping[str, Any]) -> dict[str, Pair]:
    """Return the settings without and with every non-ideality of this backend.

    Parameters
    ----------
    section : mapping
        The section ``backends.brainscales2``.

    Returns
    -------
    dict of str to (mapping, mapping)
        Each pair starts where the one before it ends; the last ends at the current settings. Non-idealities
        absent from the settings are left out.
    """
    now = Options.read(section)
    present = [name for name in _NON_IDEALITIES if _is_present(name, now)]
    states = [_without(section, now, frozenset(present[number:])) for number in range(len(present))]
    states.append(dict(section))
    return {name: (states[number], states[number + 1]) for number, name in enumerate(present)}


def _is_present(name: str, now: Options) -> bool:
    if name == "noise" and not now.noise:
        return False
    return (name == "mismatch" and now.calibrate) or any(
        getattr(now.profile, number).value > 0.0 for number in _NON_IDEALITIES[name]
    )


def _without(section: Mapping[str, Any], now: Options, off: frozenset[str]) -> dict[str, Any]:
    numbers = dict(section.get("profile_numbers") or {})
    for name in off:
        numbers |= {number: _ideal(name, number, now.profile) for number in _NON_IDEALITIES[name]}
    changed: dict[str, Any] = {"profile_numbers": numbers}
    if "weight quantization" in off and now.scales:
        changed["scales"] = {name: scale * FINE for name, scale in now.scales.items()}
    if "mismatch" in off:
        changed["calibrate"] = False
    if "noise" in off:
        changed["noise"] = False
    return {**section, **changed}


def _ideal(name: str, number: str, profile: Profile) -> float:
    value = float(getattr(profile, number).value)
    if name == "time grid":
        return value / FINE
    return value * FINE if name == "weight quantization" else 0.0
