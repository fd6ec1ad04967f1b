"""Calibration: a search for the codes with which every circuit comes closest to its target.

As on the real machine, every quantity of every circuit is found by a binary search over the codes of its
converter, with a measurement in every step. A measurement has an error that stays (the means of measuring
differ from circuit to circuit) and one that is new every time. Circuits that turn out to be far off are
searched again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import Diagnostic, LimitError
from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc.streams import stream
from netdesc_brainscales2.chip.pattern import CIRCUITS, INPUTS, Dac, Pattern, draw_pattern
from netdesc_brainscales2.chip.substrate import steps_of_voltage, two_columns
from netdesc_brainscales2.mapping.pipeline import map_program
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.profile import Profile

ATTEMPTS = 8
# A circuit is searched again where it misses its target by more than this many residual spreads.
TOLERANCE = 2.0
# By how much the converters reach beyond the range for which the machine is specified.
RELATIVE_REACH, LSB_REACH = 3.0, 60.0
QUANTITIES = ("tau_mem", "tau_syn", "gain", "threshold", "leak", "reset")


@dataclass(frozen=True, slots=True)
class Calibration:
    """A chip as it runs.

    Parameters
    ----------
    pattern : Pattern
        What is left of the deviations of its circuits.
    used : ndarray of int64
        Circuits that the program uses.
    before, after : mapping of str to float
        Standard deviation of each quantity over these circuits; empty without a calibration.
    left_out : mapping of int to str
        Circuits that cannot do what was asked of them, and what that was; others are used in their place.
    """

    pattern: Pattern
    used: Integers
    before: Mapping[str, float]
    after: Mapping[str, float]
    left_out: Mapping[int, str] = field(default_factory=dict)

    def describe(self) -> str:
        """Return the spreads before and after, and the circuits that are left out, in one line."""
        if not self.after:
            return "none"
        spreads = (f"{name} {self.before[name]:.3g} to {self.after[name]:.3g}" for name in self.after)
        return "; ".join((", ".join(spreads), *(self.left_out[k] for k in sorted(self.left_out))))


@dataclass(frozen=True, slots=True)
class Targets:
    """What every circuit of a chip is to be, in us and LSB of the CADC.

    Parameters
    ----------
    tau_mem, threshold, leak, reset : ndarray of float64, shape (512,)
    tau_syn : ndarray of float64, shape (512, 2)
    used : ndarray of bool, shape (512,)
    neuron : list of str
        Name of the neuron that each circuit belongs to; empty for none.
    """

    tau_mem: Floats
    tau_syn: Floats
    threshold: Floats
    leak: Floats
    reset: Floats
    used: NDArray[np.bool_]
    neuron: list[str]


def find_targets(program: Program, plan: Plan, options: Options) -> Targets:
    """Return the targets of all circuits; those that are not used get typical ones."""
    profile = options.profile
    level, top = profile.leak_level.value, profile.threshold_level.value
    targets = Targets(
        np.full(CIRCUITS, 10.0),
        np.full((CIRCUITS, 2), 5.0),
        np.full(CIRCUITS, top),
        np.full(CIRCUITS, level),
        np.full(CIRCUITS, level),
        np.zeros(CIRCUITS, dtype=np.bool_),
        [""] * CIRCUITS,
    )
    values = program.parameters
    per_us = options.microseconds(1.0)
    for item in program.populations:
        if item.kind == "source":
            continue
        circuits = plan.circuits(item.name)
        lsb = steps_of_voltage(program, item, plan, profile)
        span = slice(item.start, item.stop)
        rest = values["rest"][span]
        tau_s = two_columns(values["tau_s"], item.start, item.stop, None) * per_us
        gap = values["threshold"][span] - rest
        threshold = np.where(np.isfinite(gap), gap * lsb + level, top)
        for column in circuits.T:
            targets.tau_mem[column] = values["tau_m"][span] * per_us
            targets.tau_syn[column] = tau_s
            targets.threshold[column] = threshold
            targets.reset[column] = (values["reset"][span] - rest) * lsb + level
            targets.used[column] = True
        for k, row in enumerate(circuits.tolist()):
            for circuit in row:
                targets.neuron[circuit] = f"{item.name}[{k}]"
    return targets


def search(dac: Dac, target: Floats, bias: Floats, noise: float, rng: np.random.Generator) -> Integers:
    """Find codes by a binary search with noisy measurements.

    Parameters
    ----------
    dac : Dac
    target : ndarray of float64, shape (n,)
    bias : ndarray of float64, shape (n,)
        Error of every measurement of a circuit: a share, or an offset, as its converter's deviation.
    noise : float
        Standard deviation of what is new in every measurement.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    codes = np.zeros(len(target), dtype=np.int64)
    for bit in reversed(range(dac.bits)):
        trial = codes | (1 << bit)
        error = bias + noise * rng.standard_normal(len(target))
        value = dac.convert(trial)
        measured = value * (1.0 + error) if dac.relative else value + error
        codes = np.where(measured <= target, trial, codes)
    return codes


def miss(dac: Dac, codes: Integers, target: Floats) -> Floats:
    """Return by how much circuits miss their targets: as a share, or in LSB."""
    values = dac.convert(codes)
    return values / target - 1.0 if dac.relative else values - target


