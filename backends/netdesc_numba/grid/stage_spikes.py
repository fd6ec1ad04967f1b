"""Spikes of a stage, brought together for its adjoint on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrivals import merge
from netdesc.adjoint.stage_spikes import find_residual, require_residuals, take
from netdesc.dynamics.membrane import RESIDUALS
from netdesc.dynamics.tick import PUBLISHED, split_times
from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc.ticks.records import Spikes
from netdesc.trace import Trace
from netdesc_numba.grid.wiring import Grid, StageLayout

SLOPE = "slope"
"""Residual of a spike that the scheme ``published`` divides by."""


@dataclass(frozen=True, slots=True)
class OwnSpikes:
    """Spikes of a stage for its adjoint.

    Parameters
    ----------
    spikes : Spikes
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        Populations of the stage and the positions of their spikes; None where it is all of them.
    """

    spikes: Spikes
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]


def collect_own(
    layout: StageLayout, program: Program, trace: Trace, forces: Mapping[int, Floats], *, grid: Grid
) -> OwnSpikes:
    """Bring the spikes of a stage's populations together.

    Parameters
    ----------
    layout : StageLayout
    program : Program
    trace : Trace
    forces : mapping of int to ndarray
        dL/dt of the spikes by population, in 1/ms.
    grid : Grid

    Raises
    ------
    NumericsError
        If the trace has no residuals.
    """
    members = layout.stage.populations
    names = [program.populations[p].name for p in members]
    divided = grid.scheme == PUBLISHED
    require_residuals(trace, names, (*RESIDUALS, *([SLOPE] if divided else [])))
    stream = merge(
        [
            (p, trace.spikes[name].times, trace.spikes[name].sources + place, trace.spikes[name].offsets)
            for (p, place), name in zip(layout.places.items(), names, strict=True)
        ],
        trace.batch,
    )
    ticks, fractions = split_times(stream.times, grid.timestep)

    def gathered(residual: str) -> NDArray[Any]:
        by_index = {p: find_residual(trace, name, residual) for p, name in zip(members, names, strict=True)}
        return take(stream.parts, by_index, len(ticks)).astype(grid.dtype)

    currents = gathered("current")
    spikes = Spikes(
        ticks,
        stream.slots,
        np.empty(len(ticks), dtype=np.int64),
        fractions.astype(grid.dtype),
        currents,
        gathered("release_current"),
        gathered(SLOPE) if divided else currents - layout.cells.gap[stream.slots],
        take(stream.parts, forces, len(ticks)).astype(grid.dtype),
    )
    return OwnSpikes(spikes, stream.offsets, stream.parts)
