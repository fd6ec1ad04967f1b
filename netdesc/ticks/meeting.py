"""Spikes received meet the adjoints of their targets: dL/d(arrival) and dL/dw.

dL/d(arrival) of a spike is the sum over its targets in ascending order, segment by segment; the gradient of a
weight is a sum from the last tick to the first.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif_adjoint import adjoint_factors, arrival_force, weight_force
from netdesc.dynamics.tick import adjoint_current_before, adjoint_voltage_before
from netdesc.dynamics.views import row, stretch
from netdesc.ticks.records import Arrivals, Cells, Synapses


@inlined
def meet(
    m: int,
    seen: NDArray[Any],
    weighed: NDArray[Any],
    cells: Cells,
    arrivals: Arrivals,
    synapses: Synapses,
    products: NDArray[Any],
) -> int:
    """Let the spikes that arrive in a tick meet the adjoints of their targets.

    Parameters
    ----------
    m : int
        The tick.
    seen, weighed : ndarray, shape (1 + receptors, n)
        Adjoints that give dL/d(arrival), and those that give dL/dw.
    cells, arrivals, synapses
    products : ndarray, shape (n,)
        Room.

    Returns
    -------
    int
        Number of synaptic events.
    """
    weight, gradient, lam_v = synapses.weight, synapses.gradient, row(seen, 0)
    events = 0
    for delay in synapses.delays:
        if delay > m:
            continue
        for e in range(arrivals.first[m - delay], arrivals.first[m - delay + 1]):
            source = arrivals.row[e]
            total = arrivals.gradient[e]
            for g in range(synapses.first[source], synapses.first[source + 1]):
                segment = synapses.segments[g]
                if segment.delay != delay:
                    continue
                start, count, base, at = segment.start, segment.size, segment.base, segment.gradient
                events += count
                lam_i, gain_i = row(seen, 1 + segment.receptor), row(weighed, 1 + segment.receptor)
                tau = row(cells.tau, segment.receptor)
                if segment.run == 1:
                    fill_products(
                        stretch(products, 0, count),
                        stretch(weight, start, count),
                        stretch(lam_v, base, count),
                        stretch(lam_i, base, count),
                    )
                    if at >= 0:
                        weigh(
                            stretch(gradient, at, count),
                            stretch(gain_i, base, count),
                            stretch(tau, base, count),
                        )
                else:
                    for k in range(count):
                        j = synapses.target[segment.target_start + k]
                        products[k] = arrival_force(weight[start + k], lam_v[j], lam_i[j])
                        if at >= 0:
                            gradient[at + k] += weight_force(gain_i[j], tau[j])
                total = add_up(count, at, total, products, synapses)
            arrivals.gradient[e] = total
    return events


@inlined
def fill_products(
    products: NDArray[Any], weight: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any]
) -> None:
    """Compute dL/d(arrival) through each of neighbouring targets; arrays of shape (k,)."""
    for k in range(len(products)):
        products[k] = arrival_force(weight[k], lam_v[k], lam_i[k])


@inlined
def weigh(gradient: NDArray[Any], lam_i: NDArray[Any], tau: NDArray[Any]) -> None:
    """Add dL/dw over neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(lam_i[k], tau[k])


@inlined
def add_up(count: int, at: int, total: float, products: NDArray[Any], synapses: Synapses) -> float:
    """Return dL/d(arrival) with the products of a segment added; they are derivatives by its delays, too."""
    for k in range(count):
        total += products[k]
    if at >= 0 and len(synapses.delay_gradient) > 0:
        for k in range(count):
            synapses.delay_gradient[at + k] += products[k]
    return total


@inlined
def meet_within(
    m: int,
    timestep: float,
    seen: NDArray[Any],
    cells: Cells,
    arrivals: Arrivals,
    synapses: Synapses,
    products: NDArray[Any],
) -> int:
    """Let the spikes that arrive in a tick meet the adjoints of their targets, taken back to the arrival.

    Parameters
    ----------
    m : int
        The tick.
    timestep : float
        In ms.
    seen : ndarray, shape (1 + receptors, n)
        Adjoints at the end of the tick.
    cells, arrivals, synapses, products
        As in ``meet``.

    Returns
    -------
    int
        Number of synaptic events.
    """
    events = 0
    for delay in synapses.delays:
        if delay > m:
            continue
        for e in range(arrivals.first[m - delay], arrivals.first[m - delay + 1]):
            source, total = arrivals.row[e], arrivals.gradient[e]
            left = (1.0 - float(arrivals.fraction[e])) * timestep
            receptor, factors = -1, (0.0, 0.0, 0.0)
            for g in range(synapses.first[source], synapses.first[source + 1]):
                segment = synapses.segments[g]
                if segment.delay != delay:
                    continue
                r, count = segment.receptor, segment.size
                events += count
                if cells.uniform and r != receptor:
                    receptor = r
                    factors = adjoint_factors(left, cells.tau_m[0], cells.tau_s[r, 0])
                if segment.run == 1 and cells.uniform:
                    meet_run(factors, g, seen, cells, synapses, products)
                else:
                    for k in range(count):
                        j = (
                            segment.base + k
                            if segment.run == 1
                            else synapses.target[segment.target_start + k]
                        )
                        if not cells.uniform:
                            factors = adjoint_factors(left, cells.tau_m[j], cells.tau_s[r, j])
                        meet_one(factors, g, k, j, seen, cells, synapses, products)
                total = add_up(count, segment.gradient, total, products, synapses)
            arrivals.gradient[e] = total
    return events


@inlined
def meet_run(
    factors: tuple[float, float, float],
    g: int,
    seen: NDArray[Any],
    cells: Cells,
    synapses: Synapses,
    products: NDArray[Any],
) -> None:
    """Let a spike meet neighbouring targets, which all have the same time constants."""
    segment = synapses.segments[g]
    base, count, r = segment.base, segment.size, segment.receptor
    lam_v, lam_i = stretch(row(seen, 0), base, count), stretch(row(seen, 1 + r), base, count)
    weight = stretch(synapses.weight, segment.start, count)
    kind = weight.dtype.type
    leak, fade, gain = kind(factors[0]), kind(factors[1]), kind(factors[2])
    for k in range(count):
        lam = adjoint_current_before(lam_i[k], lam_v[k], fade, gain)
        products[k] = arrival_force(weight[k], adjoint_voltage_before(lam_v[k], leak), lam)
    if segment.gradient >= 0:
        gradient, tau = (
            stretch(synapses.gradient, segment.gradient, count),
            stretch(row(cells.tau, r), base, count),
        )
        for k in range(count):
            gradient[k] += weight_force(adjoint_current_before(lam_i[k], lam_v[k], fade, gain), tau[k])


@inlined
def meet_one(
    factors: tuple[float, float, float],
    g: int,
    k: int,
    j: int,
    seen: NDArray[Any],
    cells: Cells,
    synapses: Synapses,
    products: NDArray[Any],
) -> None:
    """Let a spike meet the k-th target of a segment, neuron j."""
    segment = synapses.segments[g]
    kind = synapses.weight.dtype.type
    leak, fade, gain = kind(factors[0]), kind(factors[1]), kind(factors[2])
    lam_v = seen[0, j]
    lam = adjoint_current_before(seen[1 + segment.receptor, j], lam_v, fade, gain)
    products[k] = arrival_force(synapses.weight[segment.start + k], adjoint_voltage_before(lam_v, leak), lam)
    if segment.gradient >= 0:
        synapses.gradient[segment.gradient + k] += weight_force(lam, cells.tau[segment.receptor, j])
