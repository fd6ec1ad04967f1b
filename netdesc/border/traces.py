"""What ``forward`` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from netdesc.border.findings import Findings, describe
from netdesc.events import Events, Floats, is_fixed
from netdesc.observation import Reading, Sampling
from netdesc.parameters import DELAY, Parameter
from netdesc.program import PopulationSlice, Program
from netdesc.trace import RELEASE, Read, Recording, Trace

STATES = ("v", "i")
"""Variables that ``forward`` samples."""

ADJOINTS = ("lam_v", "lam_i")
"""Variables that ``adjoint`` samples."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The parameters of a program, and what was found to be right in the runs before.

    Parameters
    ----------
    declared : mapping of str to Parameter
    arrays : dict of str to ndarray
        By key; arrays that cannot have changed since.
    """

    declared: Mapping[str, Parameter]
    arrays: dict[str, Floats] = field(default_factory=dict)


def check_trace(findings: Findings, trace: object, program: Program, batch: int, *, known: Checked) -> None:
    """Note everything that is wrong with a trace, as returned, of a program and samples of a stimulus."""
    if not findings.require(trace, "a wrong result", Trace):
        return
    good = check_spikes(findings, trace.spikes, program, batch)
    if good:
        check_residuals(findings, trace, program)
    wanted = [item for item in program.sampling if item.variable not in ADJOINTS]
    check_recordings(findings, trace.recordings, wanted, program, batch=batch)
    check_parameters(findings, trace.effective_parameters, known)
    if findings.require_keys(trace.readings, "readings", [item.key for item in program.readings]):
        for reading in program.readings:
            spikes = trace.spikes.get(reading.population) if good else None
            check_reading(findings, trace.readings[reading.key], reading, program, batch=batch, spikes=spikes)
    findings.check_each(trace.health, "health", findings.check_count)
    findings.check_each(trace.costs, "costs", findings.check_cost)
    findings.check_each(trace.provenance, "provenance", findings.check_text)


def check_spikes(findings: Findings, spikes: object, program: Program, batch: int) -> bool:
    """Note what is wrong with the spikes of all populations; return whether nothing is."""
    before = len(findings.diagnostics)
    populations = [item for item in program.populations if item.kind != "readout"]
    if findings.require_keys(spikes, "spikes", [item.name for item in populations]):
        for item in populations:
            check_events(findings, spikes[item.name], item, program.duration, batch)
    return len(findings.diagnostics) == before


def check_events(
    findings: Findings, events: object, item: PopulationSlice, duration: float, batch: int
) -> None:
    """Note what is wrong with the spikes of a population."""
    name = f"spikes of {item.name}"
    if not findings.require(events, name, Events):
        return
    times, sources, offsets = events.times, events.sources, events.offsets
    if not findings.check_array(offsets, f"{name}, offsets", (batch + 1,), "i"):
        return
    sizes = {len(item) for item in (times, sources) if isinstance(item, np.ndarray) and item.ndim}
    # Where times and sources agree they decide how many spikes there are, else the offsets do.
    size = sizes.pop() if len(sizes) == 1 else int(offsets[-1])
    shaped = findings.check_array(times, f"{name}, times", (size,))
    if not findings.check_array(sources, f"{name}, sources", (size,), "i") or not shaped:
        return
    if offsets[0] != 0 or offsets[-1] != size:
        findings.note(
            f"{name}, offsets",
            f"0 first and the number of spikes, {size}, last",
            f"{offsets[0]} first and {offsets[-1]} last",
        )
        return
    # numba is slow to import, and a check of a file comes by here without a run
    from netdesc.border.scan import is_sound

    if is_sound(events.times, events.sources, events.offsets, item.size, duration):
        return
    steps = np.diff(offsets)
    if batch and steps.min() < 0:
        findings.note_entry(offsets[1:], steps < 0, f"{name}, offsets", "offsets that do not decrease")
        return
    inside = findings.check_range(times, f"{name}, times in ms", 0.0, duration)
    if findings.check_range(sources, f"{name}, sources", 0, item.size - 1) and inside:
        check_order(findings, events, name)


def check_order(findings: Findings, events: Events, name: str) -> None:
    """Note the first spike that is out of order within its sample."""
    times, sources = events.times, events.sources
    # Where times do not ascend strictly: the beginnings of samples, ties, and faults.
    places = np.flatnonzero(~(times[1:] > times[:-1])) + 1
    wrong = (times[places] < times[places - 1]) | (sources[places] < sources[places - 1])
    places = places[wrong]
    if not places.size:
        return
    begins = np.zeros(len(times) + 1, dtype=np.bool_)
    begins[events.offsets] = True
    places = places[~begins[places]]
    if not places.size:
        return
    place = int(places[0])
    sample = int(np.searchsorted(events.offsets, place, side="right")) - 1
    findings.note(
        f"{name}, order of times",
        "spikes of a sample ordered by time, then neuron",
        f"neuron {sources[place]} at {times[place]} ms after neuron {sources[place - 1]} at "
        f"{times[place - 1]} ms, at index {place} in sample {sample}",
    )


def check_residuals(findings: Findings, trace: Trace, program: Program) -> None:
    """Note what is wrong with the residuals of spikes; a device may have none."""
    names = [item.name for item in program.populations if item.kind == "spiking"]
    if trace.residuals is None or not findings.require_keys(trace.residuals, "residuals", names):
        return
    for name in names:
        found = trace.residuals[name]
        if not findings.require_mapping(found, f"residuals of {name}"):
            continue
        for kind, values in found.items():
            field, shape = f"residuals of {name}, {kind}", (len(trace.spikes[name]),)
            if not kind.startswith(RELEASE):
                findings.check_finite(values, field, shape)
            elif findings.check_array(values, field, shape) and np.isinf(values).any():
                # NaN is right where the refractory period ends after the run.
                findings.note_entry(values, np.isinf(values), field, "finite numbers or NaN")


def check_recordings(
    findings: Findings, recordings: object, wanted: list[Sampling], program: Program, *, batch: int
) -> None:
    """Note what is wrong with recordings, of a run or of its adjoint.

    A device that learns from sampled voltages returns those samples as well, whatever the file records.
    """
    keys = {f"{item.population}.{item.variable}": item for item in wanted}
    if not findings.require_mapping(recordings, "recordings"):
        return
    for key, item in keys.items():
        if key not in recordings:
            findings.require_keys(recordings, "recordings", keys)
        elif findings.require(recordings[key], f"recordings of {key}", Recording):
            check_recording(
                findings, recordings[key], f"recordings of {key}", item, (program.duration, batch)
            )
    others = recordings.keys() - keys
    if not others:
        return
    possible = {f"{item.name}.{name}" for item in program.populations for name in (*STATES, *ADJOINTS)}
    for key in (key for key in recordings if key in others):
        name, value = f"recordings of {key}", recordings[key]
        if key not in possible:
            findings.note("recordings, keys", "names of the form population.variable", describe(key))
        elif findings.require(value, name, Recording):
            findings.check_finite(
                value.values,
                f"{name}, values by sample, neuron and times",
                (batch, len(value.neurons), len(value.times)),
            )


def check_recording(
    findings: Findings, value: Recording, name: str, item: Sampling, run: tuple[float, int]
) -> None:
    """Note what is wrong with one recording; a converter samples at times of its own."""
    duration, batch = run
    steps = np.size(value.times)
    if not findings.check_finite(value.times, f"{name}, times in ms", (max(steps, 1),)):
        return
    findings.check_range(value.times, f"{name}, times in ms", 0.0, duration + item.every)
    wrong = np.append(False, np.diff(value.times) <= 0.0)
    if wrong.any():
        findings.note_entry(value.times, wrong, f"{name}, times in ms", "times in ascending order")
    if findings.check_array(value.neurons, f"{name}, neurons", item.neurons.shape, "i"):
        wrong = value.neurons != item.neurons
        if wrong.any():
            findings.note_entry(value.neurons, wrong, f"{name}, neurons", "the neurons of the file in order")
    findings.check_finite(
        value.values, f"{name}, values by sample, neuron and times", (batch, len(item.neurons), steps)
    )


def check_parameters(findings: Findings, values: object, known: Checked) -> None:
    """Note what is wrong with the weights and delays as they ran, but for arrays that are known."""
    if not findings.require_keys(values, "effective_parameters", known.declared):
        return
    for key, item in known.declared.items():
        if values[key] is known.arrays.get(key, known):
            continue
        name = f"effective_parameters of {key}"
        good = findings.check_finite(values[key], name, item.values.shape)
        if good and item.quantity == DELAY:
            good = findings.check_range(values[key], f"{name} in ms", 0.0, np.inf)
        if good and is_fixed(values[key]):
            known.arrays[key] = values[key]


def check_reading(
    findings: Findings,
    value: object,
    reading: Reading,
    program: Program,
    *,
    batch: int,
    spikes: Events | None,
) -> None:
    """Note what is wrong with a reading of membranes.

    The spikes are those of its population; None where it has none, or they are wrong.
    """
    name = f"readings of {reading.key}"
    if not findings.require(value, name, Read):
        return
    shape = (batch, program.population(reading.population).size)
    if reading.kind == "final":
        if findings.check_array(value.values, f"{name}, values", shape) and spikes is not None:
            silent = np.ones(shape, dtype=np.bool_)
            silent[spikes.samples(), spikes.sources] = False
            wrong = ~np.isfinite(value.values) & (silent | np.isinf(value.values))
            if wrong.any():
                findings.note_entry(
                    value.values, wrong, f"{name}, values", "finite numbers of silent neurons"
                )
    else:
        findings.check_finite(value.values, f"{name}, values", shape)
    if reading.kind == "maximum":
        if findings.check_finite(value.times, f"{name}, times in ms", shape):
            findings.check_range(value.times, f"{name}, times in ms", 0.0, program.duration)
    elif value.times is not None:
        findings.check_array(value.times, f"{name}, times in ms", shape)
