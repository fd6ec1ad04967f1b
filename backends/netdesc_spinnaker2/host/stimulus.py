"""What the host puts on the board: stimuli."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.dynamics.tick import OFF_GRID, split_times
from netdesc.events import Events, Integers
from netdesc.program import Program
from netdesc.steps import nearest_steps
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.board.loading import Stimulus
from netdesc_spinnaker2.host.spike_records import slice_holders, sort_spikes


def round_stimulus(
    program: Program, stimulus: Events, scheme: str, timestep: float
) -> tuple[dict[str, Events], int]:
    """Move input spikes to times that packets can carry.

    Parameters
    ----------
    program : Program
    stimulus : Events
        By program-wide index.
    scheme : str
    timestep : float
        In ms.

    Returns
    -------
    spikes : dict of str to Events
        Of the sources, by population.
    moved : int
        How many moved by more than noise.

    Raises
    ------
    NumericsError
        If a spike is before 0, not finite, or not one of a source.
    """
    result, moved = {}, 0
    for p, events in program.select_stimulus(stimulus).items():
        ticks, fractions = split_times(events.times, timestep)
        exact = ticks + fractions if scheme == OFF_GRID else nearest_steps(events.times, timestep)
        moved += int(np.sum(np.abs(exact * timestep - events.times) > 1e-6 * timestep))
        result[program.populations[p].name] = events.move(exact * timestep)
    return result, moved


def lay_out_stimulus(
    emulation: Emulation,
    program: Program,
    sources: Mapping[str, Events],
    labels: Integers | None,
    *,
    batch: int,
) -> Stimulus:
    """Sort input spikes by sample and slice.

    Parameters
    ----------
    emulation : Emulation
    program : Program
    sources : mapping of str to Events
        From ``round_stimulus``.
    labels : ndarray of int64, shape (batch,), or None
    batch : int
        Number of samples.
    """
    holders = slice_holders(emulation, ("input",))
    ordered = sort_spikes(sources, program, holders, emulation.each, emulation.options.step, batch=batch)
    marks = (
        np.zeros(batch, dtype=np.int64) if labels is None else np.ascontiguousarray(labels, dtype=np.int64)
    )
    return Stimulus(ordered.first, ordered.tick, ordered.within(emulation), ordered.fraction, marks)
