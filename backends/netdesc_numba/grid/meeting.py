"""Packets meet the adjoints of their targets within a tick; neurons that need a closer look."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import adjoint_charge, arrival_force, weight_force
from netdesc.dynamics.tick import adjoint_current_before, adjoint_voltage_before, factors_until
from netdesc.events import Floats, Integers
from netdesc_numba.grid.wiring import Neurons, Synapses


@kernel
def meet_within(
    begin: int,
    end: int,
    sources: Integers,
    fractions: Floats,
    delay: int,
    synapses: Synapses,
    tau_m: Floats,
    tau_s: Floats,
    uniform: bool,
    timestep: float,
    lam_v: NDArray[Any],
    lam_i: NDArray[Any],
    gradient: NDArray[Any],
    pulls: NDArray[Any],
    pulled: NDArray[Any],
) -> None:
    """Let packets that arrive in a tick meet the adjoints of their targets, carried back to the arrival.

    Parameters
    ----------
    begin, end : int
        The packets.
    sources, fractions : ndarray
        Index in the program of each, and part of the tick at which it arrives.
    delay : int
        Only synapses of that delay, in ticks.
    synapses : Synapses
    tau_m, tau_s, uniform
        From ``Neurons``.
    timestep : float
        In ms.
    lam_v, lam_i : ndarray, shape (n,), (receptors, n)
        Adjoints at the end of the tick.
    gradient : ndarray, shape (synapses,)
        dL/dw is added.
    pulls : ndarray, shape (n,)
        Room.
    pulled : ndarray
        dL/d(arrival) is added, per packet.
    """
    first, delays, bases, receptor, run, start, target, weight, _ = synapses
    kind = weight.dtype.type
    for e in range(begin, end):
        for s in range(first[sources[e]], first[sources[e] + 1]):
            if delays[s] != delay:
                continue
            total = pulled[e]
            r = receptor[s]
            at = start[s]
            if run[s] == 1 and uniform:
                base = bases[s]
                tau = kind(tau_s[0, r])
                leak, fade, k = factors_until(fractions[e], timestep, tau_m[0], tau_s[0, r])
                a = kind(leak)
                b = kind(fade)
                g = kind(adjoint_charge(k, tau_m[0], tau_s[0, r]))
                size = start[s + 1] - at
                for x in range(size):
                    lam = adjoint_current_before(lam_i[r, base + x], lam_v[base + x], b, g)
                    pulls[x] = arrival_force(weight[at + x], adjoint_voltage_before(lam_v[base + x], a), lam)
                    gradient[at + x] += weight_force(lam, tau)
                for x in range(size):
                    total += pulls[x]
            else:
                for q in range(at, start[s + 1]):
                    j = target[q]
                    leak, fade, k = factors_until(fractions[e], timestep, tau_m[j], tau_s[j, r])
                    g = kind(adjoint_charge(k, tau_m[j], tau_s[j, r]))
                    lam = adjoint_current_before(lam_i[r, j], lam_v[j], kind(fade), g)
                    total += arrival_force(weight[q], adjoint_voltage_before(lam_v[j], kind(leak)), lam)
                    gradient[q] += weight_force(lam, kind(tau_s[j, r]))
            pulled[e] = total


@kernel
def find_specials(
    m: int,
    begin: int,
    end: int,
    own_ticks: Integers,
    own_neurons: Integers,
    latest: Integers,
    previous: Integers,
    neurons: Neurons,
    special: Integers,
    spikes: Integers,
    released: Integers,
    marked: NDArray[Any],
) -> int:
    """List the neurons that spike or are released in a tick, and take its spikes off their chains.

    Parameters
    ----------
    m : int
        The tick.
    begin, end : int
        Its spikes.
    own_ticks, own_neurons : ndarray of int64
        All spikes.
    latest, previous : ndarray of int64
        Chains of spikes per neuron; ``latest`` is moved to the last spike before this tick.
    neurons : Neurons
    special, spikes, released : ndarray of int64
        Results: neurons; last spike of each in this tick, -1 for none; spike that it is released from in
        this tick, -1 for none.
    marked : ndarray, shape (n,)
        Result: 1 for these neurons. Zeros before.

    Returns
    -------
    int
        How many.
    """
    count = 0
    for k in range(begin, end):
        j = own_neurons[k]
        if marked[j] == 0:
            marked[j] = 1
            special[count] = j
            spikes[count] = latest[j]
            released[count] = -1
            count += 1
    for p in range(count):
        k = spikes[p]
        while k >= 0 and own_ticks[k] == m:
            k = previous[k]
        latest[special[p]] = k
    if neurons.holding:
        for p in range(count):
            j = special[p]
            k = latest[j]
            if k >= 0 and neurons.hold[j] > 0 and own_ticks[k] + neurons.hold[j] == m:
                released[p] = k
        for j in range(len(marked)):
            k = latest[j]
            if marked[j] == 0 and k >= 0 and neurons.hold[j] > 0 and own_ticks[k] + neurons.hold[j] == m:
                marked[j] = 1
                special[count] = j
                spikes[count] = -1
                released[count] = k
                count += 1
    return count


@kernel
def count_arrivals_at_most(steps: int, outer: Integers, inner: Integers, synapses: Synapses) -> int:
    """Return a number of arrivals at one neuron in one tick that no tick of a sample exceeds.

    Parameters
    ----------
    steps : int
    outer, inner : ndarray of int64
        Where the packets of each tick stand, from outside the stage and of the stage.
    synapses : Synapses

    Returns
    -------
    int
    """
    segments = 0
    for s in range(len(synapses.first) - 1):
        segments = max(segments, synapses.first[s + 1] - synapses.first[s])
    most = 0
    for m in range(steps):
        packets = 0
        for delay in synapses.delays:
            if delay <= m:
                packets += outer[m - delay + 1] - outer[m - delay] + inner[m - delay + 1] - inner[m - delay]
        most = max(most, packets)
    return most * segments + 1
