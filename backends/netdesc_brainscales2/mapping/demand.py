"""What the synapses of a program need: hardware steps, cells per synapse, signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.block import Block
from netdesc.events import Floats
from netdesc.program import PopulationSlice, Program
from netdesc_brainscales2.options import Options

_ROUNDING = 0.5 - 1e-9
"""A word may exceed its range by less than this and still be rounded into it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What one block asks for.

    Parameters
    ----------
    block : Block
    pre, post : str
    rows : int
        Cells per sign of one synapse.
    positive, negative : bool
        Whether its synapses excite, and inhibit; one at least.
    scale : float
        Hardware steps per unit of weight of the file, the sign of the block included.
    weight_max : int
        Largest value of a cell.
    """

    block: Block
    pre: str
    post: str
    rows: int
    positive: bool
    negative: bool
    scale: float
    weight_max: int

    @property
    def per_synapse(self) -> int:
        """Cells of one synapse, both signs together."""
        return self.rows * (self.positive + self.negative)

    @property
    def low(self) -> int:
        """Smallest word."""
        return -self.rows * self.weight_max if self.negative else 0

    @property
    def high(self) -> int:
        """Largest word."""
        return self.rows * self.weight_max if self.positive else 0


@dataclass(frozen=True, slots=True)
class Ambition:
    """How finely, and with how much room to grow, weights are laid out.

    Parameters
    ----------
    steps : float
        Hardware steps for a weight of one threshold distance.
    headroom : float
        Largest weight that training may reach, beside the largest initial one.
    """

    steps: float
    headroom: float


def ambitions(options: Options) -> tuple[Ambition, ...]:
    """Return what to try, the best first; where rows are scarce, fine steps go first, then room to grow."""
    profile = options.profile
    fine, room = profile.weight_scale.value, profile.weight_headroom.value
    coarse = min(fine, profile.weight_scale_low.value)
    tries = (Ambition(fine, room), Ambition(coarse, room), Ambition(coarse, min(1.0, room)))
    return tuple(dict.fromkeys(tries))


def scale_of(item: PopulationSlice, program: Program, ambition: Ambition, options: Options) -> float:
    """Return hardware steps per unit of weight into a population, by the option ``scales`` or by default.

    The default is by the mean distance from rest to threshold, which is 1 for a read-out without threshold.

    Parameters
    ----------
    item : PopulationSlice
        No source.
    program : Program
    ambition : Ambition
    options : Options
    """
    if item.name in options.scales:
        return options.scales[item.name]
    here, values = slice(item.start, item.stop), program.parameters
    spans = values["threshold"][here] - values["rest"][here]
    distance = 1.0 if item.kind == "readout" else float(np.mean(spans))
    charge = float(np.mean(charges_into(item, program)))
    return ambition.steps * charge / distance if distance > 0.0 else ambition.steps


def charges_into(item: PopulationSlice, program: Program) -> Floats:
    """Return the voltage of every neuron of a population per unit of weight; 1 where no synapse ends."""
    found = (block.charge for block in program.blocks if program.populations[block.post].name == item.name)
    return np.abs(next(found, np.ones(item.size)))


def demand_of(block: Block, program: Program, ambition: Ambition, options: Options) -> Demand:
    """Return what a block needs."""
    pre, post = program.populations[block.pre], program.populations[block.post]
    scale = block.sign * scale_of(post, program, ambition, options)
    up, down = _reach(block, ambition.headroom)
    if block.sign < 0.0:
        up, down = down, up
    weight_max = int(options.profile.weight_max.value)
    given = options.rows.get(block.name, options.rows.get(block.path.rpartition(".")[2]))
    need = max(1, int(np.ceil((max(up, down) * abs(scale) - _ROUNDING) / weight_max)))
    return Demand(
        block, pre.name, post.name, given or need, up > 0.0 or down <= 0.0, down > 0.0, scale, weight_max
    )


def _reach(block: Block, headroom: float) -> tuple[float, float]:
    """Return how far weights go above and below zero, in the units of the file."""
    top = float(np.max(block.weights, initial=0.0))
    bottom = float(-np.min(block.weights, initial=0.0))
    if not block.train_weight:
        return top, bottom
    low, high = block.weight_bounds
    grown = headroom * max(top, bottom)
    # A weight that may be trained to either sign needs both kinds of rows, however small it is now.
    small = np.finfo(float).tiny
    up = top if high <= 0.0 else max(top, high if np.isfinite(high) else grown, small)
    down = bottom if low >= 0.0 else max(bottom, -low if np.isfinite(low) else grown, small)
    return up, down
