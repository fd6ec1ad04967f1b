"""Graph passes for the schemes with packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.errors import Diagnostic, LimitError
from netdesc.events import Floats
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc_numba.options import Options

CODE = "NB-SCHEME"


@dataclass(frozen=True, slots=True)
class CheckScheme:
    """Refuse what a scheme does not have.

    Parameters
    ----------
    options : Options
        Scheme, precision, and whether delays include the transport of a packet.
    """

    options: Options
    name: str = field(default="check_scheme", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Check the graph and return it as it is.

        Parameters
        ----------
        graph : NetworkGraph
            With values resolved.

        Raises
        ------
        LimitError
            With everything that the scheme does not have: trained delays with transport; with ``published``,
            refractory periods and subtractive resets; and cells from equations, except with
            ``exact_exponential`` in double precision.
        """
        faults = [fault for node in graph.nodes for fault in self.node_faults(node)]
        faults += [
            trained_delay(edge.path) for edge in graph.edges if edge.delay.train and self.options.transport
        ]
        if faults:
            raise LimitError(faults)
        return graph

    def node_faults(self, node: Node) -> Iterator[Diagnostic]:
        """Yield what the scheme does not have of a population."""
        plain = self.options.scheme == "exact_exponential" and self.options.precision == "float64"
        if node.equations is not None and not plain:
            need = "scheme exact_exponential in float64; use these, or solver: event"
            yield Diagnostic(f"{node.model} on a grid needs {need}", f"{node.path}.neuron", CODE)
        elif self.options.scheme == "published" and node.kind == "spiking":
            held = node.values.get("tau_refrac", np.zeros(1))
            yield from unpublished(node.path, held, node.subtractive_reset)


def unpublished(path: str, tau_ref: Floats, subtractive: bool) -> Iterator[Diagnostic]:
    """Yield what the scheme ``published`` does not have of a population of that path."""
    if np.any(tau_ref > 0.0):
        message = "scheme published has no refractory period; set it to 0 ms, or use another scheme"
        yield Diagnostic(message, f"{path}.neuron.tau_refrac", CODE)
    if subtractive:
        message = "scheme published has no subtractive reset; reset to a value, or use another scheme"
        yield Diagnostic(message, f"{path}.neuron.reset", CODE)


def trained_delay(path: str) -> Diagnostic:
    """Return the fault of a projection of that path whose delays are trained on a grid with transport."""
    message = (
        "a grid with transport trains no delays, which are whole ticks; set train: false, or transport: false"
    )
    return Diagnostic(message, f"{path}.delay", CODE)


@dataclass(frozen=True, slots=True)
class ApplyTransport:
    """Give every synapse at least one tick of delay, and note every change.

    Parameters
    ----------
    timestep : float
        In ms.
    """

    timestep: float
    name: str = field(default="apply_transport", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph with the delay of transport.

        Parameters
        ----------
        graph : NetworkGraph
            With delays drawn.

        Returns
        -------
        NetworkGraph
            With a note for every projection that was changed.
        """
        notes: list[Diagnostic] = []
        edges = [self.raise_edge(edge, notes) for edge in graph.edges]
        return graph.with_edges(edges).with_notes(notes)

    def raise_edge(self, edge: Edge, notes: list[Diagnostic]) -> Edge:
        """Return an edge with delays of at least one tick; add a note where they were shorter."""
        if edge.delays is None:
            return edge
        short = int(np.sum(edge.delays < self.timestep * (1.0 - 1e-9)))
        if short:
            message = (
                f"{short} of {len(edge.delays)} delays raised to {self.timestep:g} ms, the transport of a "
                "packet"
            )
            notes.append(Diagnostic(message, f"{edge.path}.delay", "NB-TRANSPORT"))
        return replace(edge, delays=np.maximum(edge.delays, self.timestep))
