"""Spikes of a stage, brought together for its adjoint on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.incoming import merge
from netdesc.adjoint.stage_spikes import find_residual, require_residuals, take
from netdesc.dynamics.membrane import RESIDUALS
from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc_numba.grid.wiring import Grid, StageLayout, split_times

SLOPE = "slope"
"""Residual of a spike that the scheme ``published`` divides by."""


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
    layout: StageLayout, program: Program, trace: Trace, *, divided: bool, grid: Grid
) -> OwnSpikes:
    """Bring the spikes of a stage's populations together.

    Parameters
    ----------
    layout : StageLayout
    program : Program
    trace : Trace
    divided : bool
        Whether the scheme divides by slopes of its own, which the trace then has as residuals.
    grid : Grid

    Returns
    -------
    OwnSpikes

    Raises
    ------
    NumericsError
        If the trace has no residuals.
    """
    members = layout.stage.populations
    names = [program.populations[p].name for p in members]
    require_residuals(trace, names, (*RESIDUALS, *([SLOPE] if divided else [])))
    places = np.cumsum([0, *(program.populations[p].size for p in members)])
    stream = merge(
        [
            (p, trace.spikes[name].times, trace.spikes[name].sources + place, trace.spikes[name].offsets)
            for p, name, place in zip(members, names, places, strict=False)
        ],
        trace.batch,
    )
    ticks, fractions = split_times(stream.times, grid.timestep)

    def gathered(residual: str) -> NDArray[Any]:
        by_index = {p: find_residual(trace, name, residual) for p, name in zip(members, names, strict=True)}
        return take(stream.parts, by_index, len(ticks)).astype(grid.dtype)

    currents = gathered("current")
    return OwnSpikes(
        ticks,
        np.ascontiguousarray(stream.slots),
        fractions,
        currents,
        gathered("release_current"),
        gathered(SLOPE) if divided else currents - layout.neurons.gap[stream.slots],
        stream.offsets,
        stream.parts,
    )
