"""Adjoint sweep of a read-out: membranes without spikes, driven by a loss of their voltages."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import Arrivals, Incoming, gather
from netdesc.adjoint.derivatives import PartialSums, add_gains, select_part
from netdesc.adjoint.drive import Drive
from netdesc.adjoint.sampling import Samples
from netdesc.adjoint.synapses import Synapses, number_of, receptor_by, weight_by
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.lif import decay
from netdesc.dynamics.lif_adjoint import arrival_force, weight_force
from netdesc.dynamics.membrane import Membrane
from netdesc.dynamics.protocol import flow_adjoint
from netdesc.dynamics.readout import mean_of_current, mean_of_voltage, share_after
from netdesc.events import Floats


@shared
def begin_readout(b: int, cell: int, duration: float, drive: Drive, state: Floats) -> None:
    """Set neuron ``cell`` of sample b to the end of the run.

    Parameters
    ----------
    b, cell : int
    duration : float
        In ms.
    drive : Drive
    state : ndarray of float64, shape (6, n)
        lam_v, lam_i of both currents, present time, jumps at common times and maxima that are still to come.
    """
    state[0, cell] = 0.0
    state[1, cell] = 0.0
    state[2, cell] = 0.0
    state[3, cell] = duration
    state[4, cell] = len(drive.moments)
    state[5, cell] = 1.0 if drive.peak_jump[b, cell] != 0.0 else 0.0


@inlined
def drift(cell: int, target: float, state: Floats, cells: Membrane) -> None:
    """Compute the adjoints of neuron ``cell`` at an earlier time, through an interval without jumps."""
    span = state[3, cell] - target
    if span > 0.0:
        lam = (state[0, cell], state[1, cell], state[2, cell])
        before = flow_adjoint(lam, lam, cells, cell, span)
        for k in range(3):
            state[k, cell] = before[k]
    state[3, cell] = target


@inlined
def flow_readout_back(b: int, cell: int, target: float, drive: Drive, state: Floats, cells: Membrane) -> None:
    """Compute the adjoints of neuron ``cell`` at an earlier time, over all jumps after it, without means.

    Parameters
    ----------
    b, cell : int
        Sample and neuron.
    target : float
        In ms.
    drive : Drive
    state : ndarray of float64, shape (6, n)
        See ``begin_readout``.
    cells : Membrane
    """
    while True:
        m = int(state[4, cell]) - 1
        moment = drive.moments[m] if m >= 0 else -1.0
        peak = drive.peak_time[b, cell] if state[5, cell] > 0.0 else -1.0
        if moment <= target and peak <= target:
            break
        if peak >= moment:
            drift(cell, peak, state, cells)
            state[0, cell] += drive.peak_jump[b, cell]
            state[5, cell] = 0.0
        else:
            drift(cell, moment, state, cells)
            state[0, cell] += drive.jumps[b, cell, m]
            state[4, cell] = m
    drift(cell, target, state, cells)


@inlined
def add_means(
    b: int, cell: int, at: float, duration: float, drive: Drive, cells: Membrane
) -> tuple[float, float, float]:
    """Return what means add to lam_v and to lam_i of both currents of a neuron at a time."""
    tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
    lam_v = 0.0
    lam_i = 0.0
    lam_j = 0.0
    for q in range(len(drive.rates)):
        rate = drive.rates[q]
        by_mean = drive.means[q, b, cell]
        early = np.exp(-rate * at) / duration
        lam_v -= by_mean / tau_m * mean_of_voltage(duration - at, early, rate, tau_m)
        lam_i -= by_mean / tau_i * mean_of_current(duration - at, early, rate, tau_m, tau_i)
        lam_j -= by_mean / tau_j * mean_of_current(duration - at, early, rate, tau_m, tau_j)
    return lam_v, lam_i, lam_j


@shared
def find_share(
    arrivals: Arrivals, cell: int, moment: float, u: float, fan: Synapses, cells: Membrane
) -> float:
    """Return how much of the jump at a maximum the arrivals of that very time meet; see ``share_after``.

    Parameters
    ----------
    arrivals : Arrivals
    cell : int
    moment, u : float
        Time of the maximum in ms, and voltage above rest.
    fan : Synapses
    cells : Membrane
    """
    tau_s, current = cells.tau_s[cell], cells.current[cell]
    before = current[0] * decay(moment, tau_s[0]) + current[1] * decay(moment, tau_s[1])
    after = 0.0
    for e in range(arrivals.start[cell], arrivals.start[cell + 1]):
        w = weight_by(arrivals.synapse[e], fan)
        if arrivals.when[e] < moment:
            before += w * decay(moment - arrivals.when[e], tau_s[receptor_by(arrivals.synapse[e], fan)])
        elif arrivals.when[e] == moment:
            after += w
    return share_after(before, before + after, u)


@kernel
def sweep_readout_back(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Membrane, sums: PartialSums,
    drive: Drive, duration: float,
) -> None:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a read-out, back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
    fan : Synapses
    cells : Membrane
    sums : PartialSums
        Results are added.
    drive : Drive
    duration : float
        In ms.
    """
    n = len(cells.tau_m)
    state = np.empty((6, n))
    for b in range(first, last):
        arrivals = gather(b, incoming, fan, n, duration)
        gains = select_part(b, sums)
        for cell in range(n):
            begin_readout(b, cell, duration, drive, state)
            share = -1.0
            for e in range(arrivals.start[cell + 1] - 1, arrivals.start[cell] - 1, -1):
                at = arrivals.when[e]
                flow_readout_back(b, cell, at, drive, state, cells)
                q = arrivals.synapse[e]
                r = receptor_by(q, fan)
                more = add_means(b, cell, at, duration, drive, cells)
                lam_v = state[0, cell] + more[0]
                lam_i = state[1 + r, cell] + (more[1] if r == 0 else more[2])
                if state[5, cell] > 0.0 and drive.peak_time[b, cell] == at:
                    if share < 0.0:
                        share = find_share(arrivals, cell, at, drive.peak_voltage[b, cell], fan, cells)
                    lam_v += share * drive.peak_jump[b, cell]
                force = arrival_force(weight_by(q, fan), lam_v, lam_i)
                gains.arrival[arrivals.spike[e]] += force
                add_gains(number_of(q), weight_force(lam_i, cells.tau_s[cell, r]), force, gains)


@kernel
def sample_readout_adjoint(cells: Membrane, duration: float, drive: Drive, samples: Samples) -> None:
    """Evaluate the adjoints of chosen neurons of a read-out; at the time of a jump, those after it.

    Parameters
    ----------
    cells : Membrane
    duration : float
        In ms.
    drive : Drive
    samples : Samples
        Receives lam_v, and lam_i of the first receptor.
    """
    state = np.empty((6, len(cells.tau_m)))
    for b in range(len(samples.first)):
        for c in range(len(samples.chosen)):
            cell = samples.chosen[c]
            begin_readout(b, cell, duration, drive, state)
            for m in range(len(samples.moments) - 1, -1, -1):
                at = min(samples.moments[m], duration)
                flow_readout_back(b, cell, at, drive, state, cells)
                more = add_means(b, cell, at, duration, drive, cells)
                samples.first[b, c, m] = state[0, cell] + more[0]
                samples.second[b, c, m] = state[1, cell] + more[1]
