"""What is read from the chip: which membranes by which converter, and how many events."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.adjoint.final_voltages import FINAL
from netdesc.errors import Diagnostic
from netdesc.limits import against
from netdesc.observation import Sampling
from netdesc.program import PopulationSlice, Program
from netdesc_brainscales2.mapping.plan import Plan, Sampled
from netdesc_brainscales2.options import Options


def sample(program: Program, options: Options) -> tuple[tuple[Sampled, ...], list[Diagnostic]]:
    """Choose converters for everything that is recorded or read.

    Returns
    -------
    sampled : tuple of Sampled
        Recordings in the order of the program, then what losses and surrogates read, on the CADC.
    faults : list of Diagnostic
        Codes ``B2-CADC`` and ``B2-MADC``.
    """
    recorded = [item for item in program.sampling if item.variable == "v"]
    fine = [item for item in recorded if _converter(item, options) == "madc"]
    faults = [*_too_often(recorded, options), *_too_many(fine, options)]
    sampled = [
        Sampled(item.population, item.neurons, _converter(item, options), item.every) for item in recorded
    ]
    interval = options.milliseconds(options.profile.cadc_interval.value)
    read = dict.fromkeys(item.population for item in program.readings if item.kind != FINAL)
    if program.surrogate is not None:
        read |= dict.fromkeys(item.name for item in program.populations if item.kind != "source")
    sampled += [Sampled(name, np.arange(program.population(name).size), "cadc", interval) for name in read]
    return tuple(sampled), faults


def _converter(item: Sampling, options: Options) -> str:
    if options.sampling != "auto":
        return options.sampling
    slow = item.every >= options.milliseconds(options.profile.cadc_interval.value) - 1e-9
    return "cadc" if slow or len(item.neurons) > options.profile.madc_neurons.value else "madc"


def _too_often(recorded: list[Sampling], options: Options) -> Iterator[Diagnostic]:
    profile = options.profile
    for item in recorded:
        converter = _converter(item, options)
        limit = profile.cadc_interval if converter == "cadc" else profile.madc_interval
        every = options.microseconds(item.every)
        if every < limit.value - 1e-9:
            few = f", or {profile.madc_neurons.value:g} neurons on the MADC" if converter == "cadc" else ""
            message = (
                f"samples every {every:.4g} us of the chip: {against(every, limit)} for {len(item.neurons)} "
                f"membranes; set every: {options.milliseconds(limit.value):g} ms or more{few}"
            )
            yield Diagnostic(message, f"record.{item.population}.v", f"B2-{converter.upper()}")


def _too_many(fine: list[Sampling], options: Options) -> Iterator[Diagnostic]:
    limit, need = options.profile.madc_neurons, sum(len(item.neurons) for item in fine)
    if need > limit.value:
        message = (
            f"recording on the MADC {against(need, limit)} membranes; record fewer neurons, or every "
            f"{options.milliseconds(options.profile.cadc_interval.value):g} ms on the CADC"
        )
        yield Diagnostic(message, f"record.{fine[0].population}.v", "B2-MADC")


def check_parity(plan: Plan, options: Options) -> Iterator[Diagnostic]:
    """Yield a fault where two neurons on the MADC both lie in even, or both in odd columns."""
    fine = [
        (item.population, neuron)
        for item in plan.sampled
        if item.converter == "madc"
        for neuron in item.neurons
    ]
    # Merged neurons of several columns can be read in any of them.
    places = [plan.circuits(name)[neuron] for name, neuron in fine]
    parities = [set((place[place >= 0] % plan.columns % 2).tolist()) for place in places]
    if len(parities) == 2 and len(parities[0] | parities[1]) == 1:
        (first, a), (second, b) = fine
        word = "odd" if 1 in parities[0] else "even"
        message = (
            f"the MADC reads one even and one odd column; {first}[{a}] and {second}[{b}] are both in {word} "
            f"columns ({options.profile.madc_neurons.source}; {options.profile.madc_neurons.tag}). Record "
            "another neuron, or set backends.brainscales2.places"
        )
        yield Diagnostic(message, f"record.{first}.v", "B2-MADC")


def rate_of(item: PopulationSlice, program: Program, options: Options) -> float:
    """Return the expected rate of one neuron or source, in 1/ms of the model.

    Returns
    -------
    float
        Of the option ``rates``, of the source as written, or one spike a sample for data; 0 for a read-out.
    """
    if item.name in options.rates:
        return options.rates[item.name]
    if item.kind == "readout":
        return 0.0
    if item.kind == "spiking":
        return options.profile.expected_rate.value / options.profile.speed_up.value
    if "rate" in item.source:
        return float(np.mean(item.source["rate"]))
    times = item.source.get("times")
    if times is not None:
        return sum(len(row) for row in times) / max(len(times), 1) / program.duration
    return 1.0 / program.duration


def expected_events(program: Program, plan: Plan, instance: int, options: Options) -> tuple[float, float]:
    """Return the expected events of one sample into and out of the chip in one execution instance."""
    into = sum(
        rate_of(program.population(route.population), program, options) * int(np.sum(route.bus >= 0))
        for route in plan.routes
        if route.instance == instance and route.external
    )
    out = sum(
        rate_of(program.population(part.population), program, options) * part.size
        for part in plan.parts
        if part.instance == instance
    )
    return into * program.duration, out * program.duration


def check_rates(program: Program, plan: Plan, options: Options) -> Iterator[Diagnostic]:
    """Yield a fault where more events than the chip takes in, or sends, are expected on average."""
    profile, length = options.profile, options.microseconds(program.duration)
    limits = (("into", profile.input_rate), ("out of", profile.output_rate))
    for item in plan.instances:
        expected = expected_events(program, plan, item.number, options)
        for events, (word, limit) in zip(expected, limits, strict=True):
            if events / length > limit.value:
                message = (
                    f"events {word} the chip at the expected rates: {against(events / length, limit)}; "
                    "events above the limit are dropped. Use fewer sources, lower rates or a longer sample"
                )
                yield Diagnostic(message, "backends.brainscales2", "B2-RATE")
