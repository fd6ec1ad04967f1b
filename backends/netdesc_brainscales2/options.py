"""Options of the backend, read from ``backends.brainscales2``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netdesc.errors import BackendError, Diagnostic
from netdesc.options import Count, Flag, Positive, Sequences, Table, Word, declared, option
from netdesc_brainscales2.profile import MACHINES, NUMBERS, SECTION, Profile

# `option` returns a field, with a default of its own.
# ruff: noqa: RUF009


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the mapping and of the run, each declared once: its form, default and meaning.

    ``machine`` is the name of the profile, ``profile`` its numbers, those of the file included, and ``dead``
    the circuits that are not used.
    """

    machine: str = option(
        "Circuits of the chip: calibrated, uncalibrated, or ideal without deviations",
        Word(MACHINES),
        MACHINES[0],
        name="profile",
    )
    profile: Profile = option(
        "Numbers of the machine that replace those of the profile; they are marked as assumptions. Times and "
        "rates are those of the chip, LSB are steps of the 8-bit read-out",
        NUMBERS,
        {},
        name="profile_numbers",
        stated=False,
        value=lambda: Profile.read(MACHINES[0]),
    )
    chip: int = option("ID of the chip, which alone sets the fixed pattern of its circuits", Count(0), 1)
    adjoint: str = option(
        'Parameters of the model in the backward pass: nominal, as written, or "true" in quotes, the '
        "circuits' own",
        Word(("nominal", "true")),
        "nominal",
    )
    unmodelled: str = option(
        "What happens to measured spikes that the model would not produce", Word(("clamp", "drop")), "clamp"
    )
    denominator_floor: float = option(
        "Smallest slope of the model at a measured spike that the gradient divides by, relative to the "
        "distance from reset to threshold over the membrane time constant",
        Positive("", "0.05"),
        0.05,
    )
    noise: bool = option("Whether runs have temporal noise; without it they repeat bit for bit", Flag(), True)
    calibrate: bool = option(
        "Whether the calibration runs before the network; as in the profile by default", Flag(), value=True
    )
    delays: str = option(
        "What happens to delays, which the chip does not have: an error, or the host holds spikes back, "
        "between execution instances or on the way into the first",
        Word(("error", "instance")),
        "error",
    )
    sampling: str = option(
        "Converter of recorded voltages; auto selects the MADC if its two neurons suffice and the interval "
        "is too short for the CADC",
        Word(("auto", "cadc", "madc")),
        "auto",
    )
    scales: Mapping[str, float] = option(
        "Hardware steps per unit of weight into a population; 60, or 30 where rows are scarce, per "
        "threshold distance by default",
        Table(Positive("", "60"), "Steps per unit of weight"),
        {},
    )
    rows: Mapping[str, int] = option(
        "Rows per sign of the synapses of a projection, or of a block of one; as many as the weights need by "
        "default. Larger weights saturate",
        Table(Count(), "Rows per sign", "projection", "^[A-Za-z_][A-Za-z0-9_.-]*$"),
        {},
        stated=False,
    )
    places: Mapping[str, int] = option(
        "First column of a population; in the order of the file by default",
        Table(Count(0), "Number of the column"),
        {},
    )
    rates: Mapping[str, float] = option(
        "Expected rates of populations and sources, for the estimate and the limits of rates; that of the "
        "profile by default",
        Table(Positive("1/ms", "50 Hz"), "Expected rate of a neuron, in time of the model"),
        {},
    )
    dead: frozenset[int] = option(
        "Circuits that are not used, each hemisphere times 256 plus column",
        Sequences(Count(0), "Number of a circuit"),
        [],
        name="dead_circuits",
        value=frozenset(),
    )
    instances: int | None = option(
        "Maximum number of execution instances; as many as needed by default", Count()
    )

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Read the section ``backends.brainscales2``; BackendError with every option that is not possible."""
        values, faults = SECTION.read(OPTIONS, options)
        machine, numbers = values.pop("profile", MACHINES[0]), values.pop("profile_numbers", {})
        try:
            profile = Profile.read(machine, numbers)
        except BackendError as error:
            raise BackendError([*faults, *error.diagnostics]) from error
        dead = frozenset(values.pop("dead_circuits", ()))
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


OPTIONS = declared(Options)
"""What may stand under ``backends.brainscales2``."""


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