def calibrate_quantity(
    chip: int, quantity: str, dac: Dac, target: Floats, residual: float, noise: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """Calibrate one quantity of all circuits.

    Parameters
    ----------
    chip : int
        Identity of the chip; the same chip is calibrated in the same way wherever that is done.
    quantity : str
    dac : Dac
    target : ndarray of float64, shape (n,)
    residual : float
        Standard deviation of the error that stays in measurements.
    noise : float
        Of the error that is new in every measurement.

    Returns
    -------
    missed : ndarray of float64, shape (n,)
        By how much each circuit misses its target.
    reached : ndarray of bool, shape (n,)
        Whether it came close.
    """
    codes = np.zeros(len(target), dtype=np.int64)
    reached = np.zeros(len(target), dtype=np.bool_)
    step = np.log(dac.high / dac.low) / dac.top if dac.relative else (dac.high - dac.low) / dac.top
    close = TOLERANCE * max(residual, noise, step)
    for attempt in range(ATTEMPTS):
        rng = stream(chip, f"brainscales2.calibration.{quantity}.{attempt}")
        bias = residual * rng.standard_normal(len(target))
        found = search(dac, target, bias, noise, rng)
        nearer = np.abs(miss(dac, found, target)) < np.abs(miss(dac, codes, target))
        better = ~reached & (nearer if attempt else True)
        codes = np.where(better, found, codes)
        reached = np.abs(miss(dac, codes, target)) <= close
        if reached.all():
            break
    return miss(dac, codes, target), reached


def calibrate(chip: int, targets: Targets, profile: Profile) -> tuple[Pattern, dict[int, Diagnostic]]:
    """Calibrate all circuits of a chip.

    Returns
    -------
    pattern : Pattern
        What is left of the chip's deviations.
    faults : dict of int to Diagnostic
        By circuit in use that does not come close to its target, code ``B2-CALIBRATION``; the first of each.
    """
    raw = draw_pattern(chip, raw_spreads(profile))
    # an error of one LSB out of the distance of the two levels, where a share is asked for
    share = profile.calibration_noise.value / (profile.threshold_level.value - profile.leak_level.value)
    faults: dict[int, Diagnostic] = {}

    def converter(quantity: str, deviation: Floats) -> Dac:
        if quantity == "gain":
            return Dac(8, 1.0 / RELATIVE_REACH, RELATIVE_REACH, True, deviation)
        low, high = (getattr(profile, f"{quantity}_{end}").value for end in ("low", "high"))
        if quantity in ("tau_mem", "tau_syn"):
            return Dac(10, low / RELATIVE_REACH, high * RELATIVE_REACH, True, deviation)
        return Dac(10, low - LSB_REACH, high + LSB_REACH, False, deviation)

    def settle(quantity: str, deviation: Floats, target: Floats, side: str = "") -> Floats:
        dac = converter(quantity, deviation)
        noise = share if dac.relative else profile.calibration_noise.value
        residual = getattr(profile, f"{quantity}_residual").value
        missed, reached = calibrate_quantity(chip, quantity + side, dac, target, residual, noise)
        for k in np.flatnonzero(targets.used & ~reached).tolist():
            what = (
                f"circuit {k}, meant for neuron {targets.neuron[k]}, does not reach its {quantity} of "
                f"{target[k]:.4g} and is left out"
            )
            faults.setdefault(k, Diagnostic(what, "backends.brainscales2", "B2-CALIBRATION"))
        return missed

    tau_mem = settle("tau_mem", raw.tau_mem, targets.tau_mem)
    tau_syn, gain = np.empty((CIRCUITS, 2)), np.empty((CIRCUITS, 2))
    for k, name in enumerate(INPUTS):
        tau_syn[:, k] = settle("tau_syn", raw.tau_syn[:, k], targets.tau_syn[:, k], f".{name}")
        gain[:, k] = settle("gain", raw.gain[:, k], np.ones(CIRCUITS), f".{name}")
    levels = {
        name: settle(name, getattr(raw, name), getattr(targets, name))
        for name in ("threshold", "leak", "reset")
    }
    return Pattern(1.0 + tau_mem, 1.0 + tau_syn, 1.0 + gain, **levels, cadc=raw.cadc), faults


def raw_spreads(profile: Profile) -> dict[str, float]:
    """Return the spreads of a chip that is not calibrated."""
    values = {name: float(getattr(profile, f"{name}_spread").value) for name in QUANTITIES}
    return {**values, "cadc": profile.cadc_offset_spread.value}


def measure(pattern: Pattern, used: Integers) -> dict[str, float]:
    """Return the standard deviation of every quantity over some circuits."""
    return {name: float(getattr(pattern, name)[used].std()) for name in QUANTITIES} if len(used) else {}


def calibrate_chip(
    program: Program, plan: Plan, options: Options
) -> tuple[Calibration, dict[int, Diagnostic]]:
    """Calibrate the chip for the places that a program has on it.

    Returns
    -------
    calibration : Calibration
        With the raw pattern where the options ask for no calibration.
    faults : dict of int to Diagnostic
        As from ``calibrate``.
    """
    raw = draw_pattern(options.chip, raw_spreads(options.profile))
    targets = find_targets(program, plan, options)
    used = np.flatnonzero(targets.used)
    if not options.calibrate:
        return Calibration(raw, used, {}, {}), {}
    pattern, faults = calibrate(options.chip, targets, options.profile)
    return Calibration(pattern, used, measure(raw, used), measure(pattern, used)), faults


def commission(program: Program, options: Options) -> tuple[Plan, Calibration]:
    """Place a program, calibrate its circuits, and place it again without those that miss their targets.

    Returns
    -------
    plan : Plan
    calibration : Calibration
        Names the circuits that are left out.

    Raises
    ------
    LimitError
        With everything that does not fit; where too few circuits are left, with why others are not used.
    """
    missed: dict[int, Diagnostic] = {}
    while True:
        try:
            plan = map_program(program, options, frozenset(missed))
        except LimitError as error:
            raise LimitError([*error.diagnostics, *missed.values()]) from error
        calibration, faults = calibrate_chip(program, plan, options)
        if not faults:
            return plan, replace(calibration, left_out={k: item.message for k, item in missed.items()})
        missed |= faults
