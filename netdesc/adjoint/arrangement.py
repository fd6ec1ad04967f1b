"""A program arranged for kernels: per stage the cells, the synapses and the spikes that arrive."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.adjoint.arrivals import Afferents, Incoming, merge, part_of
from netdesc.adjoint.cells import Loop, UniformLayer, make_layer, neurons_of, read_cells, replace_weights
from netdesc.adjoint.fanout import is_plain, lay_out, reweight
from netdesc.adjoint.synapses import Synapses
from netdesc.adjoint.wiring import LAYER, NARROWEST, RECURRENT, arrive_later, is_layer, wire
from netdesc.block import join_charges
from netdesc.events import Events, Floats, frozen
from netdesc.parameters import DELAY, Check, ParameterStore, accept
from netdesc.program import Program
from netdesc.threads import worthwhile


def stored(weights: Floats) -> Floats:
    """Return weights as kernels take them, also where one number stands for all; see ``events.frozen``."""
    return weights if weights.flags.c_contiguous else frozen(np.ascontiguousarray(weights), np.float64)


NOTHING: Floats = frozen(np.empty(0), np.float64)


class Layout:
    """A program with its parameters arranged for the kernels of every stage.

    Parameters
    ----------
    program : Program
    layers : bool
        Whether dense stages of uniform cells may be run as layers.
    check : callable, optional
        Of the parameters that are written; see ``ParameterStore``.

    Attributes
    ----------
    program : Program
    store : ParameterStore
        Present weights and delays.
    cells : list of named tuple
        Parameters of the neurons, per stage.
    wirings : list of Wiring
        Per stage.
    blocks : list of list of Block
        Per stage.
    plain : list of bool
        Whether a stage has one block, whose charges are its weights.
    fanouts, arranged, layers, reaches : dict of int to Synapses, to UniformLayer, and to tuple of float
        With the present weights and delays, by stage, those that have been asked for; ``arranged`` is without
        weights, and remains as long as the delays do; see ``reach``.
    """

    def __init__(self, program: Program, *, layers: bool = True, check: Check = accept) -> None:
        self.program = program
        self.cells = [read_cells(program, stage) for stage in program.stages]
        self.wirings = [
            wire(program, stage, layers and is_layer(program, stage, cells))
            for stage, cells in zip(program.stages, self.cells, strict=True)
        ]
        self.store = ParameterStore(program.declared(), check)
        self.blocks = [[program.blocks[k] for k in wiring.blocks] for wiring in self.wirings]
        self.plain = [len(blocks) == 1 and is_plain(blocks[0]) for blocks in self.blocks]
        self.layers: dict[int, UniformLayer] = {}
        self.arrange_delays()
        self.arrange_weights()

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            By the keys of the blocks, in the units of the file; parameters that are absent keep their values.

        Raises
        ------
        NumericsError
            If a key or shape does not fit, a value is not finite or a delay is negative.
        """
        if DELAY in self.store.write(parameters):
            self.arrange_delays()
        self.arrange_weights()

    def arrange_delays(self) -> None:
        """Bring the present delays into the order of the kernels, and choose kernels that they allow."""
        for index, (stage, wiring) in enumerate(zip(self.program.stages, self.wirings, strict=True)):
            if wiring.kind == RECURRENT and not arrive_later(self.program, stage, self.store.values):
                self.wirings[index] = wire(self.program, stage, False)
        self.arranged: dict[int, Synapses] = {}
        self.entries = [self.list_entries(index) for index in range(len(self.wirings))]
        self.reaches: dict[int, tuple[float, float]] = {}

    def list_entries(self, index: int) -> list[tuple[int, int, float]]:
        """Return source population, first row and delay in ms of each block of a layer; none of others."""
        wiring, rows = self.wirings[index], 0
        if not wiring.by_rows:
            return []
        entries = []
        for block in self.blocks[index]:
            entries.append((block.pre, rows, float(self.store[block.delay_key][0])))
            rows += block.n_pre
        return entries

    def arrange_weights(self) -> None:
        """Bring the present weights into the order of the kernels."""
        self.fanouts: dict[int, Synapses] = {}
        self.layers = {
            index: replace_weights(layer, self.charges(index)) for index, layer in self.layers.items()
        }

    def charges(self, index: int) -> Floats:
        """Return the present weights of a layer, by synapse number, in volts of the cell."""
        blocks = self.blocks[index]
        if self.plain[index]:
            return stored(self.store[blocks[0].weight_key])
        return join_charges(blocks, self.store.values)

    def rest(self, index: int) -> Floats:
        """Return the resting voltages of a stage, which the voltages of its kernels are relative to."""
        rest: Floats = self.program.parameters["rest"][neurons_of(self.program, self.program.stages[index])]
        return rest

    def layer(self, index: int) -> UniformLayer:
        """Return a stage that runs as a layer as its kernels take it."""
        if index not in self.layers:
            self.layers[index] = make_layer(self.cells[index], self.charges(index))
        return self.layers[index]

    def fanout(self, index: int) -> Synapses:
        """Return the synapses of a stage by slot, which a layer otherwise does without."""
        if index not in self.fanouts:
            given = self.wirings[index], self.blocks[index], self.store.values
            old = self.arranged.get(index)
            self.fanouts[index] = lay_out(*given) if old is None else reweight(old, *given)
            self.arranged[index] = self.fanouts[index]._replace(weight=NOTHING)
        return self.fanouts[index]

    def emissions(self, index: int, spikes: Mapping[int, Events], batch: int) -> Afferents:
        """Collect the spikes from outside a stage, at their emission, by slot; see ``afferents``."""
        wiring = self.wirings[index]
        return merge([part_of(p, spikes[p], wiring.slots[p]) for p in wiring.inputs], batch)

    def afferents(self, index: int, spikes: Mapping[int, Events], batch: int) -> Afferents:
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
        Afferents
            For a layer its arrivals, by row of the weights, with those of its own spikes where these are
            known; otherwise its ``emissions``.
        """
        wiring = self.wirings[index]
        if not wiring.by_rows:
            return self.emissions(index, spikes, batch)
        entries = self.entries[index]
        return merge(
            [part_of(pre, spikes[pre], row, delay=delay) for pre, row, delay in entries if pre in spikes],
            batch,
        )

    def loop(self, index: int) -> Loop:
        """Return the projections of a recurrent layer onto itself."""
        places = self.wirings[index].places
        own = [(row, delay) for pre, row, delay in self.entries[index] if pre in places]
        rows = np.array([row for row, _ in own], dtype=np.int64)
        delay = np.array([delay for _, delay in own], dtype=np.float64)
        return Loop(rows, delay, float(delay.min(initial=np.inf)))

    def count_threads(self, index: int, incoming: Incoming, threads: int) -> int:
        """Return how many of some threads shorten a sweep over a stage; results do not depend on it.

        Parameters
        ----------
        index : int
            Of the stage.
        incoming : Incoming
            What enters it.
        threads : int
            At most this many.
        """
        wiring = self.wirings[index]
        if wiring.kind != LAYER:
            return threads
        intervals = len(incoming.times) + len(incoming.offsets) - 1
        return worthwhile(threads, intervals * wiring.size)

    def has_windows(self, index: int) -> bool:
        """Return whether the delays within a stage are long enough for windows in place of a queue."""
        return self.reach(index)[0] >= NARROWEST * self.program.duration

    def reach(self, index: int) -> tuple[float, float]:
        """Return the shortest delay within a stage and the longest into it, in ms; infinite and 0 without."""
        if index not in self.reaches:
            wiring = self.wirings[index]
            blocks = self.blocks[index]
            own = [self.store[block.delay_key] for block in blocks if block.pre in wiring.places]
            every = [self.store[block.delay_key] for block in blocks]
            lag = min((float(delays.min(initial=np.inf)) for delays in own), default=np.inf)
            longest = max((float(delays.max(initial=0.0)) for delays in every), default=0.0)
            self.reaches[index] = lag, longest
        return self.reaches[index]
