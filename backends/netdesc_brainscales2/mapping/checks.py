"""What the chip cannot do: every violation with need, limit, source, tag and a fix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from netdesc.block import Block
from netdesc.errors import Diagnostic
from netdesc.events import Floats
from netdesc.limits import Limit, against, six_digits
from netdesc.program import PopulationSlice, Program
from netdesc_brainscales2.mapping.demand import Demand
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.profile import SECTION


def check_names(program: Program, options: Options) -> Iterator[Diagnostic]:
    """Yield options for a population or projection that is not there, or that they do not concern."""
    every = {item.name for item in program.populations}
    neurons = {item.name for item in program.populations if item.kind != "source"}
    blocks = {block.name for block in program.blocks} | {
        block.path.rpartition(".")[2] for block in program.blocks
    }
    for option, values, known, noun in (
        ("scales", options.scales, neurons, "population of neurons"),
        ("places", options.places, neurons, "population of neurons"),
        ("rates", options.rates, every, "population"),
        ("rows", options.rows, blocks, "projection"),
    ):
        yield from SECTION.absent(option, values, known, noun)


def check_ranges(item: PopulationSlice, program: Program, options: Options) -> Iterator[Diagnostic]:
    """Yield time constants and voltages of a population that its circuits cannot have.

    Parameters
    ----------
    item : PopulationSlice
        No source.
    program : Program
    options : Options

    Yields
    ------
    Diagnostic
        Of the worst neuron, code ``B2-RANGE``, or ``B2-STATE`` where membranes do not start at rest.
    """
    here, profile = slice(item.start, item.stop), options.profile
    values = {name: array[here] for name, array in program.parameters.items()}
    tau_s = values["tau_s"][:, : len(item.receptors)]
    yield from _times("tau_mem", values["tau_m"], item, options)
    yield from _times("tau_syn", tau_s, item, options)
    if item.kind == "spiking":
        held = options.microseconds(float(np.max(values["tau_ref"], initial=0.0)))
        if held > profile.refractory_high.value:
            yield _range(
                f"the refractory period {against(held, profile.refractory_high)}",
                item,
                f"set at most {six_digits(options.milliseconds(profile.refractory_high.value))} ms",
            )
        yield from _levels(item, values["rest"], values["threshold"], values["reset"], options=options)
    if np.any(values["v_init"] != values["rest"]):
        worst = int(np.argmax(np.abs(values["v_init"] - values["rest"])))
        message = (
            f"brainscales2 starts every membrane at its rest, {six_digits(values['rest'][worst])} for neuron "
            f"{worst}, not at {six_digits(values['v_init'][worst])}; remove initial.v"
        )
        yield Diagnostic(message, f"{item.path}.initial", "B2-STATE")
    if np.any(np.nan_to_num(values["i_init"]) != 0.0):
        message = "brainscales2 starts every synaptic current at 0; remove initial currents"
        yield Diagnostic(message, f"{item.path}.initial", "B2-STATE")


def _times(name: str, values: Floats, item: PopulationSlice, options: Options) -> Iterator[Diagnostic]:
    low: Limit = getattr(options.profile, f"{name}_low")
    high: Limit = getattr(options.profile, f"{name}_high")
    for need, limit, beyond, word in (
        (options.microseconds(float(np.max(values))), high, 1.0, "most"),
        (options.microseconds(float(np.min(values))), low, -1.0, "least"),
    ):
        # A limit in the file's own unit may come back with the last digit changed.
        if (need - limit.value) * beyond > 1e-9 * limit.value:
            yield _range(
                f"{name} after the speed-up {against(need, limit)}",
                item,
                f"set at {word} {six_digits(options.milliseconds(limit.value))} ms",
            )


def _range(what: str, item: PopulationSlice, fix: str) -> Diagnostic:
    return Diagnostic(f"{what}; {fix}", f"{item.path}.neuron", "B2-RANGE")


def _levels(
    item: PopulationSlice, rest: Floats, threshold: Floats, reset: Floats, *, options: Options
) -> Iterator[Diagnostic]:
    profile = options.profile
    if np.any(threshold <= rest):
        worst = int(np.argmin(threshold - rest))
        yield _range(
            f"neuron {worst} rests at {six_digits(rest[worst])}, at or above its threshold "
            f"{six_digits(threshold[worst])}, so no voltage step can be chosen",
            item,
            "lower the rest or the constant current, or raise the threshold",
        )
        return
    leak, top = profile.leak_level.value, profile.threshold_level.value
    levels = leak + (reset - rest) / (threshold - rest) * (top - leak)
    ends = (
        ("rest", leak, leak, profile.leak_low, profile.leak_high),
        ("threshold", top, top, profile.threshold_low, profile.threshold_high),
        ("reset", float(np.min(levels)), float(np.max(levels)), profile.reset_low, profile.reset_high),
    )
    for name, least, most, low, high in ends:
        for value, limit, beyond in ((least, low, -1.0), (most, high, 1.0)):
            if (value - limit.value) * beyond > 1e-9:
                share = (limit.value - leak) / (top - leak)
                yield _range(
                    f"the {name}, with rest at {six_digits(leak)} and threshold at {six_digits(top)} LSB, "
                    f"{against(value, limit)}",
                    item,
                    f"bring it to {share:.3g} of the way from rest to threshold",
                )


def note_refractory(item: PopulationSlice, program: Program, options: Options) -> Iterator[Diagnostic]:
    """Yield a note where refractory periods are shorter than the circuits can make them."""
    least = options.milliseconds(options.profile.refractory_low.value)
    short = int(np.sum(program.parameters["tau_ref"][item.start : item.stop] < least - 1e-12))
    if item.kind == "spiking" and short:
        message = (
            f"the refractory period of {short} of {item.size} neurons becomes {six_digits(least)} ms, the "
            f"shortest ({options.profile.refractory_low.source}; {options.profile.refractory_low.tag})"
        )
        yield Diagnostic(message, f"{item.path}.neuron", "B2-RANGE")


def check_delays(program: Program, options: Options) -> Iterator[Diagnostic]:
    """Yield projections with delays, or, with ``delays: instance``, with delays that the host cannot make."""
    seen = set[str]()
    for block in program.blocks:
        if not block.delays.any() or block.path in seen:
            continue
        seen.add(block.path)
        pre = program.populations[block.pre]
        longest = options.microseconds(float(block.delays.max()))
        fault = f"a delay {against(longest, options.profile.delay)}"
        if options.delays == "error":
            yield _delay(
                block,
                f"{fault}; set delay: 0 ms, or backends.brainscales2.delays: instance, so "
                "that the host holds spikes back",
            )
        elif any(
            block.pre in stage.populations and block.post in stage.populations for stage in program.stages
        ):
            yield _delay(
                block,
                f"{fault}; the projection is part of a loop, which runs in one execution "
                "instance. Set delay: 0 ms",
            )
        elif _uneven(block):
            yield _delay(
                block,
                f"{fault}; the host can hold back all events of one neuron of {pre.name} by "
                "one time, not by one for every target. Give each neuron a single delay",
            )
    yield from _mixed_delays(program, options)


def _delay(block: Block, message: str) -> Diagnostic:
    return Diagnostic(message, f"{block.path}.delay", "B2-DELAY")


def _uneven(block: Block) -> bool:
    """Return whether synapses of one source differ in their delays."""
    if block.uniform_delay:
        return False
    indptr, _ = block.sparse()
    return any(
        bool(np.ptp(block.delays[start:stop]) > 0.0) for start, stop in pairwise(indptr) if stop > start
    )


def _mixed_delays(program: Program, options: Options) -> Iterator[Diagnostic]:
    if options.delays == "error":
        return
    for position, item in enumerate(program.populations):
        blocks = [block for block in program.blocks if block.pre == position]
        kinds = {tuple(np.unique(block.delays)) for block in blocks}
        if len(kinds) > 1:
            yield _delay(
                blocks[-1],
                f"projections from {item.name} differ in their delays, and the host "
                "holds all events of a neuron back by one time; give them one delay",
            )


def check_signs(demands: Sequence[Demand], program: Program) -> Iterator[Diagnostic]:
    """Yield projections whose weights have a sign that the receptor of their target has no rows for."""
    for item in demands:
        receptors = program.populations[item.block.post].receptors
        if len(receptors) < 2:
            continue
        wrong = item.negative if item.block.receptor == 0 else item.positive
        if wrong:
            this, other = receptors[item.block.receptor], receptors[1 - item.block.receptor]
            message = (
                f"a row has one sign, and the {this} and {other} synaptic inputs of {item.post} have "
                f"different time constants; weights of the other sign would need rows of the {other} input. "
                f"Set min: 0 for its weights, or give {item.post} equal synaptic time constants"
            )
            yield Diagnostic(message, f"{item.block.path}.weight", "B2-SIGN")


def check_words(demands: Sequence[Demand]) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Return faults and notes of weights after scaling.

    Returns
    -------
    faults, notes : list of Diagnostic
        A fault where all weights of a projection become 0; notes on what was rounded, zeroed and saturated.
    """
    faults, notes = list[Diagnostic](), list[Diagnostic]()
    for item in demands:
        weights = item.block.weights
        exact = weights * item.scale
        words = np.rint(exact)
        written = int(np.count_nonzero(weights))
        zeroed = int(np.sum((words == 0) & (weights != 0.0)))
        saturated = int(np.sum((words < item.low) | (words > item.high)))
        rounded = int(np.sum(np.abs(exact - words) > 1e-9))
        path = f"{item.block.path}.weight"
        if zeroed and zeroed == written:
            largest = float(np.max(np.abs(weights)))
            message = (
                f"all {zeroed} weights become 0 at {abs(item.scale):.4g} steps per unit, the largest is "
                f"{six_digits(largest)}; set scales: {{{item.post}: {1.0 / largest:.4g}}} or more"
            )
            faults.append(Diagnostic(message, path, "B2-WEIGHT"))
            continue
        if rounded or saturated:
            message = (
                f"{abs(item.scale):.4g} steps per unit of weight in {item.rows} x {item.weight_max} steps a "
                f"sign: {rounded} of {len(weights)} weights rounded, {zeroed} to 0, {saturated} saturated"
            )
            notes.append(Diagnostic(message, path, "B2-WEIGHT"))
    return faults, notes
