"""Which circuits are which neuron: merged circuits side by side, populations spread over the buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netdesc.events import Integers
from netdesc_brainscales2.options import Options


@dataclass(frozen=True, slots=True)
class Slice:
    """Neurons ``start`` to ``stop - 1`` of a population."""

    population: str
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start


def bus_of(circuits: Integers, options: Options) -> Integers:
    """Return the bus that events of each circuit reach.

    Output k of the columns reaches bus k modulo the number of buses.
    """
    profile = options.profile
    column = circuits % int(profile.columns.value)
    return column // int(profile.output_columns.value) % int(profile.buses.value)


def place(slices: Sequence[Slice], merged: Mapping[str, int], options: Options) -> dict[int, Integers] | None:
    """Give circuits to neurons.

    Neurons of one population go to the event outputs in turn, so that their events spread over the buses.
    A population with a fixed place takes columns from there on. Merged circuits are neighbours: the two
    hemispheres of as many aligned columns as it takes. Slices are served in order, so one that is added at
    the end leaves the others where they are; if they do not fit so, the widest neurons go first.

    Parameters
    ----------
    slices : sequence of Slice
    merged : mapping of str to int
        Circuits per neuron of each population, a power of two.
    options : Options

    Returns
    -------
    dict of int to ndarray of int64, shape (size, merged), or None
        By the position of the slice; None where they do not fit.
    """
    fixed = [k for k, item in enumerate(slices) if item.population in options.places]
    free = [k for k, item in enumerate(slices) if item.population not in options.places]
    found = _serve([*fixed, *free], slices, merged, options)
    if found is None:
        widest_first = sorted(free, key=lambda k: -merged[slices[k].population])
        found = _serve([*fixed, *widest_first], slices, merged, options)
    return found


def _serve(
    order: Sequence[int], slices: Sequence[Slice], merged: Mapping[str, int], options: Options
) -> dict[int, Integers] | None:
    hemispheres, columns = int(options.profile.hemispheres.value), int(options.profile.columns.value)
    taken = np.zeros((hemispheres, columns), dtype=bool)
    taken.reshape(-1)[list(options.dead)] = True
    found: dict[int, Integers] = {}
    for position in order:
        item = slices[position]
        sites = _sites(merged[item.population], taken, options)
        if item.population in options.places:
            # Sites of the outputs in turn become sites in the order of columns.
            sites = sites[np.argsort(sites[:, 0] % columns, kind="stable")]
            sites = sites[sites[:, 0] % columns >= options.places[item.population]]
        if len(sites) < item.size:
            return None
        found[position] = sites[: item.size]
        taken.reshape(-1)[found[position]] = True
    return found


def _sites(merged: int, taken: np.ndarray, options: Options) -> Integers:
    """Return the free places for neurons of a width, shape (k, merged), one of each event output in turn."""
    hemispheres, columns = taken.shape
    tall = min(hemispheres, merged)
    wide = merged // tall
    width = min(int(options.profile.output_columns.value), columns)
    starts = np.arange(0, columns - wide + 1, wide)
    sites = starts[:, None] + np.arange(wide)
    if tall == hemispheres:
        circuits = np.concatenate([half * columns + sites for half in range(hemispheres)], axis=1)
    else:
        circuits = np.stack([half * columns + sites for half in range(hemispheres)], axis=1).reshape(-1, wide)
    free = ~taken.reshape(-1)[circuits].any(axis=1)
    circuits = circuits[free]
    output = circuits[:, 0] % columns // width
    turn = np.empty(len(circuits), dtype=np.int64)
    for number in np.unique(output):
        turn[output == number] = np.arange(np.sum(output == number))
    ordered: Integers = circuits[np.lexsort((output, turn))]
    return np.sort(ordered, axis=1)
