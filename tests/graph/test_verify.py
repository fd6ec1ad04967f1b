from dataclasses import replace

import numpy as np
import pytest
from sketches import cells, describe, projection, sources

from netdesc.description.model import Choice
from netdesc.errors import GraphError
from netdesc.graph import compile_graph, verify
from netdesc.graph.ir import Group
from netdesc.graph.synapses import Synapses


def compiled():
    populations = [sources("x", 2), cells("a", 3), cells("b", 2)]
    pairs = ((0, 0), (0, 2), (1, 1))
    wires = [projection("p", "x", "a", rule="list", pairs=pairs), projection("q", "a", "b")]
    return compile_graph(describe(populations, wires))


def complaint(graph):
    with pytest.raises(GraphError) as caught:
        verify(graph)
    return str(caught.value)


def with_edge(**changes):
    graph = compiled()
    return graph.with_edges([replace(graph.edges[0], **changes), graph.edges[1]])


def test_a_compiled_graph_is_sound():
    verify(compiled())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"post": "nobody"}, "there is no population 'nobody'"),
        ({"pre": "b", "post": "x"}, "x is a source and receives no synapses"),
        ({"weights": np.ones(2)}, "projections.p.weight: 2 values for 3 synapses"),
        ({"weights": np.array([1.0, np.nan, 1.0])}, "projections.p.weight: a value is not a finite number"),
        ({"delays": np.array([-1.0])}, "projections.p.delay: a delay is negative"),
        ({"receptor": "inhibitory", "weights": -np.ones(3)}, "receptor: inhibitory takes magnitudes"),
        (
            {"synapses": Synapses(2, 3, np.array([0, 2, 3]), np.array([0, 3, 1]))},
            "reaches a neuron outside a",
        ),
        ({"synapses": Synapses(2, 3, np.array([0, 2, 3]), np.array([1, 0, 1]))}, "are not in order"),
        (
            {
                "rule": Choice("one_to_one"),
                "synapses": Synapses(2, 3, np.array([0, 2, 3]), np.array([1, 1, 1])),
            },
            "one_to_one makes a synapse twice",
        ),
        ({"synapses": Synapses(2, 3, np.array([0, 3]), np.array([0, 1, 2]))}, "do not add up"),
        ({"synapses": Synapses(1, 3)}, "synapses for 1 by 3 neurons between populations of 2 and 3"),
    ],
)
def test_a_broken_edge_is_told(changes, message):
    assert message in complaint(with_edge(**changes))


def test_a_readout_cannot_project():
    wires = [projection("p", "r", "a")]
    with pytest.raises(GraphError, match="r never spikes, since LI has no threshold"):
        compile_graph(describe([cells("r", 1, "LI"), cells("a", 1)], wires))


def test_a_wrong_order_of_stages_is_told():
    graph = replace(compiled(), stages=(Group(("b",), False), Group(("a",), False)))
    assert "projections.q: b is computed before a" in complaint(graph)


def test_a_missing_stage_is_told():
    assert "exactly once" in complaint(replace(compiled(), stages=(Group(("a",), False),)))


def test_a_population_of_no_neurons_is_told():
    with pytest.raises(GraphError, match=r"populations.a.size: size is 0"):
        compile_graph(describe([cells("a", 0)]))


def test_a_missing_parameter_is_told():
    node = compiled().nodes[1]
    values = {name: value for name, value in node.values.items() if name != "tau_mem"}
    graph = compiled().with_nodes([compiled().nodes[0], replace(node, values=values), compiled().nodes[2]])
    assert "populations.a.neuron: LIF needs tau_mem" in complaint(graph)
