"""Steps of learning in one call of a kernel, for layers one after another with one loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.derivatives import number_parts, share_batch, split_batch
from netdesc.adjoint.neuron import Rules
from netdesc.adjoint.wiring import LAYER
from netdesc.backend import BatchGradient, Objective, StepReport
from netdesc.dynamics.outputs import Scales
from netdesc.events import Events, Floats, Integers, frozen
from netdesc.threads import run, worthwhile
from netdesc_numba.event.chain import DONE, FULL, Answers, Chain, Room, add_gradients
from netdesc_numba.event.endings import Means, learn_first_spikes, learn_means
from netdesc_numba.event.readings import mean_of_one
from netdesc_numba.options import Options

FIRST, MEAN = "time_to_first_spike", "mean_voltage"
"""The losses of such steps, of spiking neurons and of read-outs."""

Kernel = Callable[..., tuple[int, int, int]]


def find_loss(objectives: Sequence[Objective]) -> Objective | None:
    """Return the loss of a training if there is one alone, of such a kind and with the samples' labels."""
    if len(objectives) != 1 or objectives[0].kind not in (FIRST, MEAN):
        return None
    options = objectives[0].options
    return None if options.get("target") is not None or options.get("pull") else objectives[0]


def forms_chain(layout: Layout, objective: Objective) -> bool:
    """Return whether each stage of a program is a layer that receives from the one before alone.

    Also, whether the loss is of the last one, and the weights are what is trained and all that is trained.
    """
    program = layout.program
    sources = [k for k, item in enumerate(program.populations) if item.kind == "source"]
    if len(sources) != 1 or program.populations[sources[0]].start != 0 or not program.stages:
        return False
    before, keys = sources[0], []
    for index, stage in enumerate(program.stages):
        wiring, blocks, place = layout.wirings[index], layout.blocks[index], stage.populations[0]
        ends = index == len(program.stages) - 1
        kind = "readout" if ends and objective.kind == MEAN else "spiking"
        alone = len(blocks) == 1 and len(stage.populations) == 1 and layout.plain[index]
        if wiring.kind != LAYER or not alone or program.populations[place].kind != kind:
            return False
        if blocks[0].pre != before or not blocks[0].train_weight:
            return False
        before = place
        keys.append(blocks[0].weight_key)
    trained = {item.key for item in program.declared().values() if item.trained}
    parts = {len(split_batch(1 << 20, int(wiring.offsets[-1]))) for wiring in layout.wirings}
    named = program.populations[before].name == objective.population
    return named and len(program.readings) < 2 and trained == set(keys) and len(parts) == 1


def choose_kernel(layout: Layout, objective: Objective) -> tuple[Kernel, Scales | Means]:
    """Return the kernel of a loss, and the numbers of it."""
    numbers, program = objective.options, layout.program
    if objective.kind == FIRST:
        scales = float(numbers["tau_0"]), float(numbers["tau_1"]), float(numbers["alpha"])
        return learn_first_spikes, Scales(*scales, program.duration)
    reading = program.readings[0]
    rest = layout.rest(len(program.stages) - 1) * mean_of_one(reading, program.duration)
    return learn_means, Means(np.array([1.0 / reading.tau]), rest)


def arrange(layout: Layout, floor: float, most: int) -> Chain:
    """Return the layers of a program as the kernel takes them, with so many spikes in a sample at most."""
    program, begins, total = layout.program, dict[str, int](), 0
    for item in program.declared().values():
        if item.trained:
            begins[item.key] = total
            total += len(item.values)
    layers = [layout.layer(index) for index in range(len(program.stages))]
    blocks = [item for (item,) in layout.blocks]
    sizes = [len(layer.start) for layer in layers]
    return Chain(
        np.array([layer.constants for layer in layers]),
        np.array([block.n_pre for block in blocks]),
        np.array(sizes),
        np.array([float(layout.store[block.delay_key][0]) for block in blocks]),
        np.cumsum([0, *sizes]),
        np.array([program.populations[block.post].start for block in blocks]),
        np.array([begins[block.weight_key] for block in blocks]),
        total,
        np.concatenate([layer.start for layer in layers]),
        np.concatenate([layer.current for layer in layers]),
        Rules(program.duration, floor, 0, 0.0, 0.0),
        most,
    )


def make_room(stages: int, capacity: int, batch: int) -> Room:
    """Return arrays for the spikes of some samples."""
    shape = (stages + 1, capacity)
    return Room(
        np.empty(shape),
        np.empty(shape),
        np.empty(shape),
        np.empty(shape, dtype=np.int64),
        np.empty(shape),
        np.empty((stages + 1, batch), dtype=np.int64),
        np.zeros((stages + 1, batch + 1), dtype=np.int64),
    )


