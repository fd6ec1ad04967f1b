"""The model of a host that knows its chip: the parameters of the circuits in place of those of the file.

A circuit has an excitatory and an inhibitory input with different time constants, so every block becomes
two, one with the synapses that go to each input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from netdesc.block import Block
from netdesc.events import Floats
from netdesc.program import Program
from netdesc_brainscales2.chip.pattern import INPUTS
from netdesc_brainscales2.chip.substrate import Membranes

Gains = tuple[Floats, Floats]


def true_parameters(program: Program, membranes: Mapping[str, Membranes]) -> dict[str, Floats]:
    """Return the parameters of a program with those that its circuits really have."""
    values = {name: np.array(array) for name, array in program.parameters.items()}
    for name in ("tau_s", "i_init"):
        values[name] = np.full((program.size, 2), np.nan)
    for name, found in membranes.items():
        item = program.population(name)
        span = slice(item.start, item.stop)
        values["tau_m"][span], values["tau_ref"][span] = found.tau_m, found.tau_ref
        values["rest"][span], values["reset"][span] = found.rest, found.reset
        values["threshold"][span], values["v_init"][span] = found.threshold, found.start
        values["tau_s"][span], values["i_init"][span] = found.tau_s, found.current
    return values


def split_block(block: Block) -> list[Block]:
    """Return a block's synapses onto the excitatory and onto the inhibitory input, each with a weight."""
    alone = replace(block, weights=block.spread(block.weights), weight_of=None)
    return [replace(alone, name=f"{block.name}.{side}", receptor=k) for k, side in enumerate(INPUTS)]


class TrueModel:
    """A program with the parameters of its circuits.

    Parameters
    ----------
    program : Program
    membranes : mapping of str to Membranes
    gains : sequence of tuple of ndarray
        Per block, strengths of the synapses on the excitatory and the inhibitory side.

    Attributes
    ----------
    program : Program
        With twice the blocks.
    """

    def __init__(self, program: Program, membranes: Mapping[str, Membranes], gains: Sequence[Gains]) -> None:
        self.original = program
        self.gains = gains
        populations = tuple(
            item if item.kind == "source" else replace(item, receptors=INPUTS) for item in program.populations
        )
        blocks = tuple(part for block in program.blocks for part in split_block(block))
        self.program = replace(
            program, populations=populations, blocks=blocks, parameters=true_parameters(program, membranes)
        )

    def split(self, values: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return weights and delays of the two halves of every block.

        Parameters
        ----------
        values : mapping of str to ndarray
            As run, by the keys of the blocks.
        """
        result = {}
        for block, gains in zip(self.original.blocks, self.gains, strict=True):
            weights = block.spread(values[block.weight_key])
            excites = weights * block.sign > 0.0
            for part, gain, mine in zip(split_block(block), gains, (excites, ~excites), strict=True):
                result[part.weight_key] = np.where(mine, weights * gain, 0.0)
                result[part.delay_key] = values[block.delay_key]
        return result

    def join(self, gradient: Mapping[str, Floats], values: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the gradient by the weights of the file from that of the halves.

        Parameters
        ----------
        gradient : mapping of str to ndarray
            By the keys of the halves.
        values : mapping of str to ndarray
            As run, by the keys of the blocks.
        """
        result = {}
        for block, gains in zip(self.original.blocks, self.gains, strict=True):
            if not block.train_weight:
                continue
            excites = block.spread(values[block.weight_key]) * block.sign > 0.0
            first, second = (
                gradient[part.weight_key] * gain for part, gain in zip(split_block(block), gains, strict=True)
            )
            result[block.weight_key] = block.collect(np.where(excites, first, second))
        return result
