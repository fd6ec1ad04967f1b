"""Adjoint sweep of a uniform layer: all its neurons see one stream of arrivals."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.derivatives import PartialSums, select_part
from netdesc.adjoint.lanes import Levels, sweep_cell_back, sweep_row_back
from netdesc.adjoint.neuron import OwnEvents, Rules
from netdesc.adjoint.pieces import make_pieces, measure_pieces
from netdesc.adjoint.segments import cut_at_arrivals, find_longest, make_segments
from netdesc.adjoint.uniform import UniformLayer
from netdesc.dynamics.jit import kernel

# Neurons below which going neuron by neuron beats going side by side.
NARROW = 16


@kernel
def sweep_layer_back(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, own: OwnEvents, sums: PartialSums,
    rules: Rules,
) -> int:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a layer, back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
        Arrivals, by row of the weights.
    layer : UniformLayer
    own : OwnEvents
        The layer's own spikes; their dL/dt become totals.
    sums : PartialSums
        Results are added; ``arrival`` is 0 before.
    rules : Rules

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    constants = layer.constants
    levels = Levels(constants.gap, constants.reset, rules.floor * (constants.gap - constants.reset))
    n = layer.weights.shape[1]
    work = np.empty((2, 2, n))
    upper = np.full(n, -1)
    room = make_segments(find_longest(first, last, incoming.offsets))
    around = make_pieces(find_longest(first, last, own.offsets))
    grazing = 0
    for b in range(first, last):
        segments = cut_at_arrivals(b, incoming, constants, rules.duration, room)
        pieces = measure_pieces(b, segments, own, constants, upper, around)
        gains = select_part(b, sums)
        if n < NARROW:
            for cell in range(n):
                grazing += sweep_cell_back(cell, segments, pieces, incoming, layer, own, gains, levels)
        else:
            grazing += sweep_row_back(segments, pieces, incoming, layer, own, gains, levels, work)
    return grazing
