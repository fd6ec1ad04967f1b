"""Steps of learning in one call of a kernel, for layers one after another and a loss of first spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.cells import make_layer
from netdesc.adjoint.derivatives import number_parts, share_batch, split_batch
from netdesc.adjoint.neuron import Rules
from netdesc.adjoint.wiring import LAYER
from netdesc.backend import BatchGradient, Objective, StepReport
from netdesc.events import Events, Floats, Integers, frozen
from netdesc.losses.time_to_first_spike import Scales
from netdesc.program import Program
from netdesc.threads import run, worthwhile
from netdesc_numba.event.chain import DONE, FULL, Answers, Chain, Room, add_gradients, learn_first_spikes
from netdesc_numba.options import Options

KIND = "time_to_first_spike"
"""The loss of such steps."""


def find_loss(objectives: Sequence[Objective]) -> Objective | None:
    """Return the loss of a training if it is one of first spikes with the labels of the samples, and no other."""
    if len(objectives) != 1 or objectives[0].kind != KIND:
        return None
    options = objectives[0].options
    return None if options.get("target") is not None or options.get("pull") else objectives[0]


def find_order(layout: Layout) -> list[int] | None:
    """Return the stages of a program in which each layer receives from the one before alone.

    None where it is another network, or its weights are not what is trained, or not all that is trained.
    """
    program, order = layout.program, list(range(len(layout.program.stages)))
    sources = [k for k, item in enumerate(program.populations) if item.kind == "source"]
    if len(sources) != 1 or program.populations[sources[0]].start != 0 or not order:
        return None
    before, keys = sources[0], []
    for index in order:
        wiring, blocks = layout.wirings[index], layout.blocks[index]
        place = wiring.stage.populations[0]
        alone = len(blocks) == 1 and len(wiring.stage.populations) == 1 and layout.plain[index]
        if wiring.kind != LAYER or not alone or program.populations[place].kind != "spiking":
            return None
        if blocks[0].pre != before or not blocks[0].train_weight:
            return None
        before = place
        keys.append(blocks[0].weight_key)
    whole = {item.key for item in program.declared().values() if item.trained}
    parts = {str(split_batch(1 << 20, len(layout.weights[index]))) for index in order}
    return order if whole == set(keys) and len(keys) == len(whole) and len(parts) == 1 else None


def arrange(layout: Layout, order: Sequence[int], floor: float, most: int) -> Chain:
    """Return the layers of a program as the kernel takes them, with so many spikes in a sample at most."""
    program, begins, total = layout.program, dict[str, int](), 0
    for item in program.declared().values():
        if item.trained:
            begins[item.key] = total
            total += len(item.values)
    layers = [make_layer(layout.cells[index], layout.weights[index]) for index in order]
    blocks = [layout.blocks[index][0] for index in order]
    sizes = [len(layer.start) for layer in layers]
    return Chain(
        np.array([layer.constants for layer in layers]),
        np.array([block.n_pre for block in blocks]),
        np.array(sizes),
        np.array([float(layout.store[block.delay_key][0]) for block in blocks]),
        np.cumsum([0, *sizes]),
        np.array([begins[block.weight_key] for block in blocks]),
        np.concatenate([layer.start for layer in layers]),
        np.concatenate([layer.current for layer in layers]),
        Rules(program.duration, floor, 0, 0.0, 0.0),
        most,
    )


def make_room(stages: int, capacity: int, batch: int) -> Room:
    """Return arrays for the spikes of some samples."""
    shape = (stages + 1, capacity)
    return Room(
        *np.empty((3, *shape)),
        np.empty(shape, dtype=np.int64),
        np.empty(shape),
        np.empty((stages + 1, batch), dtype=np.int64),
        np.zeros((stages + 1, batch + 1), dtype=np.int64),
    )


class Names(NamedTuple):
    """Populations of a chain.

    Parameters
    ----------
    source : str
    layers : tuple of str
    silent : tuple of (slice, slice)
        Of each layer, its neurons in the program, and among those of all layers.
    """

    source: str
    layers: tuple[str, ...]
    silent: tuple[tuple[slice, slice], ...]


class FusedChain:
    """Layers one after another with a loss of first spikes; see ``netdesc.backend.LossGradient``.

    Parameters
    ----------
    layout : Layout
    objective : Objective
        See ``find_loss``.
    chain : Chain
    threads : int
    """

    def __init__(self, layout: Layout, objective: Objective, chain: Chain, threads: int) -> None:
        numbers = objective.options
        scales = float(numbers["tau_0"]), float(numbers["tau_1"]), float(numbers["alpha"])
        self.program = layout.program
        self.chain = chain
        self.weight = objective.weight
        self.threads = threads
        self.scales = Scales(*scales, layout.program.duration)
        self.names = name_populations(layout.program)
        synapses = chain.rows * chain.sizes
        self.size, self.largest = int(synapses.sum()), int(synapses.max())
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
            *np.empty((1, batch, outputs)),
            np.empty((batch, outputs), dtype=np.int64),
            np.empty(batch),
            np.empty((batch, outputs)),
            np.empty(batch, dtype=np.int64),
            np.empty(batch, dtype=np.bool_),
            np.zeros(len(self.chain.start), dtype=np.bool_),
            sums,
            part,
        )
        given = Incoming(stimulus.times, stimulus.sources, stimulus.offsets)
        weights, loss = frozen(values, np.float64), (self.scales, self.weight / max(batch, 1))

        def learn(first: int, last: int) -> tuple[int, int, int, int, Room]:
            spikes = int(stimulus.offsets[last] - stimulus.offsets[first])
            room = self.find_room((first, last), batch, spikes)
            while True:
                found = learn_first_spikes((first, last), given, labels, weights, self.chain, room, loss, answers)
                capacity = room.times.shape[1]
                if found[0] != FULL or capacity > self.program.spike_budget(batch).most:
                    return *found, room
                room = self.rooms[first, last] = make_room(len(self.names.layers), 2 * capacity, batch)

        found = run(learn, spans, threads)
        if any(item[0] != DONE for item in found):
            return None
        if parts > 1:
            gradient = np.empty(self.size)
            add_gradients(sums, self.chain, gradient)
        else:
            gradient = sums
        return self.report(answers, labels, gradient, found, spans)

    def find_room(self, span: tuple[int, int], batch: int, spikes: int) -> Room:
        """Return arrays for the spikes of a range of samples, with at least so many places in each row."""
        room = self.rooms.get(span)
        if room is None or room.counts.shape[1] != batch or room.times.shape[1] < spikes:
            count = span[1] - span[0]
            capacity = max(spikes, 2 * count * int(self.chain.sizes.max())) + 64
            room = self.rooms[span] = make_room(len(self.names.layers), capacity, batch)
        return room

    def report(
        self, answers: Answers, labels: Integers, gradient: Floats,
        found: Sequence[tuple[int, int, int, int, Room]], spans: Sequence[tuple[int, int]],
    ) -> BatchGradient:  # fmt: skip
        """Put together what a batch gives."""
        names = self.names
        lasts = [item[4].offsets[:, last].tolist() for item, (_, last) in zip(found, spans, strict=True)]
        totals = [sum(column) for column in zip(*lasts, strict=True)]
        silent = np.zeros(self.program.size + 1, dtype=np.bool_)
        for whole, mine in names.silent:
            silent[whole] = ~answers.heard[mine]
        intervals = [total + len(labels) for total in totals]
        self.steps = int(np.dot(intervals[:-1], self.chain.sizes))
        report = StepReport(
            loss=self.weight / max(len(labels), 1) * float(answers.values.sum()),
            correct=answers.predictions == labels,
            predictions=answers.predictions,
            ties=answers.ties,
            silent_targets=sum(item[3] for item in found),
            silent_neurons=int(np.count_nonzero(silent)),
            spikes=dict(zip((names.source, *names.layers), totals, strict=True)),
            health={"grazing": sum(item[1] for item in found)},
        )
        return BatchGradient(report, gradient, silent)


def name_populations(program: Program) -> Names:
    """Return the names and places of the populations of a chain."""
    source = next(item.name for item in program.populations if item.kind == "source")
    layers = [program.populations[stage.populations[0]] for stage in program.stages]
    silent, place = [], 0
    for item in layers:
        silent.append((slice(item.start, item.stop), slice(place, place + item.size)))
        place += item.size
    return Names(source, tuple(item.name for item in layers), tuple(silent))


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
    objective, order = find_loss(objectives), find_order(layout)
    if objective is None or order is None:
        return None
    last = layout.program.populations[layout.program.stages[order[-1]].populations[0]]
    if last.name != objective.population:
        return None
    chain = arrange(layout, order, options.denominator_floor, min(limits))
    return FusedChain(layout, objective, chain, options.threads)
