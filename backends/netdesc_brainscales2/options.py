"""Options of the backend, read from ``backends.brainscales2``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.units import convert
from netdesc_brainscales2.profile import MACHINES, Profile

CHOICES: Mapping[str, tuple[str, ...]] = {
    "profile": MACHINES,
    "adjoint": ("nominal", "true"),
    "unmodelled": ("clamp", "drop"),
    "delays": ("error", "instance"),
    "sampling": ("auto", "cadc", "madc"),
}
"""Options with a fixed set of values; the first is the default."""

_BASE = "backends.brainscales2"


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
        What becomes of measured spikes that the model would not produce: ``clamp`` or ``drop``.
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
        faults = [Diagnostic(_unknown(name), f"{_BASE}.{name}", "B2-OPTION")
                  for name in options if name not in _READERS]
        values: dict[str, Any] = {}
        for name, reader in _READERS.items():
            if options.get(name) is not None:
                try:
                    values[name] = reader(name, options[name])
                except BackendError as error:
                    faults.extend(error.diagnostics)
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


def _unknown(name: str) -> str:
    close = get_close_matches(name, _READERS, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"is not an option of this backend; {hint}It has {', '.join(_READERS)}"


def _fault(path: str, message: str) -> BackendError:
    return BackendError(Diagnostic(message, f"{_BASE}.{path}", "B2-OPTION"))


def _choice(name: str, value: Any) -> str:
    # The reader of a file makes a truth value of a bare true.
    text = "true" if value is True else value
    if text not in CHOICES[name]:
        raise _fault(name, f"{value!r} is not possible; write one of {', '.join(CHOICES[name])}")
    return str(text)


def _whole(least: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if isinstance(value, bool) or not number >= least or not number.is_integer():
            raise _fault(name, f"{value!r} is not possible; write a whole number of {least} or more")
        return int(number)
    return read


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _fault(name, f"{value!r} is neither true nor false")
    return value


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0.0 < number < float("inf"):
        raise _fault(name, f"{value!r} is not possible; write a number above 0")
    return number


def _rate(name: str, value: Any) -> float:
    if not isinstance(value, str):
        return _positive(name, value)
    try:
        return _positive(name, convert(value, "1/ms", name))
    except DescriptionError as error:
        raise _fault(name, str(error)) from error


def _mapping(reader: Callable[[str, Any], Any]) -> Callable[[str, Any], dict[str, Any]]:
    def read(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _fault(name, f"{value!r} is not a mapping of names to numbers")
        faults, values = list[Diagnostic](), dict[str, Any]()
        for key, item in value.items():
            try:
                values[str(key)] = reader(f"{name}.{key}", item)
            except BackendError as error:
                faults.extend(error.diagnostics)
        if faults:
            raise BackendError(faults)
        return values
    return read


def _circuits(name: str, value: Any) -> frozenset[int]:
    if not isinstance(value, list | tuple):
        raise _fault(name, f"{value!r} is not a list of circuits, such as [17, 300]")
    return frozenset(_whole(0)(name, item) for item in value)


def _numbers(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _fault(name, f"{value!r} is not a mapping of numbers, such as {{weight_max: 63}}")
    return {str(key): item for key, item in value.items()}


def _misplaced(dead: frozenset[int], places: Mapping[str, int], profile: Profile) -> list[Diagnostic]:
    circuits, columns = int(profile.circuits.value), int(profile.columns.value)
    faults = [Diagnostic(f"there is no circuit {number}; they are 0 to {circuits - 1}",
                         f"{_BASE}.dead_circuits", "B2-OPTION")
              for number in sorted(dead) if number >= circuits]
    return faults + [Diagnostic(f"there is no column {column}; they are 0 to {columns - 1}",
                                f"{_BASE}.places.{name}", "B2-OPTION")
                     for name, column in places.items() if column >= columns]


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "profile": _choice, "profile_numbers": _numbers, "chip": _whole(0), "adjoint": _choice,
    "unmodelled": _choice, "denominator_floor": _positive, "noise": _flag, "calibrate": _flag,
    "delays": _choice, "sampling": _choice, "scales": _mapping(_positive), "rows": _mapping(_whole(1)),
    "places": _mapping(_whole(0)), "rates": _mapping(_rate), "dead_circuits": _circuits,
    "instances": _whole(1),
}
