"""Read-outs on a grid with packets, forward and backward: the schemes ``paper`` and ``exact_exponential``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.readout import share_after
from netdesc.dynamics.tick import Tick
from netdesc.events import Floats, Integers
from netdesc_numba.grid.backward import meet, step_back
from netdesc_numba.grid.forward import add_row_and_clear, step_exact, step_paper, total_current
from netdesc_numba.grid.packets import deliver, find_ticks
from netdesc_numba.grid.wiring import Neurons, Packets, Synapses


@kernel
def read_ticks(
    first: int, last: int, packets: Packets, synapses: Synapses, neurons: Neurons, tick: Tick, steps: int,
    paper: bool, weights: Floats, peak: Floats, when: Integers, share: Floats, means: Floats,
) -> None:  # fmt: skip
    """Read samples ``first`` to ``last - 1`` of a read-out at all ticks.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, steps, paper
        As in ``run_ticks``.
    weights : ndarray of float64, shape (means, steps + 1)
        Of each tick in each mean.
    peak : ndarray of float64, shape (batch, n)
        Result: largest voltage above rest.
    when : ndarray of int64, shape (batch, n)
        Result: first tick at which it is reached.
    share : ndarray of float64, shape (batch, n)
        Result: what packets that arrive in that tick meet of the jump there; see ``share_after``.
    means : ndarray of float64, shape (means, batch, n)
        Results: means of the voltage above rest.
    """
    n = len(neurons.gap)
    gap = neurons.gap
    depth = 2
    for g in range(len(synapses.delay)):
        depth = max(depth, synapses.delay[g] + 1)
    ring = np.zeros((depth, len(neurons.current), n), dtype=gap.dtype)
    u = np.empty_like(gap)
    i = np.empty_like(neurons.current)
    charge = np.empty_like(gap)
    held = np.zeros_like(gap)
    arrived = np.empty_like(gap)
    for b in range(first, last):
        ring[:] = 0
        u[:] = neurons.start
        i[:] = neurons.current
        for j in range(n):
            peak[b, j] = u[j]
            when[b, j] = 0
            share[b, j] = 0.0
            for q in range(len(weights)):
                means[q, b, j] = weights[q, 0] * u[j]
        e = packets.offsets[b]
        for m in range(steps + 1):
            if m > 0:
                row = ring[m % depth]
                for j in range(n):
                    arrived[j] = total_current(row, j)
                if paper:
                    step_paper(u, i, charge, row, tick, gap)
                else:
                    step_exact(u, i, charge, tick, gap, held, False)
                for j in range(n):
                    if u[j] > peak[b, j]:
                        peak[b, j] = u[j]
                        when[b, j] = m
                        now = total_current(i, j)
                        before = now - arrived[j] if paper else now
                        after = now if paper else now + arrived[j]
                        # what arrives at the very end is not delivered
                        met = share_after(float(before), float(after), float(u[j]))
                        share[b, j] = met if m < steps else 0.0
                for q in range(len(weights)):
                    for j in range(n):
                        means[q, b, j] += weights[q, m] * u[j]
                if not paper:
                    for r in range(len(i)):
                        add_row_and_clear(i[r], row[r])
            a = e
            while e < packets.offsets[b + 1] and packets.ticks[e] == m:
                e += 1
            if e > a:
                deliver(a, e, packets.sources, m, ring, synapses)


@kernel
def read_ticks_back(
    first: int, last: int, packets: Packets, synapses: Synapses, neurons: Neurons, tick: Tick,
    tau_s: NDArray[Any], steps: int, paper: bool, drive: NDArray[Any], when: Integers, lean: NDArray[Any],
    arrival: NDArray[Any], total: Floats,
) -> None:  # fmt: skip
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a read-out.

    A voltage that the loss reads at a tick changes lam_v where a spike at that tick would.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, tau_s, steps, paper, arrival, total
        As in ``run_ticks_back``.
    drive : ndarray, shape (batch, steps + 1, n)
        What lam_v gains at each tick; in the precision of the state.
    when : ndarray of int64, shape (batch, n)
        Tick of the maximum.
    lean : ndarray, shape (batch, n)
        What packets that arrive in that tick meet in addition.
    """
    n = len(neurons.gap)
    lam_v = np.empty_like(neurons.gap)
    lam_i = np.empty_like(neurons.current)
    late_i = np.empty_like(lam_i) if paper else lam_i
    pull_v = np.empty_like(lam_v)
    pulls = np.empty_like(neurons.gap)
    gradient = np.empty_like(synapses.weight)
    outer = np.empty(steps + 2, dtype=np.int64)
    for b in range(first, last):
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.ticks, outer)
        lam_v[:] = 0
        lam_i[:] = 0
        gradient[:] = 0
        for m in range(steps, 0, -1):
            for j in range(n):
                pull_v[j] = lam_v[j] + lean[b, j] if when[b, j] == m else lam_v[j]
            if paper:
                late_i[:] = lam_i
                step_back(lam_v, lam_i, tick)
                for j in range(n):
                    lam_v[j] += drive[b, m, j]
            for delay in synapses.delays:
                if delay > m:
                    continue
                a, c = outer[m - delay], outer[m - delay + 1]
                if c > a:
                    meet(
                        a, c, packets.sources, delay, synapses, pull_v, late_i, lam_i, tau_s, gradient, pulls,
                        arrival,
                    )  # fmt: skip
            if not paper:
                for j in range(n):
                    lam_v[j] += drive[b, m, j]
                step_back(lam_v, lam_i, tick)
        for q in range(len(gradient)):
            total[q] += gradient[q]
