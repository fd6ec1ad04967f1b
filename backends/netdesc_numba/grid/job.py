"""What the kernels of a stage work on, made on the host, which holds it while they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.ticks import arrivals
from netdesc.ticks.records import (
    Adjoints,
    Arrivals,
    Buffers,
    Cells,
    Neurons,
    Slice,
    Spikes,
    Synapses,
    Workspace,
)


class Job(NamedTuple):
    """Where a stage starts, and the rules of a run.

    Parameters
    ----------
    start : ndarray, shape (1 + receptors, n)
        Voltages and currents at the start.
    member : ndarray of int64, shape (n,)
        Index of the neurons in the program.
    scheme, steps : int
        See ``netdesc.ticks.records``; ticks of a run.
    timestep : float
        In ms.
    recurrent, transport : bool
        Whether spikes return into the stage; whether every delay is at least one tick.
    """

    start: NDArray[Any]
    member: Integers
    scheme: int
    steps: int
    timestep: float
    recurrent: bool
    transport: bool


def make_slice(job: Job, cells: Cells, synapses: Synapses, spikes: Spikes, arrivals: Arrivals) -> Slice:
    """Make room for the state of a stage."""
    n, depth = len(cells.gap), max(2, int(synapses.delays.max(initial=0)) + 1)
    kind = cells.gap.dtype
    inside = depth * n if job.scheme == 2 else 0
    return Slice(
        cells,
        Neurons(
            np.empty_like(job.start),
            np.empty(n, dtype=np.int64),
            np.empty(n, dtype=np.int64),
            np.empty_like(cells.gap),
            np.empty_like(cells.gap),
        ),
        spikes,
        arrivals,
        synapses,
        Buffers(
            np.empty(depth * len(cells.gain) * n, dtype=kind),
            np.empty(inside, dtype=kind),
            np.empty(inside, dtype=kind),
            np.empty(inside, dtype=kind),
            depth,
        ),
    )


def make_adjoints(job: Job) -> Adjoints:
    """Make room for the adjoints of a stage."""
    kind, n = job.start.dtype, job.start.shape[1]
    return Adjoints(
        np.empty_like(job.start),
        np.empty(n, dtype=kind),
        np.empty(n, dtype=np.int64),
        np.empty_like(job.start),
        np.empty(n, dtype=kind),
    )


make_workspace: Callable[[int, int], Workspace]
make_workspace = getattr(arrivals.make_workspace, "py_func", arrivals.make_workspace)
"""Makes room for so many neurons, and so many arrivals at one of them in a tick."""


def with_gradients(synapses: Synapses, *, delays: bool) -> Synapses:
    """Return synapses with room for the gradients of a part of the batch."""
    size, kind = len(synapses.weight), synapses.weight.dtype
    return synapses._replace(
        gradient=np.empty(size, dtype=kind), delay_gradient=np.empty(size if delays else 0, dtype=kind)
    )


def make_spikes(room: int, dtype: np.dtype[Any]) -> Spikes:
    """Return a store of spikes for a forward run."""
    fraction, current, release, slope = np.empty((4, room), dtype)
    tick, neuron = np.empty((2, room), np.int64)
    return Spikes(tick, neuron, np.empty(0, np.int64), fraction, current, release, slope, np.empty(0, dtype))
