"""Give every synapse its weight and its delay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.description.model import Constant, Distribution, Explicit, Parameter
from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats
from netdesc.graph.connectors import order_pairs
from netdesc.graph.distributions import draw
from netdesc.graph.ir import Edge, NetworkGraph
from netdesc.graph.synapses import Synapses


@dataclass(frozen=True, slots=True)
class DrawValues:
    """Draw, spread or look up weights and delays.

    For ``all_to_all`` the full matrix is drawn in row-major order, so that leaving out
    self-connections changes no other value. What lies outside the bounds of training is moved to the
    bound, and noted.
    """

    name: str = field(default="draw_values", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Fill in ``Edge.weights`` and ``Edge.delays`` of drawn connections.

        GraphError if a synapse has no value, or a magnitude or delay is negative.
        """
        faults: list[Diagnostic] = []
        notes: list[Diagnostic] = []
        edges = [_drawn(edge, graph.settings.seed, faults, notes) for edge in graph.edges]
        if faults:
            raise GraphError(faults)
        return graph.with_edges(edges).with_notes(notes)


def _drawn(edge: Edge, seed: int, faults: list[Diagnostic], notes: list[Diagnostic]) -> Edge:
    try:
        weights = _values(edge, "weight", seed)
        delays = _values(edge, "delay", seed)
    except GraphError as error:
        faults.extend(error.diagnostics)
        return edge
    faults.extend(_negative(edge, weights, delays))
    weights = _bounded(weights, edge.weight, f"{edge.path}.weight", notes)
    delays = _bounded(delays, edge.delay, f"{edge.path}.delay", notes)
    return replace(edge, weights=weights, delays=delays)


def _values(edge: Edge, name: str, seed: int) -> Floats:
    parameter: Parameter = getattr(edge, name)
    synapses = edge.synapses
    if synapses is None:
        raise GraphError("connections are not drawn yet; run draw_connections first", edge.path)
    match parameter.init:
        case Constant(value):
            if parameter.train:
                return np.full(synapses.size, value)
            # one number, that is not stored again for every synapse
            return np.broadcast_to(np.float64(value), 1 if name == "delay" else synapses.size)
        case Distribution() as distribution:
            return _random(distribution, edge, synapses, (seed, name))
        case Explicit(values):
            return _looked_up(values, edge, synapses, name)


def _random(distribution: Distribution, edge: Edge, synapses: Synapses, key: tuple[int, str]) -> Floats:
    seed, name = key
    full = edge.rule.kind == "all_to_all"
    size = synapses.n_pre * synapses.n_post if full else synapses.size
    values = draw(distribution, size, seed=seed, path=f"{edge.stream_path}.{name}")
    return values[synapses.flat()] if full and not synapses.dense else values


def _looked_up(matrix: Floats, edge: Edge, synapses: Synapses, name: str) -> Floats:
    listed = edge.rule.kind == "list" and matrix.ndim == 1
    values = matrix.ravel()[order_pairs(edge.rule, synapses.n_post) if listed else synapses.flat()]
    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        pre, post = divmod(int(synapses.flat()[missing[0]]), synapses.n_post)
        raise GraphError(
            f"no value for the synapse from neuron {pre} of {edge.pre} to neuron {post} of {edge.post}, "
            f"which {edge.rule.kind} creates; write a number there",
            f"{edge.path}.{name}",
        )
    alike = name == "delay" and not edge.delay.train and len(values) > 0 and bool(np.all(values == values[0]))
    return values[:1] if alike else values


def _negative(edge: Edge, weights: Floats, delays: Floats) -> list[Diagnostic]:
    faults = []
    low, drawn = int(np.sum(weights < 0.0)), isinstance(edge.weight.init, Distribution)
    if low and edge.receptor != "signed":
        fix = "use normal_clipped with low: 0, or receptor: signed" if drawn else "remove the sign"
        faults.append(
            Diagnostic(
                f"{low} of {len(weights)} weights are negative, but receptor: {edge.receptor} takes "
                f"magnitudes; {fix}",
                f"{edge.path}.weight",
            )
        )
    low, drawn = int(np.sum(delays < 0.0)), isinstance(edge.delay.init, Distribution)
    if low:
        fix = "use uniform, or normal_clipped with low: 0 ms" if drawn else "a delay is at least 0 ms"
        faults.append(Diagnostic(f"{low} of {len(delays)} delays are negative; {fix}", f"{edge.path}.delay"))
    return faults


def _bounded(values: Floats, parameter: Parameter, path: str, notes: list[Diagnostic]) -> Floats:
    if not parameter.train:
        return values
    bounded = np.clip(values, parameter.low, parameter.high)
    moved = int(np.sum(bounded != values))
    if moved:
        notes.append(
            Diagnostic(
                f"{moved} of {len(values)} initial values lie outside {parameter.low:g} to "
                f"{parameter.high:g} and start at the bound",
                path,
            )
        )
        return bounded
    return values
