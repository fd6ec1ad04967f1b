"""Which circuits are which neuron: merged circuits side by side, populations spread over the buses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from netdesc.events import Integers
from netdesc_brainscales2.options import Options


@dataclass(frozen=True, slots=True)
class Seat:
    """Neurons that want circuits.

    Parameters
    ----------
    population : str
    start, stop : int
        Neurons of the population.
    merged : int
        Circuits per neuron, a power of two.
    """

    population: str
    start: int
    stop: int
    merged: int

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start

    @property
    def circuits(self) -> int:
        """Number of circuits."""
        return self.size * self.merged


def bus_of(circuits: Integers, options: Options) -> Integers:
    """Return the bus that events of circuits reach.

    Parameters
    ----------
    circuits : ndarray of int64
    options : Options

    Returns
    -------
    ndarray of int64
        Output k of the columns reaches bus k modulo the number of buses.
    """
    profile = options.profile
    column = circuits % int(profile.columns.value)
    return column // int(profile.output_columns.value) % int(profile.buses.value)


def place(seats: Iterable[Seat], options: Options) -> dict[int, Integers] | None:
    """Give circuits to neurons.

    Neurons of one population go to the event outputs in turn, so that their events spread over the buses.
    A population with a fixed place takes columns from there on. Merged circuits are neighbours: the two
    hemispheres of as many aligned columns as it takes. Seats are served in order, so one that is added at
    the end leaves the others where they are; if they do not fit so, the widest neurons go first.

    Returns
    -------
    dict of int to ndarray of int64, shape (size, merged), or None
        By the position of the seat; None where they do not fit.
    """
    order = list(enumerate(seats))
    fixed = [item for item in order if item[1].population in options.places]
    free = [item for item in order if item[1].population not in options.places]
    found = _serve([*fixed, *free], options)
    if found is None:
        found = _serve([*fixed, *sorted(free, key=lambda item: -item[1].merged)], options)
    return found


def _serve(seats: list[tuple[int, Seat]], options: Options) -> dict[int, Integers] | None:
    hemispheres, columns = int(options.profile.hemispheres.value), int(options.profile.columns.value)
    taken = np.zeros((hemispheres, columns), dtype=bool)
    for circuit in options.dead:
        taken[circuit // columns, circuit % columns] = True
    found: dict[int, Integers] = {}
    for position, seat in seats:
        circuits = _sit(seat, taken, options)
        if circuits is None:
            return None
        found[position] = circuits
    return found


def _sit(seat: Seat, taken: np.ndarray, options: Options) -> Integers | None:
    """Take circuits for a seat, and mark them; None where there are too few."""
    sites = _sites(seat.merged, taken, options)
    if seat.population in options.places:
        first = options.places[seat.population]
        # Sites of the outputs in turn become sites in the order of columns.
        sites = sites[np.argsort(sites[:, 0] % taken.shape[1], kind="stable")]
        sites = sites[sites[:, 0] % taken.shape[1] >= first]
    if len(sites) < seat.size:
        return None
    chosen = sites[: seat.size]
    taken[chosen // taken.shape[1], chosen % taken.shape[1]] = True
    return chosen


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
