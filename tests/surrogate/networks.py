"""Small networks with made-up runs, and the recursion on the grid written as plain loops."""

from dataclasses import replace

import numpy as np

from netdesc.block import Block
from netdesc.events import Events
from netdesc.observation import Reading
from netdesc.program import PopulationSlice, Program, Stage, Surrogate
from netdesc.trace import Read, Recording, Trace

STEP = 1.5
KINDS = ("source", "spiking", "spiking", "readout")
NAMES = ("input", "first", "second", "output")


def make_program(
    random,
    *,
    sizes=(4, 3, 3, 2),
    steps=9,
    recurrent=False,
    sparse=False,
    delays=False,
    receptors=("signed",),
    shape="superspike",
    subtractive=False,
    readings=(),
):
    starts = np.concatenate(([0], np.cumsum(sizes)))
    populations = tuple(
        PopulationSlice(
            name,
            int(starts[k]),
            int(starts[k + 1]),
            kind,
            "cell",
            () if kind == "source" else receptors,
            subtractive,
            (sizes[k],),
            {},
        )
        for k, (name, kind) in enumerate(zip(NAMES, KINDS, strict=True))
    )
    ends = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)] + ([(1, 1), (2, 1)] if recurrent else [])
    blocks = tuple(
        make_block(
            random, pre, post, sizes, number=number, sparse=sparse, delays=delays, receptors=len(receptors)
        )
        for number, (pre, post) in enumerate(ends)
    )
    total, count = int(starts[-1]), len(receptors)
    parameters = {
        "tau_m": random.uniform(5, 20, total),
        "tau_s": random.uniform(2, 6, (total, count)),
        "tau_ref": random.choice([0.0, 2.0, 5.0], total),
        "rest": random.normal(0, 0.1, total),
        "threshold": random.uniform(1, 2, total),
        "reset": np.zeros(total),
        "v_init": np.zeros(total),
        "i_init": np.zeros((total, count)),
    }
    stages = (
        (Stage((1, 2), True), Stage((3,), False))
        if recurrent
        else tuple(Stage((k,), False) for k in (1, 2, 3))
    )
    return Program(
        "net",
        STEP * (steps - 1),
        0,
        populations,
        blocks,
        parameters,
        stages,
        readings=readings,
        surrogate=Surrogate(shape, 4.0),
    )


def make_block(random, pre, post, sizes, *, number, sparse, delays, receptors):
    shape = (sizes[pre], sizes[post])
    mask = random.random(shape) < 0.6 if sparse else np.ones(shape, dtype=bool)
    indptr = np.concatenate(([0], np.cumsum(mask.sum(axis=1)))) if sparse else None
    size = int(mask.sum())
    late = STEP * random.integers(0, 4, size if delays == "each" else 1) if delays else np.zeros(1)
    sign = -1.0 if number % 2 and receptors > 1 else 1.0
    return Block(
        f"p{number}",
        f"projections.p{number}",
        pre,
        post,
        *shape,
        number % receptors,
        sign * random.uniform(0.5, 2, sizes[post]),
        indptr,
        np.nonzero(mask)[1] if sparse else None,
        random.normal(0, 1, size),
        late.astype(float),
        train_weight=True,
    )


def make_trace(random, program, *, batch=3, rate=0.12):
    steps = round(program.duration / STEP) + 1
    times = STEP * np.arange(steps)
    spikes, samples = {}, {}
    for item in program.populations:
        if item.kind != "readout":
            count = random.poisson(rate * item.size * steps * batch)
            spikes[item.name] = Events.from_arrays(
                random.uniform(0, program.duration, count),
                random.integers(0, item.size, count),
                random.integers(0, batch, count),
                batch,
            )
        if item.kind != "source":
            samples[f"{item.name}.v"] = Recording(
                times, random.permutation(item.size), random.normal(0.8, 0.7, (batch, item.size, steps))
            )
    readings = {
        item.key: Read(
            np.zeros((batch, program.population(item.population).size)),
            random.choice(times, (batch, program.population(item.population).size)),
        )
        for item in program.readings
    }
    return Trace(spikes, None, samples, readings=readings)


