"""Spikes of a stage, brought together for its adjoint on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.incoming import merge
from netdesc.adjoint.stage_spikes import take
from netdesc.errors import NumericsError
from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc_numba.grid.wiring import Grid, StageLayout, split_times


@dataclass(frozen=True, slots=True)
class OwnSpikes:
    """Spikes of a stage for its adjoint.

    Parameters
    ----------
    ticks, neurons : ndarray of int64, shape (k,)
    fractions : ndarray of float64, shape (k,)
    currents, release, slopes : ndarray, shape (k,)
        In the precision of the state.
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        Populations of the stage and the positions of their spikes; None where it is all of them.
    """

    ticks: Integers
    neurons: Integers
    fractions: Floats
    currents: NDArray[Any]
    release: NDArray[Any]
    slopes: NDArray[Any]
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]


def collect_own(
    layout: StageLayout, program: Program, trace: Trace, slopes: Mapping[str, Floats], *, grid: Grid
) -> OwnSpikes:
    """Bring the spikes of a stage's populations together.

    Parameters
    ----------
    layout : StageLayout
    program : Program
    trace : Trace
    slopes : mapping of str to ndarray
        By population, what the paper's scheme divides by; empty for the others.
    grid : Grid

    Returns
    -------
    OwnSpikes

    Raises
    ------
    NumericsError
        If the trace has no currents.
    """
    if trace.currents is None or trace.release_currents is None:
        raise NumericsError("the trace has no synaptic currents at its spikes; the adjoint needs them")
    members = layout.stage.populations
    names = [program.populations[p].name for p in members]
    places = np.cumsum([0, *(program.populations[p].size for p in members)])
    stream = merge(
        [
            (p, trace.spikes[name].times, trace.spikes[name].sources + place, trace.spikes[name].offsets)
            for p, name, place in zip(members, names, places, strict=False)
        ],
        trace.batch,
    )
    ticks, fractions = split_times(stream.times, grid.timestep)

    def gathered(values: Mapping[str, Floats]) -> NDArray[Any]:
        by_index = {p: values[name] for p, name in zip(members, names, strict=True)}
        return take(stream.parts, by_index, len(ticks)).astype(grid.dtype)

    currents = gathered(trace.currents)
    return OwnSpikes(
        ticks,
        np.ascontiguousarray(stream.slots),
        fractions,
        currents,
        gathered(trace.release_currents),
        gathered(slopes) if slopes else currents - layout.neurons.gap[stream.slots],
        stream.offsets,
        stream.parts,
    )
