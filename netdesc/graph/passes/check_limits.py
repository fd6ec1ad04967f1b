"""Compare a network with what a device can do, and refuse states that are carried from sample to sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from netdesc.errors import Diagnostic, LimitError
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.limits import Limits


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """Refuse what a device has no notion of: models, plasticity, recordings, training, losses.

    Parameters
    ----------
    limits : Limits
        What the device can do.
    device : str
        Its name, for messages.
    prefix : str
        First part of the codes of its diagnostics, for example ``NB``.
    """

    limits: Limits
    device: str
    prefix: str
    name: str = field(default="check_limits", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph as it is; LimitError with every violation, each with code and path."""
        faults = check_limits(graph, self.limits, self.device, prefix=self.prefix)
        if faults:
            raise LimitError(faults)
        return graph


def check_limits(graph: NetworkGraph, limits: Limits, device: str, *, prefix: str) -> tuple[Diagnostic, ...]:
    """Return what a device cannot do of a network; empty where it can do all.

    The codes are ``PREFIX-MODEL``, ``-PLASTICITY``, ``-TRAIN``, ``-RECORD``, ``-GRADIENT`` and ``-LOSS``.
    """
    faults = [*_models(graph, limits), *_trained(graph, limits), *_observed(graph, limits)]
    return tuple(
        Diagnostic(f"{device} {message}", path, f"{prefix}-{code}") for code, path, message in faults
    )


Fault = tuple[str, str, str]


def _models(graph: NetworkGraph, limits: Limits) -> Iterator[Fault]:
    for node in graph.nodes:
        if node.model not in limits.models:
            section, word = ("source", "source") if node.kind == "source" else ("neuron", "cell")
            yield (
                "MODEL",
                f"{node.path}.{section}",
                (f"has no {word} {node.model}; it has {_listed(limits.models)}"),
            )
    for path, kind in {(edge.path, edge.plasticity.kind): None for edge in graph.edges if edge.plasticity}:
        if kind not in limits.models:
            yield (
                "PLASTICITY",
                f"{path}.plasticity",
                (f"has no plasticity {kind}; leave plasticity out for static weights"),
            )


def _trained(graph: NetworkGraph, limits: Limits) -> Iterator[Fault]:
    for path, name in dict.fromkeys((*_trained_neurons(graph.nodes), *_trained_synapses(graph.edges))):
        if name not in limits.trainable:
            known = _listed(limits.trainable) or "nothing"
            yield "TRAIN", path, f"cannot train {name}; it trains {known}. Set train: false"


def _trained_neurons(nodes: tuple[Node, ...]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        for name, parameter in node.parameters.items():
            if parameter.train:
                yield f"{node.path}.neuron.{name}", name


def _trained_synapses(edges: tuple[Edge, ...]) -> Iterator[tuple[str, str]]:
    for edge in edges:
        for name, parameter in (("weight", edge.weight), ("delay", edge.delay)):
            if parameter.train:
                yield f"{edge.path}.{name}", name


def _observed(graph: NetworkGraph, limits: Limits) -> Iterator[Fault]:
    for item in graph.settings.recordings:
        if item.variable not in limits.recordings:
            yield (
                "RECORD",
                f"record.{item.population}.{item.variable}",
                (f"cannot record {item.variable}; it records {_listed(limits.recordings)}"),
            )
    gradient = graph.settings.gradient
    if gradient is not None and gradient.kind not in limits.gradients:
        yield (
            "GRADIENT",
            "training.gradient",
            (f"has no gradient {gradient.kind}; it has {_listed(limits.gradients)}"),
        )
    for loss in graph.settings.losses.values():
        if loss.kind not in limits.losses:
            yield (
                "LOSS",
                f"losses.{loss.name}",
                (f"has no gradient for {loss.kind}; it has one for {_listed(limits.losses)}"),
            )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


@dataclass(frozen=True, slots=True)
class CheckState:
    """Refuse samples that start where the one before them ended; for backends that start all of them afresh.

    Parameters
    ----------
    device : str
        Name for the message.
    prefix : str
        Of the code: ``X`` gives ``X-STATE``.
    """

    device: str
    prefix: str
    name: str = field(default="check_state", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph as it is; LimitError if the model asks for ``carry_state: true``."""
        if graph.settings.carry_state:
            raise LimitError(
                f"{self.device} starts every sample in a fresh state; set carry_state: false",
                "simulation.carry_state",
                f"{self.prefix}-STATE",
            )
        return graph