def count_spikes(program, trace, item):
    steps = round(program.duration / STEP) + 1
    counts = np.zeros((trace.batch, steps, item.size))
    events = trace.spikes[item.name]
    for sample, time, source in zip(events.samples(), events.times, events.sources, strict=True):
        counts[sample, int(time // STEP), source] += 1
    return counts


def is_held(program, trace, item, place):
    """Whether the voltage of the next step is the reset, by the definition."""
    sample, step, neuron = place
    if item.subtractive_reset:
        return False
    events, hold = trace.spikes[item.name], program.parameters["tau_ref"][item.start + neuron]
    for which, time, source in zip(events.samples(), events.times, events.sources, strict=True):
        if which == sample and source == neuron:
            spiked = int(time // STEP)
            if spiked == step or (spiked < step and time + hold >= (step + 1) * STEP):
                return True
    return False


def stand_in(program, voltage, neuron):
    threshold, rest = program.parameters["threshold"][neuron], program.parameters["rest"][neuron]
    x, slope = (voltage - threshold) / (threshold - rest), program.surrogate.slope
    if program.surrogate.shape == "superspike":
        return 1.0 / (slope * abs(x) + 1.0) ** 2 / (threshold - rest)
    if program.surrogate.shape == "triangle":
        return max(0.0, 1.0 - slope * abs(x)) / (threshold - rest)
    s = 1.0 / (1.0 + np.exp(-slope * x))
    return s * (1.0 - s) / (threshold - rest)


def tangent(program, trace, changes):
    """Carry a change of the weights forwards through the linearized recursion, synapse by synapse.

    Returns the changes of voltages and of spikes by population, each (batch, steps, n).
    """
    steps = round(program.duration / STEP) + 1
    shapes = {item.name: (trace.batch, steps, item.size) for item in program.populations}
    counts = {
        item.name: count_spikes(program, trace, item)
        for item in program.populations
        if item.kind != "readout"
    }
    dv, dz = ({name: np.zeros(shape) for name, shape in shapes.items()} for _ in range(2))
    di = {item.name: np.zeros((len(item.receptors), *shapes[item.name])) for item in program.populations}
    sampled = {
        key: dict(zip(item.neurons.tolist(), item.values.transpose(1, 0, 2), strict=True))
        for key, item in trace.recordings.items()
    }
    for step in range(steps):
        for item in program.populations:
            if item.kind == "spiking":
                for sample in range(trace.batch):
                    for j in range(item.size):
                        voltage = sampled[f"{item.name}.v"][j][sample, step]
                        dz[item.name][sample, step, j] = (
                            stand_in(program, voltage, item.start + j) * dv[item.name][sample, step, j]
                        )
        if step + 1 == steps:
            break
        for item in program.populations:
            if item.kind == "source":
                continue
            for sample in range(trace.batch):
                for j in range(item.size):
                    neuron = item.start + j
                    beta = np.exp(-STEP / program.parameters["tau_m"][neuron])
                    for r in range(len(item.receptors)):
                        alpha = np.exp(-STEP / program.parameters["tau_s"][neuron, r])
                        di[item.name][r, sample, step + 1, j] += alpha * di[item.name][r, sample, step, j]
                    held = item.kind == "spiking" and is_held(program, trace, item, (sample, step, j))
                    dv[item.name][sample, step + 1, j] = (
                        0.0
                        if held
                        else (
                            beta * dv[item.name][sample, step, j]
                            + (1.0 - beta) * di[item.name][:, sample, step, j].sum()
                        )
                    )
        for block in program.blocks:
            feed(program, trace, block, changes, step=step, counts=counts, dz=dz, di=di)
    return dv, dz


def feed(program, trace, block, changes, *, step, counts, dz, di):
    pre, post = program.populations[block.pre], program.populations[block.post]
    indptr, indices = block.sparse()
    weights = trace.effective_parameters.get(block.weight_key, block.weights)
    for source in range(block.n_pre):
        for k in range(indptr[source], indptr[source + 1]):
            delay = block.delays[0] if block.uniform_delay else block.delays[k]
            arrival = step + 1 + round(delay / STEP)
            if arrival >= di[post.name].shape[2]:
                continue
            scale = block.charge[indices[k]]
            di[post.name][block.receptor, :, arrival, indices[k]] += scale * (
                changes[block.weight_key][k] * counts[pre.name][:, step, source]
                + weights[k] * dz[pre.name][:, step, source]
            )


def draw_changes(random, program):
    return {block.weight_key: random.normal(0, 1, block.size) for block in program.blocks}


def with_maximum(program):
    return replace(program, readings=(Reading("output", "maximum"), Reading("output", "mean", 7.0)))
