"""Options of the backend, read from ``backends.spinnaker2``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netdesc.errors import BackendError, Diagnostic
from netdesc.limits import Limit
from netdesc.options import Count, Flag, Positive, Sequences, Table, Word, declared, option
from netdesc_spinnaker2.mapping.plan import Chip
from netdesc_spinnaker2.profile import NUMBERS, SECTION, Profile

# `option` returns a field, with a default of its own.
# ruff: noqa: RUF009

_RATE = Positive("1/ms", "50 Hz")
_CORES = Table(
    Sequences(Count(0), "Number of a processing element"),
    "Processing elements of a chip",
    "chip",
    "^[0-9]+,[0-9]+$",
    'a chip as x,y, for example "0,0"',
)


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of the mapping and of the run, each declared once: its form, default and meaning.

    None stands for what depends on the network or on the profile. ``dead`` has chips (x, y) as keys.
    """

    scheme: str = option(
        "How a tick is computed; with off_grid spikes occur within a tick",
        Word(("published", "exact_exponential", "off_grid"), {"paper": "published"}),
        "published",
    )
    weights: str = option("How a synapse word stores a weight", Word(("float", "integer")), "float")
    weight_bits: int | None = option(
        "Bits of magnitude of integer weights, 4 or 7; by the delays by default", Word((4, 7))
    )
    rounding: str = option("How integer weights are rounded", Word(("nearest", "stochastic")), "nearest")
    scales: Mapping[str, float] = option(
        "Integer steps per unit of weight of projections onto a population; full range by the largest "
        "weight by default",
        Table(Positive("", "20"), "Steps per unit of weight"),
        {},
    )
    tick: float | None = option("Length of a tick; 1 ms by default", Positive("ms", "1 ms"))
    batch: int = option("Samples to run in parallel copies of the network", Count(), 1)
    copies: int | None = option(
        "Copies of the network, exactly; as many as fit, up to batch, by default", Count()
    )
    slices: Mapping[str, int] = option(
        "Neurons per slice of a population; searched by default", Table(Count(), "Neurons per slice"), {}
    )
    rates: Mapping[str, float] = option(
        "Expected rates of populations, for cycles and memory; that of the profile by default",
        Table(_RATE, "Expected rate of a neuron"),
        {},
    )
    clock: str = option(
        "Clock of the processing elements; auto is high only in ticks with much work",
        Word(("high", "low", "auto")),
        "high",
    )
    overrun: str = option(
        "What happens if the work of a tick takes longer than a tick",
        Word(("error", "late", "ignore")),
        "error",
    )
    optimizer: str = option("Optimizer to reserve memory for", Word(("adam", "adamw", "sgd")), "adam")
    training: bool | None = option(
        "Whether to reserve memory for learning; true by default if a weight is trained", Flag()
    )
    input_errors: bool = option(
        "Whether inputs receive error packets; gradients of weights do not need them", Flag(), True
    )
    dead: Mapping[Chip, frozenset[int]] = option(
        'Processing elements that do not work: lists of their numbers by chip, for example {"0,0": [3, 17]}',
        _CORES,
        {},
        name="dead_cores",
        stated=False,
    )
    chips: int | None = option("Chips to use; the whole board by default", Count())
    profile: Profile = option(
        "Numbers of the machine that replace the defaults; they are marked as assumptions",
        NUMBERS,
        {},
        stated=False,
        value=Profile,
    )

    @property
    def step(self) -> float:
        """Length of a tick in ms."""
        return self.profile.tick.value if self.tick is None else self.tick

    @property
    def budget(self) -> Limit:
        """Cycles of a tick at the highest clock that the run may use."""
        clock = self.profile.clock_low if self.clock == "low" else self.profile.clock_high
        source = f"{clock.value / 1e6:g} MHz for {self.step:g} ms, {clock.source}"
        return Limit(clock.value * self.step * 1e-3, "cycles", source, clock.tag)

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
        """Read the section ``backends.spinnaker2``; BackendError with every option that is not possible."""
        values, faults = SECTION.read(OPTIONS, options)
        values["profile"] = Profile.read(values.get("profile", {}))
        values["dead"] = {
            _chip(key): frozenset(numbers) for key, numbers in values.pop("dead_cores", {}).items()
        }
        faults.extend(_misplaced(values["dead"], values["profile"]))
        faults.extend(_uneven(values["profile"]))
        if faults:
            raise BackendError(faults)
        return cls(**values)


OPTIONS = declared(Options)
"""What may stand under ``backends.spinnaker2``."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    item.name: item.form.words for item in OPTIONS if isinstance(item.form, Word) and item.default is not None
}
"""Options with a fixed set of words."""


def _chip(key: str) -> Chip:
    x, y = (int(number) for number in key.split(","))
    return x, y


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