class FusedChain:
    """Layers one after another with a loss; see ``netdesc.backend.LossGradient``.

    Parameters
    ----------
    layout : Layout
    objective : Objective
        See ``find_loss``.
    chain : Chain
    threads : int
    """

    def __init__(self, layout: Layout, objective: Objective, chain: Chain, threads: int) -> None:
        self.program = layout.program
        self.chain = chain
        self.weight = objective.weight
        self.threads = threads
        self.kernel, self.numbers = choose_kernel(layout, objective)
        everyone = layout.program.populations
        source = [item for item in everyone if item.kind == "source"]
        layers = [everyone[stage.populations[0]] for stage in layout.program.stages]
        self.populations = source + [item for item in layers if item.kind == "spiking"]
        self.layers = len(self.populations) - 1
        self.silent = np.zeros(layout.program.size + 1, dtype=np.bool_)
        for item in self.populations[1:]:
            self.silent[item.start : item.stop] = True
        self.sizes = chain.sizes.tolist()
        self.size, self.largest = chain.total, int((chain.rows * chain.sizes).max())
        self.rooms: dict[tuple[int, int], Room] = {}
        self.sums: dict[int, Floats] = {}
        self.steps = 1 << 40

    def __call__(self, values: Floats, stimulus: Events, labels: Integers) -> BatchGradient | None:
        """Run a batch, compute its loss and the gradient; see ``netdesc.backend.LossGradient``."""
        batch = stimulus.batch
        outputs = int(self.chain.sizes[-1])
        part, parts = number_parts(batch, self.largest)
        threads = worthwhile(self.threads, self.steps)
        spans = share_batch(batch, self.largest, threads)
        sums = self.sums.get(parts)
        if sums is None:
            sums = self.sums[parts] = np.empty(parts * self.size)
        sums.fill(0.0)
        answers = Answers(
            np.empty((batch, outputs)),
            np.empty((batch, outputs), dtype=np.int64),
            np.empty(batch),
            np.empty((batch, outputs)),
            np.empty(batch, dtype=np.int64),
            np.empty(batch, dtype=np.bool_),
            self.silent.copy(),
            sums,
            part,
        )
        given = Incoming(stimulus.times, stimulus.sources, stimulus.offsets)
        weights, loss = frozen(values, np.float64), (self.numbers, self.weight / max(batch, 1))

        def learn(first: int, last: int) -> tuple[int, int, int, Room]:
            spikes = int(stimulus.offsets[last] - stimulus.offsets[first])
            room = self.find_room((first, last), batch, spikes)
            while True:
                found = self.kernel((first, last), given, labels, weights, self.chain, room, loss, answers)
                capacity = room.times.shape[1]
                if found[0] != FULL or capacity > self.program.spike_budget(batch).most:
                    return *found, room
                room = self.rooms[first, last] = make_room(self.layers, 2 * capacity, batch)

        found = run(learn, spans, threads)
        if any(item[0] != DONE for item in found):
            return None
        if parts > 1:
            gradient = np.empty(self.size)
            add_gradients(sums, self.chain, gradient)
        else:
            gradient = frozen(sums, np.float64)
        return self.report(answers, labels, gradient, found, spans)

    def find_room(self, span: tuple[int, int], batch: int, spikes: int) -> Room:
        """Return arrays for the spikes of a range of samples, with at least so many places in each row."""
        room = self.rooms.get(span)
        if room is None or room.counts.shape[1] != batch or room.times.shape[1] < spikes:
            count = span[1] - span[0]
            capacity = max(spikes, 2 * count * int(self.chain.sizes.max())) + 64
            room = self.rooms[span] = make_room(self.layers, capacity, batch)
        return room

    def report(
        self, answers: Answers, labels: Integers, gradient: Floats,
        found: Sequence[tuple[int, int, int, Room]], spans: Sequence[tuple[int, int]],
    ) -> BatchGradient:  # fmt: skip
        """Put together what a batch gives."""
        totals = [0] * (self.layers + 1)
        for item, (_, last) in zip(found, spans, strict=True):
            totals = [*map(add, totals, item[3].offsets[:, last].tolist())]
        batch = len(labels)
        self.steps = sum((total + batch) * size for total, size in zip(totals, self.sizes, strict=False))
        report = StepReport(
            loss=self.weight / max(batch, 1) * float(np.add.reduce(answers.values)),
            correct=answers.predictions == labels,
            predictions=answers.predictions,
            ties=answers.ties,
            silent_targets=sum(item[2] for item in found),
            silent_neurons=int(np.count_nonzero(answers.silent)),
            spikes={item.name: total for item, total in zip(self.populations, totals, strict=True)},
            health={"grazing": sum(item[1] for item in found)},
        )
        return BatchGradient(report, gradient, answers.silent)


def fuse(
    layout: Layout, objectives: Sequence[Objective], options: Options, limits: Sequence[int]
) -> FusedChain | None:
    """Return steps in one call; None where the network or its losses are others.

    Parameters
    ----------
    layout : Layout
    objectives : sequence of Objective
    options : Options
    limits : sequence of int
        Spikes that each stage may have in a sample.
    """
    objective = find_loss(objectives)
    if objective is None or not forms_chain(layout, objective):
        return None
    chain = arrange(layout, options.denominator_floor, min(limits))
    return FusedChain(layout, objective, chain, options.threads)
