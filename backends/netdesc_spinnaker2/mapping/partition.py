"""Cutting populations into slices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from netdesc.events import Integers
from netdesc.program import PopulationSlice
from netdesc_spinnaker2.mapping import memory, traffic
from netdesc_spinnaker2.mapping.network import Network
from netdesc_spinnaker2.mapping.placement import capacity
from netdesc_spinnaker2.mapping.traffic import Fan, Load, Reach
from netdesc_spinnaker2.options import Options

_ROUNDS = 6
Division = tuple[dict[str, Integers], dict[str, Reach], dict[str, Load]]


def divide(network: Network, fans: Mapping[str, Fan], options: Options) -> Division:
    """Cut all populations into slices.

    Parameters
    ----------
    network : Network
    fans : mapping of str to Fan
        Per population.
    options : Options

    Returns
    -------
    bounds : dict of str to ndarray of int64
        Per population, as ``cut`` gives them; finer where that is needed for the error packets, whose number
        depends on the slices of other populations.
    reach : dict of str to ndarray of bool
        Per block, which slices are connected.
    loads : dict of str to Load
        Per population, exact.
    """
    bounds = {item.name: cut(network, item, fans[item.name], options) for item in network.program.populations}
    for left in reversed(range(_ROUNDS)):
        reach = {
            block.name: traffic.connected(
                block, bounds[network.source(block).name], bounds[network.target(block).name]
            )
            for block in network.program.blocks
        }
        loads = {
            item.name: traffic.measure(item, network, fans[item.name], bounds, reach)
            for item in network.program.populations
        }
        finer = {
            item.name: cuts
            for item in network.program.populations
            if (cuts := _finer(network, item, loads[item.name], options)) is not None
        }
        if not finer or not left:
            break
        bounds |= finer
    return bounds, reach, loads


def _finer(network: Network, item: PopulationSlice, load: Load, options: Options) -> Integers | None:
    """Return the bounds of finer slices where these may shorten a tick that is too long, otherwise None."""
    parts, most = len(load.neurons), min(item.size, capacity(options))
    if item.kind == "source" or item.name in options.slices or parts >= most:
        return None
    work = traffic.cycles(load, network.ticks, options.profile, training=traffic.trains(network, options))
    excess = float(np.max(work)) / options.budget.value
    wanted = max(parts + 1, math.ceil(parts * excess))
    return even(item.size, min(wanted, most)) if excess > 1.0 else None


def cut(network: Network, population: PopulationSlice, arriving: Fan, options: Options) -> Integers:
    """Choose the slices of a population.

    Parameters
    ----------
    network : Network
    population : PopulationSlice
    arriving : Fan
        Of the population.
    options : Options
        ``slices`` fixes the size; all slices but the last have it.

    Returns
    -------
    ndarray of int64, shape (slices + 1,)
        Bounds. Without a fixed size: as few slices as neurons, SRAM (of the layer and of its optimizer) and
        cycles allow, of equal size up to one neuron; as few as neurons allow where no size fits, which the
        checks then report.
    """
    fixed = options.slices.get(population.name)
    if fixed is not None:
        return np.append(np.arange(0, population.size, fixed), population.size)
    least = max(1, -(-population.size // int(options.profile.neurons_per_slice.value)))

    def fits(parts: int) -> bool:
        return fitting(network, population, arriving, options, even(population.size, parts))

    parts = fewest(fits, least, population.size)
    return even(population.size, least if parts is None else parts)


def fitting(
    network: Network, population: PopulationSlice, arriving: Fan, options: Options, bounds: Integers
) -> bool:
    """Return whether slices fit into their processing elements, as if every source reached all of them."""
    load, profile = traffic.bound(population, network, arriving, bounds), options.profile
    sram, training = profile.data_sram.value, traffic.trains(network, options)
    buffer, _ = memory.recording(network, population, bounds)
    if population.kind == "source":
        return bool(np.all(memory.total(memory.source(load, options)) + buffer <= sram))
    items = memory.layer(load, options, network.ticks, training=training)
    enough = bool(np.all(memory.total(items) + buffer <= sram))
    if training:
        enough &= bool(np.all(memory.total(memory.optimizer(load, options)) <= sram))
    work = traffic.cycles(load, network.ticks, profile, training=training)
    return enough and bool(np.all(work <= options.budget.value))


def even(size: int, parts: int) -> Integers:
    """Return the bounds of slices whose sizes differ by at most one."""
    return np.arange(parts + 1, dtype=np.int64) * size // parts


def fewest(fits: Callable[[int], bool], least: int, most: int) -> int | None:
    """Return the smallest number for which a condition holds, or None if there is none.

    Parameters
    ----------
    fits : callable
        Condition; once it holds it is taken to hold for all larger numbers, up to rounding.
    least, most : int
        Range.

    Returns
    -------
    int or None
        A number for which ``fits`` was seen to hold.
    """
    low, high = least - 1, least
    while not fits(high):
        if high >= most:
            return None
        low, high = high, min(most, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high
