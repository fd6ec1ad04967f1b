"""A network, as far as the mapping needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from netdesc.errors import Diagnostic
from netdesc.events import Floats, Integers, frozen


@dataclass(frozen=True, slots=True)
class Population:
    """A population, as far as a map needs it.

    Parameters
    ----------
    name, path : str
        Name, and dotted path in the description.
    size : int
    kind : str
        ``source``, ``spiking`` or ``readout``.
    model : str
    receptors : int
        Number of synaptic currents.
    subtractive_reset : bool
    loss : str
        Kind of the loss on this population; empty for none.
    spikes : float
        Expected spikes of one neuron in a sample.
    parameters : mapping of str to ndarray of float64, shape (size,)
        ``rest``, ``reset`` and ``tau_ref`` (ms) where they are known; empty for a source.
    """

    name: str
    path: str
    size: int
    kind: str
    model: str
    receptors: int = 1
    subtractive_reset: bool = False
    loss: str = ""
    spikes: float = 1.0
    parameters: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """The synapses of one projection between two populations, ordered by source, then by target.

    Parameters
    ----------
    name, path : str
        Name of the projection, and its dotted path in the description.
    pre, post : str
        Populations.
    n_pre, n_post : int
        Their sizes.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        None where every source reaches every target.
    indices : ndarray of int64, shape (k,), or None
        Target of every synapse; None where every source reaches every target.
    weights : ndarray of float64, shape (k,)
        In the units of the file, sign included.
    delays : ndarray of int64, shape (k,) or (1,)
        In ticks, at least 1.
    train : bool
        Whether training changes the weights.
    """

    name: str
    path: str
    pre: str
    post: str
    n_pre: int
    n_post: int
    indptr: Integers | None
    indices: Integers | None
    weights: Floats
    delays: Integers
    train: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", frozen(self.weights, np.float64))
        object.__setattr__(self, "delays", frozen(self.delays, np.int64))

    @property
    def dense(self) -> bool:
        """Whether every source reaches every target."""
        return self.indices is None

    @property
    def size(self) -> int:
        """Number of synapses."""
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class Record:
    """Something to record.

    Parameters
    ----------
    population, variable : str
    neurons : ndarray of int64
        Indices within the population.
    every : float or None
        Interval of samples in ms; None for spikes.
    """

    population: str
    variable: str
    neurons: Integers
    every: float | None


@dataclass(frozen=True, slots=True)
class Network:
    """A network, seen by the mapping.

    Parameters
    ----------
    name : str
    duration, tick : float
        In ms.
    populations : tuple of Population
    links : tuple of Link
    records : tuple of Record
    notes : tuple of Diagnostic
        What was rounded.
    """

    name: str
    duration: float
    tick: float
    populations: tuple[Population, ...]
    links: tuple[Link, ...]
    records: tuple[Record, ...] = ()
    notes: tuple[Diagnostic, ...] = ()

    @property
    def ticks(self) -> int:
        """Ticks of a sample."""
        return max(1, round(self.duration / self.tick))

    @property
    def trains(self) -> bool:
        """Whether a weight is trained."""
        return any(link.train for link in self.links)

    def population(self, name: str) -> Population:
        """Return a population by name, or raise KeyError."""
        for item in self.populations:
            if item.name == name:
                return item
        raise KeyError(name)

    def incoming(self, name: str) -> tuple[Link, ...]:
        """Return the links that end at a population, in the order of the file."""
        return tuple(link for link in self.links if link.post == name)

    def outgoing(self, name: str) -> tuple[Link, ...]:
        """Return the links that start at a population, in the order of the file."""
        return tuple(link for link in self.links if link.pre == name)
