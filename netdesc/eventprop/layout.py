"""A program arranged for kernels: per stage the cells, the synapses and the spikes that arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program, Stage

LAYER, NEURONS, NETWORK = "layer", "neurons", "network"


@dataclass(frozen=True, slots=True)
class Cells:
    """Parameters of the neurons of a stage, in the frame of the resting voltage.

    Parameters
    ----------
    tau_m, tau_ref : ndarray of float64, shape (n,)
        In ms.
    tau_s : ndarray of float64, shape (n, 2)
        In ms; the second column repeats the first where a neuron has one current.
    gap, reset, start : ndarray of float64, shape (n,)
        Threshold, reset and initial voltage minus the resting voltage.
    current : ndarray of float64, shape (n, 2)
        Initial synaptic currents.
    rest : ndarray of float64, shape (n,)
    two : bool
        Whether some neuron has two currents with different time constants.
    """

    tau_m: Floats
    tau_ref: Floats
    tau_s: Floats
    gap: Floats
    reset: Floats
    start: Floats
    current: Floats
    rest: Floats
    two: bool

    @property
    def uniform(self) -> bool:
        """Whether all neurons share their time constants and levels."""
        columns = (self.tau_m, self.tau_ref, self.tau_s[:, 0], self.gap, self.reset)
        return not self.two and all(bool(np.all(column == column[0])) for column in columns)


@dataclass(frozen=True, slots=True)
class Wiring:
    """The synapses into a stage.

    Spikes enter by slots: first the neurons of the populations outside the stage, then its own.
    Synapses are numbered block after block, within a block as there.

    Parameters
    ----------
    stage : Stage
    kind : str
        ``layer``: dense blocks with one delay each onto uniform cells without refractory period;
        ``neurons``: any other stage without a cycle; ``network``: a stage with a cycle.
    inputs : tuple of int
        Populations outside the stage that project into it.
    slots : mapping of int to int
        First slot of each population, outside and inside.
    entries : int
        Number of slots.
    places : mapping of int to int
        First neuron of each population of the stage, counted within the stage.
    size : int
        Neurons in the stage.
    blocks : tuple of int
        Indices of the blocks.
    offsets : ndarray of int64, shape (blocks + 1,)
        First synapse of each block.
    slot, target, receptor : ndarray of int64, shape (synapses,)
        Per synapse; the target is counted within the stage. Empty for a layer.
    scale : ndarray of float64, shape (synapses,)
        Voltage per unit of weight, with sign.
    """

    stage: Stage
    kind: str
    inputs: tuple[int, ...]
    slots: Mapping[int, int]
    entries: int
    places: Mapping[int, int]
    size: int
    blocks: tuple[int, ...]
    offsets: Integers
    slot: Integers
    target: Integers
    receptor: Integers
    scale: Floats


@dataclass(frozen=True, slots=True)
class Fanout:
    """Synapses sorted by slot, then by delay, then by target.

    Parameters
    ----------
    start : ndarray of int64, shape (slots + 1,)
    synapse, target, receptor : ndarray of int64, shape (synapses,)
    weight, delay : ndarray of float64, shape (synapses,)
        In volts of the cell and ms.
    """

    start: Integers
    synapse: Integers
    target: Integers
    receptor: Integers
    weight: Floats
    delay: Floats


@dataclass(frozen=True, slots=True)
class Stream:
    """What enters a stage: for a layer arrivals by weight row, otherwise spikes by slot.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a sample.
    slots : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        For each source population in turn its index and the positions of its spikes in the stream,
        None where the stream is just its spikes.
    """

    times: Floats
    slots: Integers
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]


def read_cells(program: Program, stage: Stage) -> Cells:
    """Return the cells of a stage."""
    index = np.concatenate([np.arange(program.populations[p].start, program.populations[p].stop)
                            for p in stage.populations])
    values = program.parameters
    tau_s = np.atleast_2d(values["tau_s"].T).T[index]
    current = np.atleast_2d(values["i_init"].T).T[index]
    if tau_s.shape[1] == 1:
        tau_s, current = np.repeat(tau_s, 2, axis=1), np.hstack([current, np.zeros_like(current)])
    single = np.isnan(tau_s[:, 1])
    tau_s = np.where(np.isnan(tau_s), tau_s[:, :1], tau_s)
    current = np.where(np.isnan(current), 0.0, current) if bool(np.any(single)) else current
    rest = values["rest"][index]
    return Cells(
        tau_m=values["tau_m"][index], tau_ref=values["tau_ref"][index], tau_s=np.ascontiguousarray(tau_s),
        gap=values["threshold"][index] - rest, reset=values["reset"][index] - rest,
        start=values["v_init"][index] - rest, current=np.ascontiguousarray(current), rest=rest,
        two=bool(np.any(tau_s[:, 0] != tau_s[:, 1])))


def is_layer(program: Program, stage: Stage, cells: Cells) -> bool:
    """Tell whether one stream of arrivals serves all neurons of the stage."""
    blocks = [block for block in program.blocks if block.post in stage.populations]
    plain = all(block.dense and block.uniform_delay and not block.train_delay for block in blocks)
    return (not stage.recurrent and plain and cells.uniform and not np.any(cells.tau_ref)
            and bool(np.all(np.isfinite(cells.gap))))


def wire(program: Program, stage: Stage, layer: bool) -> Wiring:
    """Collect the synapses into a stage.

    Parameters
    ----------
    program : Program
    stage : Stage
    layer : bool
        Whether the stage is run as a layer, which needs no index of its synapses.

    Returns
    -------
    Wiring
    """
    chosen = tuple(k for k, block in enumerate(program.blocks) if block.post in stage.populations)
    blocks = [program.blocks[k] for k in chosen]
    inputs = tuple(sorted({block.pre for block in blocks} - set(stage.populations)))
    slots, places, total, size = {}, {}, 0, 0
    for p in (*inputs, *stage.populations):
        slots[p] = total
        total += program.populations[p].size
    for p in stage.populations:
        places[p] = size
        size += program.populations[p].size
    kind = LAYER if layer else NETWORK if stage.recurrent else NEURONS
    resistance = program.parameters["resistance"]
    scale, slot, target, receptor = [np.empty(0)], [], [], []
    for block in blocks:
        indptr, indices = block.sparse()
        scale.append(block.sign * resistance[program.populations[block.post].start + indices])
        if not layer:
            slot.append(slots[block.pre] + np.repeat(np.arange(block.n_pre), np.diff(indptr)))
            target.append(places[block.post] + indices)
            receptor.append(np.full(block.size, block.receptor))
    join = lambda parts: np.concatenate([np.empty(0, dtype=np.int64), *parts]).astype(np.int64)  # noqa: E731
    offsets = np.concatenate(([0], np.cumsum([block.size for block in blocks]))).astype(np.int64)
    return Wiring(stage, kind, inputs, slots, total, places, size, chosen, offsets, join(slot), join(target),
                  join(receptor), np.concatenate(scale))


def sort_fanout(wiring: Wiring, weights: Floats, delays: Floats) -> Fanout:
    """Sort the synapses of a stage by slot and delay.

    Parameters
    ----------
    wiring : Wiring
    weights, delays : ndarray, shape (synapses,)
        In volts of the cell and ms, by synapse number.

    Returns
    -------
    Fanout
    """
    order = np.lexsort((wiring.target, delays, wiring.slot)).astype(np.int64)
    counts = np.bincount(wiring.slot, minlength=wiring.entries)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Fanout(start, order, wiring.target[order], wiring.receptor[order], weights[order], delays[order])


def merge(parts: list[tuple[int, Floats, Integers, Integers]], batch: int) -> Stream:
    """Merge the spikes of several populations into one stream.

    Parameters
    ----------
    parts : list of (population, times, slots, offsets)
    batch : int
        Number of samples.

    Returns
    -------
    Stream
    """
    if len(parts) == 1:
        population, times, slots, offsets = parts[0]
        return Stream(times, slots, offsets, ((population, None),))
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Stream(np.empty(0), empty, np.zeros(batch + 1, dtype=np.int64), ())
    times = np.concatenate([part[1] for part in parts])
    slots = np.concatenate([part[2] for part in parts])
    samples = np.concatenate([np.repeat(np.arange(batch), np.diff(part[3])) for part in parts])
    order = np.lexsort((slots, times, samples))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    bounds = np.cumsum([0] + [len(part[1]) for part in parts])
    positions = tuple((part[0], place[a:b]) for part, a, b in zip(parts, bounds[:-1], bounds[1:], strict=True))
    offsets = np.sum([part[3] for part in parts], axis=0)
    return Stream(times[order], slots[order], offsets, positions)


class Layout:
    """A program with its parameters arranged for the kernels of every stage.

    Parameters
    ----------
    program : Program

    Attributes
    ----------
    program : Program
    cells : list of Cells
        Per stage.
    wirings : list of Wiring
        Per stage.
    weights, delays : list of ndarray
        Per stage, by synapse number; volts of the cell and ms. A layer's delays are one per block.
    fanouts : list of Fanout or None
        Per stage; None for a layer.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cells = [read_cells(program, stage) for stage in program.stages]
        self.wirings = [wire(program, stage, is_layer(program, stage, cells))
                        for stage, cells in zip(program.stages, self.cells, strict=True)]
        self.values: dict[str, Floats] = {}
        for block in program.blocks:
            self.values[block.weight_key] = block.weights
            self.values[block.delay_key] = block.delays
        self.weights: list[Floats] = []
        self.delays: list[Floats] = []
        self.fanouts: list[Fanout | None] = []
        self.arrange()

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            By the keys of the blocks, in the units of the file; what is absent stays.

        Raises
        ------
        NumericsError
            If a key or shape does not fit, a value is not finite or a delay is negative.
        """
        for key, values in parameters.items():
            if key not in self.values or np.shape(values) != self.values[key].shape:
                raise NumericsError(f"{key} of shape {np.shape(values)} is not a parameter of this program")
            if not np.isfinite(values).all():
                raise NumericsError(f"{key} holds a value that is not finite")
            if key.endswith(".delay") and np.min(values, initial=0.0) < 0:
                raise NumericsError(f"{key} holds a negative delay")
        self.values.update({key: np.array(values, dtype=np.float64) for key, values in parameters.items()})
        self.arrange()

    def arrange(self) -> None:
        """Bring the present weights and delays into the order of the kernels."""
        self.weights, self.delays, self.fanouts = [], [], []
        for wiring in self.wirings:
            blocks = [self.program.blocks[k] for k in wiring.blocks]
            parts = [self.values[block.weight_key] for block in blocks]
            weights = (parts[0] if len(parts) == 1 else np.concatenate([np.empty(0), *parts])) * wiring.scale
            layer = wiring.kind == LAYER
            delays = np.concatenate([np.empty(0), *(
                self.values[block.delay_key] if layer
                else np.broadcast_to(self.values[block.delay_key], block.weights.shape) for block in blocks)])
            self.weights.append(weights)
            self.delays.append(delays)
            self.fanouts.append(None if layer else sort_fanout(wiring, weights, delays))

    def spread(self, index: int) -> Wiring:
        """Return the synapses of a layer with their index, as other stages have it."""
        return wire(self.program, self.program.stages[index], False)

    def emissions(self, index: int, spikes: Mapping[int, Events], batch: int) -> Stream:
        """Collect the spikes from outside a stage, at their emission, by slot.

        Parameters
        ----------
        index : int
            Of the stage.
        spikes : mapping of int to Events
            By population index, neurons counted within the population.
        batch : int
            Number of samples.

        Returns
        -------
        Stream
        """
        wiring = self.wirings[index]
        return merge([(p, spikes[p].times, spikes[p].sources + wiring.slots[p], spikes[p].offsets)
                      for p in wiring.inputs], batch)

    def stream(self, index: int, spikes: Mapping[int, Events], batch: int) -> Stream:
        """Collect what enters a stage in the form that its kernels take.

        Parameters
        ----------
        index : int
            Of the stage.
        spikes : mapping of int to Events
            By population index, neurons counted within the population.
        batch : int
            Number of samples.

        Returns
        -------
        Stream
            For a layer its arrivals, by row of the weights; otherwise its ``emissions``.
        """
        wiring = self.wirings[index]
        if wiring.kind != LAYER:
            return self.emissions(index, spikes, batch)
        parts, row = [], 0
        for k, delay in zip(wiring.blocks, self.delays[index], strict=True):
            block = self.program.blocks[k]
            events = spikes[block.pre]
            parts.append((block.pre, events.times + delay if delay else events.times,
                          events.sources + row if row else events.sources, events.offsets))
            row += block.n_pre
        return merge(parts, batch)
