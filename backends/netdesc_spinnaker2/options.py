"""Options of the backend, read from ``backends.spinnaker2``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netdesc.errors import BackendError, Diagnostic
from netdesc.options import Reader
from netdesc_spinnaker2.mapping.plan import Chip
from netdesc_spinnaker2.profile import SECTION, Profile

CHOICES: Mapping[str, tuple[str, ...]] = {
    "scheme": ("published", "exact_exponential", "off_grid"),
    "weights": ("float", "integer"),
    "rounding": ("nearest", "stochastic"),
    "overrun": ("error", "late", "ignore"),
    "optimizer": ("adam", "adamw", "sgd"),
    "clock": ("high", "low", "auto"),
}
"""Options with a fixed set of values; the first is the default."""


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the mapping and of the run.

    Parameters
    ----------
    profile : Profile
        Numbers of the machine.
    tick : float or None
        In ms; None for that of the profile.
    scheme, weights, rounding, overrun, optimizer, clock : str
        As in ``CHOICES``. ``optimizer`` says what memory the optimizer needs per weight.
    weight_bits : int or None
        4 or 7 for ``integer`` weights; None for 7 where all delays into the population are one tick,
        otherwise 4.
    batch : int
        Samples that would run in parallel if there were room.
    copies : int or None
        Copies of the network, to be had in full; None for as many of ``batch`` as fit.
    training : bool or None
        Whether the chip trains; None where a weight is trained.
    input_errors : bool
        Whether inputs get error packets, too: the derivative by the times of their spikes, which no weight
        needs.
    slices : mapping of str to int
        Neurons per slice of a population, in place of the search.
    rates : mapping of str to float
        Expected rate of a neuron of a population, 1/ms.
    scales : mapping of str to float
        Integer steps per unit of weight of a target population, in place of full range / max abs(w).
    dead : mapping of (x, y) to frozenset of int
        Processing elements that do not work.
    chips : int or None
        Chips to use; None for all of the board.
    """

    profile: Profile = field(default_factory=Profile)
    tick: float | None = None
    scheme: str = "published"
    weights: str = "float"
    rounding: str = "nearest"
    overrun: str = "error"
    optimizer: str = "adam"
    clock: str = "high"
    weight_bits: int | None = None
    batch: int = 1
    copies: int | None = None
    training: bool | None = None
    input_errors: bool = True
    slices: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    scales: Mapping[str, float] = field(default_factory=dict)
    dead: Mapping[Chip, frozenset[int]] = field(default_factory=dict)
    chips: int | None = None

    @property
    def step(self) -> float:
        """Length of a tick in ms."""
        return self.profile.tick.value if self.tick is None else self.tick

    @property
    def clock_rate(self) -> float:
        """Highest clock that the run may use, Hz."""
        return (self.profile.clock_low if self.clock == "low" else self.profile.clock_high).value

    @property
    def height(self) -> int:
        """Rows of chips on the board."""
        return -(-int(self.profile.chips.value) // int(self.profile.board_width.value))

    @property
    def board(self) -> tuple[Chip, ...]:
        """Chips that may be used, row after row."""
        width, chips = int(self.profile.board_width.value), int(self.profile.chips.value)
        count = chips if self.chips is None else min(self.chips, chips)
        return tuple((number % width, number // width) for number in range(count))

    def working(self, chip: Chip) -> tuple[int, ...]:
        """Return the processing elements of a chip that can be used, ascending."""
        dead = self.dead.get(chip, frozenset())
        return tuple(pe for pe in range(int(self.profile.pes_usable.value)) if pe not in dead)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        """Read the section ``backends.spinnaker2``.

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
            With every option that is not known or not possible, code ``S2-OPTION``.
        """
        values, faults = SECTION.read(_READERS, options)
        profile = values.get("profile", Profile())
        faults.extend(_misplaced(values.get("dead_cores", {}), profile))
        faults.extend(_uneven(profile))
        if faults:
            raise BackendError(faults)
        values["dead"] = values.pop("dead_cores", {})
        return cls(**values)


def _bits(name: str, value: Any) -> int:
    if value not in (4, 7):
        raise SECTION.error(name, f"expected 4 or 7 bits of magnitude, got {value!r}")
    return int(value)


def _dead(name: str, value: Any) -> dict[Chip, frozenset[int]]:
    if not isinstance(value, Mapping):
        raise SECTION.error(
            name, f'expected a mapping such as {{"0,0": [3, 17]}}, chip x,y to dead PEs, got {value!r}'
        )
    result = {}
    for key, numbers in value.items():
        try:
            x, y = (int(part) for part in str(key).split(","))
            result[x, y] = frozenset(int(number) for number in numbers)
        except (TypeError, ValueError) as error:
            raise SECTION.error(
                f"{name}.{key}", f'expected "x,y": [numbers of PEs], got {numbers!r}'
            ) from error
    return result


def _misplaced(dead: Mapping[Chip, frozenset[int]], profile: Profile) -> list[Diagnostic]:
    board = set(Options(profile=profile).board)
    pes = int(profile.pes_per_chip.value)
    return [
        SECTION.fault(
            f"dead_cores.{x},{y}",
            f"there is no such PE; chips are those of a board of {len(board)}, "
            f"{int(profile.board_width.value)} in a row, PEs 0 to {pes - 1}",
        )
        for (x, y), numbers in dead.items()
        if (x, y) not in board or not all(0 <= number < pes for number in numbers)
    ]


def _uneven(profile: Profile) -> list[Diagnostic]:
    chips, width = int(profile.chips.value), int(profile.board_width.value)
    if 0 < chips <= width or (width > 0 and chips > 0 and chips % width == 0):
        return []
    return [
        SECTION.fault(
            "profile.chips",
            f"{chips} chips do not make full rows of {width}; packets need a "
            "board without gaps, so set chips to a multiple of board_width",
        )
    ]


def _profile(name: str, value: Any) -> Profile:
    if not isinstance(value, Mapping):
        raise SECTION.error(name, f"expected a mapping such as {{number: value}}, got {value!r}")
    return Profile.read(value)


ALIASES = {"paper": "published"}
"""Former names of schemes, still accepted."""


def _scheme(name: str, value: Any) -> str:
    current = ALIASES.get(value, value) if isinstance(value, str) else value
    return str(SECTION.choice(*CHOICES["scheme"])(name, current))


_COUNT, _BY_POPULATION = SECTION.whole(), "{population: value}"
_READERS: Mapping[str, Reader] = {
    **{name: SECTION.choice(*choices) for name, choices in CHOICES.items()},
    "scheme": _scheme,
    "tick": SECTION.positive("ms", "1 ms"),
    "weight_bits": _bits,
    "batch": _COUNT,
    "copies": _COUNT,
    "chips": _COUNT,
    "training": SECTION.flag,
    "input_errors": SECTION.flag,
    "slices": SECTION.mapping(_COUNT, _BY_POPULATION),
    "rates": SECTION.mapping(SECTION.positive("1/ms", "50 Hz"), _BY_POPULATION),
    "scales": SECTION.mapping(SECTION.positive("", "20"), _BY_POPULATION),
    "dead_cores": _dead,
    "profile": _profile,
}
