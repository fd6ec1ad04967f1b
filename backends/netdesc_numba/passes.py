"""Graph passes of the numba backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netdesc.errors import Diagnostic, LimitError
from netdesc.graph.ir import NetworkGraph, Node


@dataclass(frozen=True, slots=True)
class CheckCells:
    """Refuse recordings, losses and cycles that only the linear membrane with exponential currents has."""

    name: str = field(default="check_cells", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Check the graph and return it as it is.

        Parameters
        ----------
        graph : NetworkGraph
            With stages found.

        Raises
        ------
        LimitError
            With every fault.
        """
        own = {node.name: node for node in graph.nodes if node.equations is not None}
        faults = [
            *_recordings(graph, own),
            *_losses(graph, own),
            *_gradient(graph, own),
            *_cycles(graph, own),
        ]
        if faults:
            raise LimitError(faults)
        return graph


def _recordings(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    for item in graph.settings.recordings:
        if item.population in own and item.variable in ("lam_v", "lam_i"):
            message = (
                f"{item.variable} is an adjoint of membranes with exponential currents; "
                f"{own[item.population].model} has others; remove it"
            )
            yield Diagnostic(message, f"record.{item.population}", "NB-CELL")


def _losses(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    for name, loss in graph.settings.losses.items():
        if loss.population in own and float(loss.options.get("pull") or 0.0) > 0.0:
            message = (
                "pull needs the last voltage of membranes with exponential currents, not of "
                f"{own[loss.population].model}; remove it"
            )
            yield Diagnostic(message, f"losses.{name}.{loss.kind}.pull", "NB-CELL")


def _gradient(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    gradient = graph.settings.gradient
    if own and gradient is not None and gradient.kind == "surrogate":
        node = next(iter(own.values()))
        message = (
            f"surrogate gradients need LIF, LI or IF_curr_exp, not {node.model}; use gradient: eventprop"
        )
        yield Diagnostic(message, "training.gradient", "NB-CELL")


def _cycles(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    for stage in graph.stages:
        cells = {name: graph.node(name).model for name in stage.populations}
        if len(set(cells.values())) > 1 and any(name in own for name in cells):
            listed = ", ".join(f"{name} ({model})" for name, model in cells.items())
            message = (
                f"populations that form a cycle need one neuron model here, got {listed}; give all of them "
                "the same"
            )
            yield Diagnostic(message, f"populations.{stage.populations[0]}.neuron", "NB-CELL")
