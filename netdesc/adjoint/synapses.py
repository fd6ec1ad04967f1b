"""The synapses of a stage as kernels take them: runs that refer to the projections' own order and values."""

from __future__ import annotations

from typing import NamedTuple

from netdesc.dynamics.jit import inlined, int64
from netdesc.events import Floats, Indices, Integers

BEGIN, END, PART = 0, 1, 2
"""Columns of ``Synapses.runs``."""

RECEPTOR, WEIGHT_AT, WEIGHT_STEP, DELAY_AT, DELAY_STEP = 0, 1, 2, 3, 4
"""Columns of ``Synapses.parts``."""

COLUMNS = 5

SHIFT = 40
"""Bits of the number of a synapse in a label."""


class Synapses(NamedTuple):
    """Synapses of a stage, in runs.

    Synapses are numbered projection after projection, within one as there. A run is synapses of one source
    from one projection, at consecutive places, by delay; runs are sorted by slot, then by delay, then by
    target. A value that the synapses of a projection share is stored once.

    Parameters
    ----------
    first : ndarray of int64, shape (slots + 1,)
        Runs of each slot.
    runs : ndarray of int32, shape (runs, 3)
        First place, one past the last, and projection of each; none is empty.
    order : ndarray of int32, shape (synapses,) or (1,)
        Number of the synapse at each place; a single one where every place is the number.
    target : ndarray of int32, shape (synapses,)
        By number.
    weight, delay : ndarray of float64
        In volts of the cell and ms. Synapse k of a projection has the element at its ``WEIGHT_AT`` plus k
        times its ``WEIGHT_STEP``, which is 0 or 1; so for delays.
    parts : ndarray of int64, shape (projections, 5)
        Receptor of each projection, and where its values are.
    """

    first: Integers
    runs: Indices
    order: Indices
    target: Indices
    weight: Floats
    delay: Floats
    parts: Integers


@inlined
def number_at(place: int, fan: Synapses) -> int:
    """Return the number of the synapse at a place."""
    return int64(fan.order[place]) if len(fan.order) > 1 else place


@inlined
def target_of(number: int, fan: Synapses) -> int:
    """Return the neuron that a synapse leads to, counted within the stage."""
    return int64(fan.target[number])


@inlined
def weight_of(number: int, part: int, fan: Synapses) -> float:
    """Return the weight of a synapse of a projection, in volts of the cell."""
    parts = fan.parts
    return float(fan.weight[parts[part, WEIGHT_AT] + parts[part, WEIGHT_STEP] * number])


@inlined
def delay_at(place: int, part: int, fan: Synapses) -> float:
    """Return the delay of the synapse of a projection at a place, in ms."""
    parts = fan.parts
    return float(fan.delay[parts[part, DELAY_AT] + parts[part, DELAY_STEP] * number_at(place, fan)])


@inlined
def label(number: int, part: int) -> int:
    """Return one integer for a synapse and its projection."""
    return (part << SHIFT) | number


@inlined
def number_of(labelled: int) -> int:
    """Return the number of a synapse from its label."""
    return labelled & ((1 << SHIFT) - 1)


@inlined
def weight_by(labelled: int, fan: Synapses) -> float:
    """Return the weight of a synapse from its label, in volts of the cell."""
    return weight_of(number_of(labelled), labelled >> SHIFT, fan)


@inlined
def receptor_by(labelled: int, fan: Synapses) -> int:
    """Return the receptor of a synapse from its label."""
    return int(fan.parts[labelled >> SHIFT, RECEPTOR])
