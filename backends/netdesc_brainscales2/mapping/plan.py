"""Records of the map: which circuits are which neuron, and which rows carry which synapse.

Circuits are numbered ``hemisphere * columns + column``, 0 to 511. Rows are numbered within a hemisphere,
``bus * bus_rows + 2 * row_select + side``, 0 to 255.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.errors import Diagnostic
from netdesc.events import Floats, Integers
from netdesc_brainscales2.mapping.demand import Demand


@dataclass(frozen=True, slots=True)
class Part:
    """Neurons of a population that run in one execution instance.

    Parameters
    ----------
    population : str
    start, stop : int
        Neurons ``start`` to ``stop - 1`` of the population.
    instance : int
    merged : int
        Circuits that make up one neuron: 1, 2, 4, ...
    circuits : ndarray of int64, shape (stop - start, merged)
        Numbers of the circuits, ascending in every row.
    """

    population: str
    start: int
    stop: int
    instance: int
    merged: int
    circuits: Integers

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Route:
    """How the events of one population travel within one execution instance.

    Parameters
    ----------
    population : str
        A source, a population that ran earlier and is replayed, or one that runs in this instance.
    instance : int
    external : bool
        Whether the host sends the events; False for neurons of this instance, whose column sets the bus.
    bus, select, label : ndarray of int64, shape (size,)
        Per neuron of the population; -1 where it drives no synapse of this instance.
    """

    population: str
    instance: int
    external: bool
    bus: Integers
    select: Integers
    label: Integers


@dataclass(frozen=True, slots=True)
class Wiring:
    """Where the synapses of one block of the program lie.

    A synapse has as many cells as its block asks for, for either sign that the block may have. Its word is
    split evenly over them. All arrays are in the order of the block's synapses.

    Parameters
    ----------
    demand : Demand
        What the block asked for.
    positive, negative : ndarray of int64, shape (k, rows)
        Rows of the excitatory and of the inhibitory cells; -1 where there is none.
    positive_circuit, negative_circuit : ndarray of int64, shape (k, rows)
        Circuits in whose columns these cells lie; -1 where there is none.
    instance : ndarray of int64, shape (k,)
        Execution instance of each synapse, that of its target.
    """

    demand: Demand
    positive: Integers
    negative: Integers
    positive_circuit: Integers
    negative_circuit: Integers
    instance: Integers

    def cells(self) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
        """Return rows and circuits, of the excitatory and of the inhibitory cells."""
        return (self.positive, self.positive_circuit), (self.negative, self.negative_circuit)

    def words(self, weights: Floats) -> Integers:
        """Return the hardware words of weights.

        Parameters
        ----------
        weights : ndarray of float64, shape (k,)
            In the units of the file, before the sign of the block.

        Returns
        -------
        ndarray of int64, shape (k,)
            Rounded to the nearest, clipped to those that the cells can hold.
        """
        exact, demand = weights * self.demand.scale, self.demand
        words: Integers = np.clip(np.rint(exact), demand.low, demand.high).astype(np.int64)
        return words

    def weights(self, words: Integers) -> Floats:
        """Return the weights, in the units of the file, that words stand for."""
        weights: Floats = words / self.demand.scale
        return weights


@dataclass(frozen=True, slots=True)
class Sampled:
    """Membranes that are read out.

    Parameters
    ----------
    population : str
    neurons : ndarray of int64
        Within the population.
    converter : str
        ``cadc`` or ``madc``.
    every : float
        Interval of the samples in ms of the model; that of the converter where nobody asked for one.
    """

    population: str
    neurons: Integers
    converter: str
    every: float


@dataclass(frozen=True, slots=True)
class Instance:
    """One execution instance: the chip is configured, runs, and is read out.

    Parameters
    ----------
    number : int
        Instances run in this order, each with the whole chip.
    populations : tuple of str
        Of which it runs neurons.
    replayed : tuple of str
        Populations whose spikes of earlier instances the host sends.
    """

    number: int
    populations: tuple[str, ...]
    replayed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A program laid out on the chip.

    Parameters
    ----------
    name : str
    duration : float
        Of a sample, in ms of the model.
    columns : int
        Of a hemisphere.
    parts : tuple of Part
        In order of instance, then of the file.
    routes : tuple of Route
    wirings : tuple of Wiring
        One per block, in the order of the program.
    instances : tuple of Instance
    sampled : tuple of Sampled
    notes : tuple of Diagnostic
        What was rounded, clipped, split or estimated.
    scales : mapping of str to float
        Hardware steps per unit of weight into each population that is no source.
    """

    name: str
    duration: float
    columns: int
    parts: tuple[Part, ...]
    routes: tuple[Route, ...]
    wirings: tuple[Wiring, ...]
    instances: tuple[Instance, ...]
    sampled: tuple[Sampled, ...]
    notes: tuple[Diagnostic, ...]
    scales: Mapping[str, float]

    def circuits(self, population: str) -> Integers:
        """Return the circuits of every neuron of a population.

        Returns
        -------
        ndarray of int64, shape (size, merged)
            Where slices of a population have different widths, that of the widest; -1 fills the others.

        Raises
        ------
        KeyError
            If the chip runs no such population.
        """
        parts = self.select(population)
        width = max(part.merged for part in parts)
        return np.concatenate(
            [np.pad(part.circuits, ((0, 0), (0, width - part.merged)), constant_values=-1) for part in parts]
        )

    def instance_of(self, population: str) -> Integers:
        """Return the execution instance of every neuron of a population, shape (size,).

        Raises
        ------
        KeyError
            If the chip runs no such population.
        """
        return np.concatenate([np.full(part.size, part.instance) for part in self.select(population)])

    def select(self, population: str) -> tuple[Part, ...]:
        """Return the parts of a population, ascending by neuron.

        Raises
        ------
        KeyError
            If the chip runs no such population.
        """
        parts = [part for part in self.parts if part.population == population]
        if not parts:
            raise KeyError(population)
        return tuple(sorted(parts, key=lambda part: part.start))

    def occupied(self, instance: int) -> int:
        """Return how many circuits an instance uses."""
        return sum(part.circuits.size for part in self.parts if part.instance == instance)

    @property
    def used(self) -> int:
        """Circuits in use in the fullest instance."""
        return max((self.occupied(item.number) for item in self.instances), default=0)
