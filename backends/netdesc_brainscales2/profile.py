"""The numbers of the machine, read from data files: each with unit, source and tag."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from typing import Any

from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.limits import Limit
from netdesc.options import Numbers, Section, replaced
from netdesc.units import parse

MACHINES = ("calibrated", "uncalibrated", "ideal")
"""Names of the profiles; the first is the default."""

SECTION = Section("backends.brainscales2", "B2-OPTION")
"""Where the options of this backend stand."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Numbers of BrainScaleS-2; every one can be set under ``backends.brainscales2.profile_numbers``.

    Times are those of the chip in us, voltages steps (LSB) of the 8-bit read-out, rates 1/us or, for
    ``expected_rate``, 1/ms of the chip, power mW. Spreads, residuals and noises are standard deviations:
    shares of the nominal value, or LSB where the unit says so. Fields ``X_spread`` hold before,
    ``X_residual`` after calibration; ``X_ratio`` is the largest ratio of the two.
    """

    columns: Limit
    hemispheres: Limit
    rows: Limit
    buses: Limit
    bus_rows: Limit
    output_columns: Limit
    merged_max: Limit
    labels: Limit
    row_selects: Limit
    weight_max: Limit
    delay: Limit
    speed_up: Limit
    event_grid: Limit
    cadc_interval: Limit
    cadc_bits: Limit
    cadc_low: Limit
    cadc_high: Limit
    madc_bits: Limit
    madc_neurons: Limit
    madc_interval: Limit
    tau_mem_low: Limit
    tau_mem_high: Limit
    tau_syn_low: Limit
    tau_syn_high: Limit
    refractory_low: Limit
    refractory_high: Limit
    leak_low: Limit
    leak_high: Limit
    reset_low: Limit
    reset_high: Limit
    threshold_low: Limit
    threshold_high: Limit
    leak_level: Limit
    threshold_level: Limit
    rail_low: Limit
    rail_high: Limit
    weight_scale: Limit
    weight_scale_low: Limit
    weight_scale_high: Limit
    weight_headroom: Limit
    input_rate: Limit
    output_rate: Limit
    fifo_depth: Limit
    expected_rate: Limit
    event_bits: Limit
    power: Limit
    wait: Limit
    configuration: Limit
    host_time: Limit
    calibrated: Limit
    tau_mem_spread: Limit
    tau_syn_spread: Limit
    threshold_spread: Limit
    leak_spread: Limit
    reset_spread: Limit
    gain_spread: Limit
    tau_mem_residual: Limit
    tau_syn_residual: Limit
    threshold_residual: Limit
    leak_residual: Limit
    reset_residual: Limit
    gain_residual: Limit
    tau_mem_ratio: Limit
    tau_syn_ratio: Limit
    threshold_ratio: Limit
    leak_ratio: Limit
    reset_ratio: Limit
    threshold_offset: Limit
    threshold_noise: Limit
    spike_jitter: Limit
    membrane_noise: Limit
    cadc_noise: Limit
    cadc_offset_spread: Limit
    calibration_noise: Limit
    saturation_knee: Limit
    saturation_limit: Limit

    @classmethod
    def read(cls, machine: str, overrides: Mapping[str, Any] | None = None) -> Profile:
        """Return the profile of a machine with numbers of a file, which are assumptions, in place of its own.

        A number is in the unit of its field, a text such as ``2 us`` in the unit that it names.

        Raises
        ------
        BackendError
            With every name that is not known and every value that is not a number above or equal to 0.
        """
        profile = cls(**(_load("machine") | _load(machine)))
        numbers = Numbers(profile.numbers, _measure).read(SECTION, "profile_numbers", overrides or {})
        changed = replace(profile, **replaced(SECTION, "profile_numbers", profile.numbers(), numbers))
        faults = _uneven(changed)
        if faults:
            raise BackendError(faults)
        return changed

    @property
    def circuits(self) -> Limit:
        """Neuron circuits of the chip."""
        return replace(self.columns, value=self.columns.value * self.hemispheres.value)

    @property
    def selects(self) -> int:
        """Row selects of a bus: pairs of rows that it drives in each hemisphere."""
        return int(min(self.row_selects.value, self.bus_rows.value // 2))

    def numbers(self) -> dict[str, Limit]:
        """Return all numbers by name."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(item.name for item in fields(Profile))
"""Names of all numbers, in order."""

_COUNTS = (
    "columns",
    "hemispheres",
    "rows",
    "buses",
    "bus_rows",
    "output_columns",
    "merged_max",
    "labels",
    "row_selects",
    "weight_max",
    "madc_neurons",
)
_POSITIVE = (
    "speed_up",
    "event_grid",
    "cadc_interval",
    "madc_interval",
    "weight_scale",
    "weight_scale_low",
    "weight_headroom",
)


def _load(name: str) -> dict[str, Limit]:
    text = files("netdesc_brainscales2").joinpath("profiles", f"{name}.toml").read_text(encoding="utf-8")
    return {
        key: Limit(**{**entry, "value": float(entry["value"])}) for key, entry in tomllib.loads(text).items()
    }


def _uneven(profile: Profile) -> list[Diagnostic]:
    numbers = profile.numbers()
    faults = [
        (name, "a whole number of 1 or more")
        for name in _COUNTS
        if numbers[name].value < 1 or not numbers[name].value.is_integer()
    ]
    faults += [(name, "a number above 0") for name in _POSITIVE if numbers[name].value <= 0]
    faults += [(name, "a rate above 0") for name in ("input_rate", "output_rate") if numbers[name].value <= 0]
    if profile.hemispheres.value not in (1, 2):
        faults.append(("hemispheres", "1 or 2"))
    if profile.threshold_level.value <= profile.leak_level.value:
        faults.append(("threshold_level", "a level above leak_level"))
    return [
        SECTION.fault(f"profile_numbers.{name}", f"expected {what}, got {numbers[name].value:g}")
        for name, what in faults
    ]


def _measure(text: str, unit: str) -> float | None:
    factor = {"us": ("ms", 1e3), "1/us": ("1/ms", 1e-3), "1/ms": ("1/ms", 1.0)}.get(unit)
    try:
        quantity = parse(text)
    except DescriptionError:
        return None
    return None if factor is None or quantity.unit != factor[0] else quantity.value * factor[1]


def _numbers_of(machine: str) -> Callable[[], Mapping[str, Limit]]:
    return lambda: Profile.read(machine).numbers()


_WORDS = {
    "cadc": "CADC",
    "madc": "MADC",
    "fifo": "FIFO",
    "tau mem": "membrane time constant",
    "tau syn": "synaptic time constant",
}
NUMBERS = Numbers(
    _numbers_of(MACHINES[0]), _measure, _WORDS, {name: _numbers_of(name) for name in MACHINES[1:]}
)
"""How a file sets numbers of the machine; those of the default profile are shown."""
