"""The intermediate representation: a network as a graph of populations and projections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from netdesc.description.model import Choice, Loss, Parameter, Recording, Value
from netdesc.dynamics.equations import Equations
from netdesc.errors import Diagnostic
from netdesc.events import Floats, frozen
from netdesc.graph.synapses import Synapses

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True, slots=True)
class Node:
    """A population.

    Parameters
    ----------
    name : str
    size : int
    shape : tuple of int
        As written in the file.
    kind : str
        ``source``, ``spiking`` or ``readout``.
    model : str
        Neuron model, or kind of the source.
    receptors : tuple of str
        Names of the synaptic currents; empty for a source.
    subtractive_reset : bool
    parameters : mapping of str to Parameter
        As written, by the names of the model.
    initial : mapping of str to Value
        As written.
    current : Value or None
        Constant input current; None for a source.
    source : mapping
        Options of a source.
    values : mapping of str to ndarray of float64, shape (size,)
        Resolved values, empty before the pass that resolves them: by the names of ``parameters``,
        ``initial.NAME`` for ``initial``, ``current``, and ``rate`` for a Poisson source.
    equations : Equations or None
        Of a model that is given by them.
    """

    name: str
    size: int
    shape: tuple[int, ...]
    kind: str
    model: str
    receptors: tuple[str, ...] = ()
    subtractive_reset: bool = False
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    initial: Mapping[str, Value] = field(default_factory=dict)
    current: Value | None = None
    source: Mapping[str, object] = field(default_factory=dict)
    values: Mapping[str, Floats] = field(default_factory=dict)
    equations: Equations | None = None

    @property
    def path(self) -> str:
        """Dotted path in the description."""
        return f"populations.{self.name}"


@dataclass(frozen=True, slots=True)
class Edge:
    """The synapses of a projection between two populations.

    Parameters
    ----------
    name : str
        Name of the projection; ``projection.target`` where the projection has several targets.
    path : str
        Dotted path of the projection in the description.
    position : int
        Place in the order of the file.
    pre, post : str
        Populations.
    rule : Choice
        How connections are drawn.
    receptor : str
        ``excitatory``, ``inhibitory`` or ``signed``.
    weight, delay : Parameter
        As written.
    plasticity : Choice or None
    synapses : Synapses or None
        None before they are drawn.
    weights : ndarray of float64, shape (k,), or None
        In the units of the file; None before they are drawn.
    delays : ndarray of float64, shape (k,) or (1,), or None
        In ms, one element where all synapses share it; None before they are drawn.
    """

    name: str
    path: str
    position: int
    pre: str
    post: str
    rule: Choice
    receptor: str
    weight: Parameter
    delay: Parameter
    plasticity: Choice | None = None
    synapses: Synapses | None = None
    weights: Floats | None = None
    delays: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("weights", "delays"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), np.float64))

    @property
    def sign(self) -> float:
        """-1 where the weights are magnitudes of inhibition, +1 otherwise."""
        return -1.0 if self.receptor == "inhibitory" else 1.0

    @property
    def stream_path(self) -> str:
        """Path that keys the random draws of this edge."""
        return f"projections.{self.name}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole network.

    Parameters
    ----------
    name : str
    duration : float
        Length of a sample in ms.
    seed : int
        Seed of all random numbers.
    digest : str
        Hash of the description.
    loop_delay : str
        ``exact`` or ``one_tick``.
    carry_state : bool
    recordings : tuple of Recording
    losses : mapping of str to Loss
    gradient : Choice or None
        How training computes gradients; None without a section ``training``.
    max_memory : float
        Bytes that network and spikes of a run may take.
    """

    name: str
    duration: float
    seed: int
    digest: str = ""
    loop_delay: str = "exact"
    carry_state: bool = False
    recordings: tuple[Recording, ...] = ()
    losses: Mapping[str, Loss] = field(default_factory=dict)
    gradient: Choice | None = None
    max_memory: float = inf


@dataclass(frozen=True, slots=True)
class Group:
    """Populations that are computed together.

    Parameters
    ----------
    populations : tuple of str
        In the order of the file.
    recurrent : bool
        Whether their projections form a cycle.
    """

    populations: tuple[str, ...]
    recurrent: bool


@dataclass(frozen=True, slots=True)
class NetworkGraph:
    """A network between description and program. Passes return a new one.

    Parameters
    ----------
    settings : Settings
    nodes : tuple of Node
        Populations in the order of the file.
    edges : tuple of Edge
        Projections in the order of the file.
    stages : tuple of Group
        Order of execution; empty before it is found.
    notes : tuple of Diagnostic
        What passes changed or approximated.
    """

    settings: Settings
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    stages: tuple[Group, ...] = ()
    notes: tuple[Diagnostic, ...] = ()
    _by_name: Mapping[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {node.name: node for node in self.nodes})

    @classmethod
    def assemble(cls, settings: Settings, nodes: Iterable[Node], edges: Iterable[Edge]) -> NetworkGraph:
        """Put a graph together.

        Parameters
        ----------
        settings : Settings
        nodes : iterable of Node
            In the order of the file.
        edges : iterable of Edge
        """
        return cls(settings, tuple(nodes), _in_order(edges))

    @property
    def network(self) -> nx.MultiDiGraph:
        """The same as a frozen graph of networkx, for its algorithms.

        Nodes are names of populations with the attribute ``node``, in the order of the file; edges have their
        block's name as key and the attribute ``edge``.
        """
        import networkx as nx

        network = nx.MultiDiGraph()
        for node in self.nodes:
            network.add_node(node.name, node=node)
        for edge in self.edges:
            network.add_edge(edge.pre, edge.post, key=edge.name, edge=edge)
        return nx.freeze(network)

    def node(self, name: str) -> Node:
        """Return a population by name.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        return self._by_name[name]

    def has(self, name: str) -> bool:
        """Return whether there is a population of that name."""
        return name in self._by_name

    def with_nodes(self, nodes: Iterable[Node]) -> NetworkGraph:
        """Return the graph with other nodes.

        Parameters
        ----------
        nodes : iterable of Node
            All of them, in the order of the file.
        """
        return replace(self, nodes=tuple(nodes))

    def with_edges(self, edges: Iterable[Edge]) -> NetworkGraph:
        """Return the graph with other edges.

        Parameters
        ----------
        edges : iterable of Edge
            All of them.
        """
        return replace(self, edges=_in_order(edges))

    def with_notes(self, notes: Iterable[Diagnostic]) -> NetworkGraph:
        """Return the graph with notes added."""
        return replace(self, notes=(*self.notes, *notes))


def _in_order(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: (edge.position, edge.name)))
