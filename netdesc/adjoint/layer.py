"""Adjoint sweep of a uniform layer: all its neurons see one sequence of arrivals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming, find_longest
from netdesc.adjoint.cells import UniformLayer
from netdesc.adjoint.derivatives import Derivatives, PartialSums, select_part
from netdesc.adjoint.lanes import Levels, sweep_cell_back, sweep_row_back
from netdesc.adjoint.neuron import OwnEvents, Rules
from netdesc.adjoint.pieces import Pieces, make_pieces, measure_pieces
from netdesc.adjoint.segments import Segments, cut_at_arrivals, make_segments
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers

# Neurons below which going neuron by neuron beats going side by side.
NARROW = 16


class Work(NamedTuple):
    """Arrays that a sweep overwrites for every sample.

    Parameters
    ----------
    segments : Segments
    pieces : Pieces
    upper : ndarray of int64, shape (n,)
        -1 for every neuron between samples.
    lam : ndarray of float64, shape (2, 2, n)
    origins : ndarray of int64, shape (k,) or (0,)
        See ``sweep_layer_back``; not overwritten.
    """

    segments: Segments
    pieces: Pieces
    upper: Integers
    lam: Floats
    origins: Integers


@inlined
def sweep_sample_back(
    b: int, incoming: Incoming, layer: UniformLayer, spikes: OwnEvents, gains: Derivatives, rules: Rules,
    work: Work,
) -> int:  # fmt: skip
    """Compute the adjoints of one sample; see ``sweep_layer_back``."""
    constants = layer.constants
    levels = Levels(constants.gap, constants.reset, rules.floor * (constants.gap - constants.reset))
    segments = cut_at_arrivals(b, incoming, constants, rules.duration, work.segments)
    pieces = measure_pieces(b, segments, spikes, constants, work.upper, work.pieces)
    n = len(work.upper)
    if n >= NARROW or len(work.origins) > 0:
        return sweep_row_back(segments, pieces, incoming, layer, spikes, gains, levels, work)
    grazing = 0
    for cell in range(n):
        grazing += sweep_cell_back(cell, segments, pieces, incoming, layer, spikes, gains, levels)
    return grazing


@shared
def sweep_samples_back(
    span: tuple[int, int], incoming: Incoming, layer: UniformLayer, spikes: OwnEvents, sums: PartialSums,
    rules: Rules, work: Work,
) -> int:  # fmt: skip
    """Compute the adjoints of a range of samples; see ``sweep_layer_back``."""
    incoming, layer, spikes = unowned(incoming), unowned(layer), unowned(spikes)
    sums, work = unowned(sums), unowned(work)
    grazing = 0
    for b in range(span[0], span[1]):
        grazing += sweep_sample_back(b, incoming, layer, spikes, select_part(b, sums), rules, work)
    return grazing


@kernel
def sweep_layer_back(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, sums: PartialSums, spikes: OwnEvents,
    rules: Rules, origins: Integers,
) -> int:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a layer, back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
        Arrivals, by row of the weights.
    layer : UniformLayer
    sums : PartialSums
        Results are added; ``arrival`` is 0 before.
    spikes : OwnEvents
        The layer's spikes; their dL/dt become totals.
    rules : Rules
    origins : ndarray of int64, shape (k,) or (0,)
        Spike of the layer that each arrival is, -1 for one from outside; empty without recurrence. A spike
        arrives after it is sent: going back, its dL/dt is complete before it is undone.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = layer.weights.shape[1]
    segments = make_segments(find_longest(first, last, incoming.offsets))
    pieces = make_pieces(find_longest(first, last, spikes.offsets))
    work = Work(segments, pieces, np.full(n, -1), np.empty((2, 2, n)), origins)
    return sweep_samples_back((first, last), incoming, layer, spikes, sums, rules, work)
