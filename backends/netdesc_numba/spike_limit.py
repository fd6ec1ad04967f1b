"""How many spikes a sample may have before a run ends with an error."""

from __future__ import annotations

import numpy as np

from netdesc.program import Program, Stage

PER_TIME_CONSTANT = 100.0
"""Spikes of a neuron within its shortest time constant that no sensible network exceeds on average."""

FEWEST = 100_000
"""Spikes of a sample that are always allowed."""


def most_spikes(program: Program, given: int | None) -> tuple[int, ...]:
    """Return the largest number of spikes that each stage may have in a sample.

    Parameters
    ----------
    program : Program
    given : int or None
        The option ``max_spikes``; None for its default.
    """
    return tuple(_most(program, stage) if given is None else given for stage in program.stages)


def _most(program: Program, stage: Stage) -> int:
    allowed = 0.0
    for item in (program.populations[p] for p in stage.populations):
        span = slice(item.start, item.stop)
        columns = np.column_stack([program.parameters["tau_m"][span], program.parameters["tau_s"][span]])
        # 1 ms where a cell has equations of its own
        shortest = np.fmin.reduce(columns, axis=1)
        shortest = np.where(np.isnan(shortest), 1.0, shortest)
        allowed += float(np.sum(PER_TIME_CONSTANT * program.duration / shortest))
    return int(min(max(FEWEST, allowed), 2.0**62))
