"""Options of the backend, read from ``backends.brainscales2``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netdesc.errors import BackendError, Diagnostic
from netdesc.options import Reader
from netdesc_brainscales2.profile import MACHINES, SECTION, Profile

CHOICES: Mapping[str, tuple[str, ...]] = {
    "profile": MACHINES,
    "adjoint": ("nominal", "true"),
    "unmodelled": ("clamp", "drop"),
    "delays": ("error", "instance"),
    "sampling": ("auto", "cadc", "madc"),
}
"""Options with a fixed set of values; the first is the default."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the mapping and of the run.

    Parameters
    ----------
    machine : str
        Name of the profile: ``ideal``, ``calibrated`` or ``uncalibrated``.
    profile : Profile
        Its numbers, overrides included.
    chip : int
        Id of the chip, which alone sets the fixed pattern of its circuits.
    adjoint : str
        Parameters of the model in the backward pass: ``nominal``, as written, or ``true``, the circuits' own.
    unmodelled : str
        What happens to measured spikes that the model would not produce: ``clamp`` or ``drop``.
    denominator_floor : float
        Smallest slope of the model's voltage at a measured spike, relative to the distance from reset to
        threshold over the membrane time constant; a smaller one is raised to it.
    noise : bool
        Whether runs have temporal noise.
    calibrate : bool
        Whether the calibration runs before the network.
    delays : str
        ``error``, or ``instance``: the host holds spikes back, between execution instances or on the way
        into the first.
    sampling : str
        Converter of recorded voltages; ``auto`` takes the MADC where its neurons suffice and the interval
        is too short for the CADC.
    scales : mapping of str to float
        Hardware steps per unit of weight into a population.
    rows : mapping of str to int
        Cells per sign of the synapses of a projection, or of a block of one.
    places : mapping of str to int
        First column of a population.
    rates : mapping of str to float
        Expected rate of a neuron of a population or of a source, in 1/ms of the model.
    dead : frozenset of int
        Circuits that are not to be used.
    instances : int or None
        Execution instances at most; None for as many as it takes.
    """

    machine: str = "calibrated"
    profile: Profile = field(default_factory=lambda: Profile.read("calibrated"))
    chip: int = 1
    adjoint: str = "nominal"
    unmodelled: str = "clamp"
    denominator_floor: float = 0.05
    noise: bool = True
    calibrate: bool = True
    delays: str = "error"
    sampling: str = "auto"
    scales: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    dead: frozenset[int] = frozenset()
    instances: int | None = None

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Read the section ``backends.brainscales2``.

        Parameters
        ----------
        options : mapping
            Numbers are in base units; texts with a unit are converted.

        Returns
        -------
        Options

        Raises
        ------
        BackendError
            With every option that is not known or not possible, code ``B2-OPTION``.
        """
        values, faults = SECTION.read(_READERS, options)
        machine, numbers = values.pop("profile", MACHINES[0]), values.pop("profile_numbers", {})
        try:
            profile = Profile.read(machine, numbers)
        except BackendError as error:
            raise BackendError([*faults, *error.diagnostics]) from error
        dead = values.pop("dead_circuits", frozenset())
        faults.extend(_misplaced(dead, values.get("places", {}), profile))
        if faults:
            raise BackendError(faults)
        values.setdefault("calibrate", profile.calibrated.value > 0)
        return cls(machine=machine, profile=profile, dead=dead, **values)

    def milliseconds(self, chip_time: float) -> float:
        """Return the time of the model, in ms, of a time of the chip in us."""
        return chip_time * 1e-3 * self.profile.speed_up.value

    def microseconds(self, model_time: float) -> float:
        """Return the time of the chip, in us, of a time of the model in ms."""
        return model_time * 1e3 / self.profile.speed_up.value


def _circuits(name: str, value: Any) -> frozenset[int]:
    if not isinstance(value, list | tuple):
        raise SECTION.error(name, f"{value!r} is not a list of circuits, such as [17, 300]")
    return frozenset(SECTION.whole(0)(name, item) for item in value)


def _numbers(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SECTION.error(name, f"expected a mapping of numbers such as {{weight_max: 63}}, got {value!r}")
    return {str(key): item for key, item in value.items()}


def _misplaced(dead: frozenset[int], places: Mapping[str, int], profile: Profile) -> list[Diagnostic]:
    circuits, columns = int(profile.circuits.value), int(profile.columns.value)
    faults = [
        SECTION.fault("dead_circuits", f"there is no circuit {number}; they are 0 to {circuits - 1}")
        for number in sorted(dead)
        if number >= circuits
    ]
    return faults + [
        SECTION.fault(f"places.{name}", f"there is no column {column}; they are 0 to {columns - 1}")
        for name, column in places.items()
        if column >= columns
    ]


_BY_POPULATION = "{population: value}"
_WORD = {name: SECTION.choice(*choices) for name, choices in CHOICES.items()}
_READERS: Mapping[str, Reader] = {
    "profile": _WORD["profile"],
    "profile_numbers": _numbers,
    "chip": SECTION.whole(0),
    "adjoint": _WORD["adjoint"],
    "unmodelled": _WORD["unmodelled"],
    "denominator_floor": SECTION.positive("", "0.05"),
    "noise": SECTION.flag,
    "calibrate": SECTION.flag,
    "delays": _WORD["delays"],
    "sampling": _WORD["sampling"],
    "scales": SECTION.mapping(SECTION.positive("", "60"), _BY_POPULATION),
    "rows": SECTION.mapping(SECTION.whole(), "{projection: cells}"),
    "places": SECTION.mapping(SECTION.whole(0), "{population: column}"),
    "rates": SECTION.mapping(SECTION.positive("1/ms", "50 Hz"), _BY_POPULATION),
    "dead_circuits": _circuits,
    "instances": SECTION.whole(),
}
