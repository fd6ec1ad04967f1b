"""The network as flat arrays: what every backend receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from netdesc.budget import PER_NEURON, PER_SYNAPSE, SpikeBudget
from netdesc.connection import Connection
from netdesc.dynamics.equations import Equations
from netdesc.events import Floats, Integers, frozen


@dataclass(frozen=True, slots=True)
class PopulationSlice:
    """A population as a range of neuron indices.

    Parameters
    ----------
    name : str
    start, stop : int
        Neurons ``start`` to ``stop - 1`` of the program.
    kind : str
        ``source`` (its spikes are the stimulus), ``spiking`` or ``readout`` (a membrane without spikes).
    model : str
        Name of the neuron model, or kind of the source.
    receptors : tuple of str
        Names of the synaptic currents: ``("signed",)`` or ``("excitatory", "inhibitory")``; empty for
        a source.
    subtractive_reset : bool
        Whether a spike subtracts ``threshold - reset`` instead of setting ``reset``; the same event in
        continuous time, a different one on a grid.
    shape : tuple of int
        As written in the file.
    source : mapping
        Options of a source: ``times`` (tuple of tuples of ms) for ``spike_times``; ``rate`` (ndarray,
        1/ms, shape (size,)), ``start`` and ``stop`` (ms) for ``poisson``; empty otherwise.
    equations : Equations or None
        Of a model that is given by them.
    values : mapping of str to ndarray of float64, shape (size,)
        Parameters and initial values (``initial.NAME``) of such a model, in the units of its equations.
    """

    name: str
    start: int
    stop: int
    kind: str
    model: str
    receptors: tuple[str, ...]
    subtractive_reset: bool
    shape: tuple[int, ...]
    source: Mapping[str, Any]
    equations: Equations | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start

    @property
    def path(self) -> str:
        """Dotted path in the description."""
        return f"populations.{self.name}"


@dataclass(frozen=True, slots=True)
class Block:
    """The synapses of one projection between two populations.

    Element k of ``weights`` and ``delays`` belongs to synapse k, by source, then by target; a pair of
    neurons may have several. A dense block has one synapse for each pair and no index arrays.

    Parameters
    ----------
    name : str
        Name of the projection; ``projection.target`` where the projection has several targets.
    path : str
        Dotted path in the description.
    pre, post : int
        Indices into ``Program.populations``.
    n_pre, n_post : int
        Sizes of the two populations.
    receptor : int
        Which synaptic current of the targets a spike enters.
    sign : float
        +1, or -1 where the file gives magnitudes of inhibition.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        Synapses ``indptr[i]`` to ``indptr[i + 1] - 1`` leave source i. None for a dense block.
    indices : ndarray of int64, shape (k,), or None
        Target of every synapse. None for a dense block.
    weights : ndarray of float64, shape (k,)
        In the units of the file, before ``sign`` and the targets' ``resistance``.
    delays : ndarray of float64, shape (k,) or (1,)
        In ms; one element where all synapses share it.
    train_weight, train_delay : bool
    weight_bounds, delay_bounds : tuple of float
        Bounds kept during training, in the units of ``weights`` and in ms.
    """

    name: str
    path: str
    pre: int
    post: int
    n_pre: int
    n_post: int
    receptor: int
    sign: float
    indptr: Integers | None
    indices: Integers | None
    weights: Floats
    delays: Floats
    train_weight: bool = False
    train_delay: bool = False
    weight_bounds: tuple[float, float] = (-np.inf, np.inf)
    delay_bounds: tuple[float, float] = (0.0, np.inf)

    def __post_init__(self) -> None:
        for name in ("weights", "delays"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        for name in ("indptr", "indices"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def dense(self) -> bool:
        """Whether every source reaches every target."""
        return self.indptr is None

    @property
    def size(self) -> int:
        """Number of synapses."""
        return len(self.weights)

    @property
    def uniform_delay(self) -> bool:
        """Whether all synapses share one delay."""
        return len(self.delays) == 1

    @property
    def weight_key(self) -> str:
        """Key of the weights in ``Machine.write`` and ``Gradient.parameters``."""
        return f"{self.name}.weight"

    @property
    def delay_key(self) -> str:
        """Key of the delays in ``Machine.write`` and ``Gradient.parameters``."""
        return f"{self.name}.delay"

    def sparse(self) -> tuple[Integers, Integers]:
        """Return ``indptr`` and ``indices``, made up for a dense block.

        Returns
        -------
        indptr : ndarray of int64, shape (n_pre + 1,)
        indices : ndarray of int64, shape (k,)
        """
        if self.indptr is not None and self.indices is not None:
            return self.indptr, self.indices
        return (
            np.arange(self.n_pre + 1, dtype=np.int64) * self.n_post,
            np.tile(np.arange(self.n_post, dtype=np.int64), self.n_pre),
        )

    def connection(self, pre: str = "", post: str = "") -> Connection:
        """Return which neurons the synapses join.

        Parameters
        ----------
        pre, post : str
            Names of the two populations.

        Returns
        -------
        Connection
        """
        shape = (self.n_pre, self.n_post)
        if self.dense:
            return Connection(pre, post, shape)
        indptr, indices = self.sparse()
        sources = np.repeat(np.arange(self.n_pre, dtype=np.int64), np.diff(indptr))
        return Connection(pre, post, shape, sources, indices)

    def matrix(self, values: Floats) -> Floats:
        """Spread values of the synapses over a matrix.

        Parameters
        ----------
        values : ndarray, shape (k,) or (1,)
            One value per synapse, or one for all.

        Returns
        -------
        ndarray of float64, shape (n_pre, n_post)
            NaN where there is no synapse.

        Raises
        ------
        GraphError
            If a pair of neurons has several synapses.
        """
        return self.connection().matrix(values, self.path)


def weight_scales(program: Program) -> dict[str, Floats]:
    """Return the voltage of the targets per unit of weight, by the keys of the weights.

    Parameters
    ----------
    program : Program

    Returns
    -------
    dict of str to ndarray of float64, shape (k,)
        Without sign.
    """
    resistance = program.parameters.get("resistance", np.empty(0))
    return {
        block.weight_key: resistance[program.populations[block.post].start + block.sparse()[1]]
        for block in program.blocks
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """Populations that are computed together.

    Parameters
    ----------
    populations : tuple of int
        Indices into ``Program.populations``, ascending.
    recurrent : bool
        Whether their projections form a cycle; False for a single population that does not reach itself.
    """

    populations: tuple[int, ...]
    recurrent: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """A quantity to sample during a run.

    Parameters
    ----------
    population : str
    variable : str
        ``v``, ``i`` (sum of the synaptic currents), ``lam_v`` or ``lam_i``.
    neurons : ndarray of int64
        Indices within the population.
    every : float
        Sampling interval in ms; samples are taken at 0, every, 2 every, ... up to the duration.
    needed : bool
        Whether a loss reads the samples, so that training takes them too.
    """

    population: str
    variable: str
    neurons: Integers
    every: float
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a loss reads from the membranes of a population.

    Parameters
    ----------
    population : str
        A read-out; for ``final`` a population that spikes.
    kind : str
        ``maximum`` (largest v of a sample, over continuous time where the backend has it), ``mean``
        (``1/T`` times the integral of ``exp(-t/tau) v`` over the sample of length T), or ``final`` (v at T of
        neurons that do not spike in the sample, NaN for the others).
    tau : float
        Of the weights of a mean, in ms; infinity where every time counts the same.
    """

    population: str
    kind: str
    tau: float = np.inf

    @property
    def key(self) -> str:
        """Key in ``Trace.readings`` and ``Cotangent.readings``."""
        return f"{self.population}.{self.kind}" + ("" if np.isinf(self.tau) else f".{self.tau:.17g}")


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A stand-in for the derivative of spikes, for gradients by back-propagation through time.

    Parameters
    ----------
    shape : str
        ``superspike``, ``sigmoid`` or ``triangle``.
    slope : float
        Its steepness; voltages are measured in units of threshold - rest.
    """

    shape: str
    slope: float


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled network.

    Parameters
    ----------
    name : str
    duration : float
        Length of a sample in ms.
    seed : int
        Seed of all random numbers.
    populations : tuple of PopulationSlice
        In the order of the file.
    blocks : tuple of Block
        In the order of the file.
    parameters : mapping of str to ndarray
        Per neuron, shape (n,) unless said otherwise; NaN for sources. ``tau_m``, ``tau_ref`` in ms;
        ``tau_s`` in ms, shape (n, r), r the largest number of receptors, NaN where there are fewer;
        ``rest`` (with constant currents folded in), ``threshold`` (infinite for read-outs), ``reset``,
        ``v_init`` in the voltage of the cell; ``i_init``, shape (n, r), in the same; ``resistance``:
        voltage per unit of weight (MOhm, or 1).
    stages : tuple of Stage
        Order of execution; sources are in no stage.
    sampling : tuple of Sampling
    digest : str
        Hash of the description it came from.
    readings : tuple of Reading
        What the losses read from membranes; each once.
    surrogate : Surrogate or None
        How the adjoint treats spikes; None for exact gradients.
    max_memory : float
        Bytes that network and spikes of a run may take.
    """

    name: str
    duration: float
    seed: int
    populations: tuple[PopulationSlice, ...]
    blocks: tuple[Block, ...]
    parameters: Mapping[str, Floats]
    stages: tuple[Stage, ...]
    sampling: tuple[Sampling, ...] = ()
    digest: str = ""
    readings: tuple[Reading, ...] = ()
    surrogate: Surrogate | None = None
    max_memory: float = np.inf

    @property
    def size(self) -> int:
        """Number of neurons and sources."""
        return self.populations[-1].stop if self.populations else 0

    def population(self, name: str) -> PopulationSlice:
        """Return a population by name.

        Parameters
        ----------
        name : str

        Returns
        -------
        PopulationSlice

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for item in self.populations:
            if item.name == name:
                return item
        raise KeyError(name)

    def spike_budget(self, batch: int) -> SpikeBudget:
        """Return a count of the spikes of a run that keeps them within ``max_memory``.

        Parameters
        ----------
        batch : int
            Number of samples.

        Returns
        -------
        SpikeBudget
        """
        network = PER_NEURON * self.size + PER_SYNAPSE * sum(block.size for block in self.blocks)
        return SpikeBudget(self.max_memory, network=network, batch=batch)

    def connections(self) -> dict[str, Connection]:
        """Return which neurons the weights and delays of all blocks join, by key."""
        result = {}
        for block in self.blocks:
            names = (self.populations[index].name for index in (block.pre, block.post))
            result[block.weight_key] = result[block.delay_key] = block.connection(*names)
        return result

    def trainable(self) -> dict[str, Floats]:
        """Return copies of the parameters that training may change, by key.

        Returns
        -------
        dict of str to ndarray of float64, shape (k,)
        """
        result = {}
        for block in self.blocks:
            if block.train_weight:
                result[block.weight_key] = np.array(block.weights)
            if block.train_delay:
                result[block.delay_key] = np.array(block.delays)
        return result

    def bounds(self) -> dict[str, tuple[float, float]]:
        """Return lower and upper bound of every trainable parameter, by key."""
        result = {}
        for block in self.blocks:
            if block.train_weight:
                result[block.weight_key] = block.weight_bounds
            if block.train_delay:
                result[block.delay_key] = block.delay_bounds
        return result

    def with_parameters(self, values: Mapping[str, Floats]) -> Program:
        """Return the program with other weights and delays.

        Parameters
        ----------
        values : mapping of str to ndarray
            By the keys of the blocks; what is absent stays.

        Returns
        -------
        Program
        """
        blocks = tuple(
            replace(
                block,
                weights=values.get(block.weight_key, block.weights),
                delays=values.get(block.delay_key, block.delays),
            )
            for block in self.blocks
        )
        return replace(self, blocks=blocks)

    def without_sampling(self) -> Program:
        """Return the program with nothing to sample but what losses read, for training."""
        return replace(self, sampling=tuple(item for item in self.sampling if item.needed))
