"""From description to graph."""

from __future__ import annotations

from collections.abc import Iterator

from netdesc.description.model import Description, Population, Projection
from netdesc.graph.cells import LINEAR_CELLS, receptors
from netdesc.graph.ir import Edge, NetworkGraph, Node, Settings


def build(description: Description) -> NetworkGraph:
    """Turn a description into a graph in which nothing is drawn yet.

    Returns
    -------
    NetworkGraph
        One node per population, one edge per projection and target.
    """
    nodes = [_node(population) for population in description.populations.values()]
    return NetworkGraph.assemble(_settings(description), nodes, _edges(description))


def _settings(description: Description) -> Settings:
    simulation = description.simulation
    return Settings(
        name=description.name,
        duration=simulation.duration,
        seed=simulation.seed,
        digest=description.digest,
        loop_delay=simulation.loop_delay,
        carry_state=simulation.carry_state,
        recordings=description.record,
        losses=description.losses,
        gradient=description.training.gradient if description.training else None,
        max_memory=simulation.max_memory,
    )


def _node(population: Population) -> Node:
    neuron = population.neuron
    if neuron is None:
        kind = population.source.kind if population.source else "dataset"
        options = dict(population.source.options) if population.source else {}
        return Node(population.name, population.size, population.shape, "source", kind, source=options)
    cell = LINEAR_CELLS.get(neuron.model)
    equations = neuron.equations
    return Node(
        population.name,
        population.size,
        population.shape,
        kind="readout" if cell and not cell.spiking else "spiking",
        model=neuron.model,
        receptors=tuple(equations.receptors) if equations else receptors(neuron.model),
        subtractive_reset=neuron.reset == "subtract",
        parameters=dict(neuron.parameters),
        initial={**neuron.initial, **population.initial},
        current=population.current,
        equations=equations,
    )


def _edges(description: Description) -> Iterator[Edge]:
    position = 0
    for projection in description.projections.values():
        for target in projection.post:
            yield _edge(projection, target, position)
            position += 1


def _edge(projection: Projection, target: str, position: int) -> Edge:
    several = len(projection.post) > 1
    return Edge(
        name=f"{projection.name}.{target}" if several else projection.name,
        path=f"projections.{projection.name}",
        position=position,
        pre=projection.pre,
        post=target,
        rule=projection.connector,
        receptor=projection.receptor,
        weight=projection.weight,
        delay=projection.delay,
        plasticity=projection.plasticity,
    )
