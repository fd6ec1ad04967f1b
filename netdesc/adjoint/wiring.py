"""The synapses into a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netdesc.adjoint.cells import are_uniform
from netdesc.events import Floats, Integers
from netdesc.program import Program, Stage

LAYER, RECURRENT, NEURONS, NETWORK = "layer", "recurrent layer", "neurons", "network"
RESOLVED = 1e-9
"""Smallest delay of a recurrent layer, as a fraction of the duration: times tell it from none."""
NARROWEST = 1e-7
"""Shortest window as a fraction of the duration; a queue takes its place where delays are shorter."""


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
        ``recurrent layer``: such a layer that projects onto itself with delays above 0;
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

    @property
    def by_rows(self) -> bool:
        """Whether an arrival adds a row of weights to the currents of all neurons."""
        return self.kind in (LAYER, RECURRENT)


def is_layer(program: Program, stage: Stage, cells: Any) -> bool:
    """Tell whether one sequence of arrivals serves all neurons of the stage."""
    blocks = [block for block in program.blocks if block.post in stage.populations]
    plain = all(block.dense and block.uniform_delay and not block.train_delay for block in blocks)
    reads = all(program.populations[p].kind == "readout" for p in stage.populations)
    return (
        (not stage.recurrent or (len(stage.populations) == 1 and arrive_later(program, stage, {})))
        and plain
        and are_uniform(cells)
        and not np.any(cells.tau_ref)
        and (reads or bool(np.all(np.isfinite(cells.gap))))
    )


def arrive_later(program: Program, stage: Stage, delays: Mapping[str, Floats]) -> bool:
    """Tell whether a stage sends nothing to itself that arrives at once.

    Parameters
    ----------
    program : Program
    stage : Stage
    delays : mapping of str to ndarray
        Present delays by key, in place of the program's.
    """
    loops = [block for block in program.blocks if {block.pre, block.post} <= set(stage.populations)]
    return all(
        bool(np.all(delays.get(block.delay_key, block.delays) >= RESOLVED * program.duration))
        for block in loops
    )


def wire(program: Program, stage: Stage, layer: bool) -> Wiring:
    """Collect the synapses into a stage.

    Parameters
    ----------
    program : Program
    stage : Stage
    layer : bool
        Whether the stage is run as a layer.
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
    kinds = (RECURRENT, NETWORK) if stage.recurrent else (LAYER, NEURONS)
    offsets = np.concatenate(([0], np.cumsum([block.size for block in blocks]))).astype(np.int64)
    return Wiring(
        stage,
        kinds[0] if layer else kinds[1],
        inputs,
        slots,
        total,
        places,
        size,
        chosen,
        offsets,
    )
