from pathlib import Path

import numpy as np
import pytest
from sketches import LIF, cells, describe, projection, sources

from netdesc.description.model import Choice, Constant, Distribution, Loss, Parameter, Recording
from netdesc.errors import GraphError, LimitError
from netdesc.graph import PASSES, compile_graph, render
from netdesc.graph.ir import Group
from netdesc.graph.passes import CheckLimits
from netdesc.limits import Limits

GOLDEN = Path(__file__).parent / "golden"


def small_network():
    populations = [
        sources("input", 2),
        cells("pyramid", 3, "IF_curr_exp", tau_syn_I=10.0, tau_m=[10.0, 20.0, 30.0], i_offset=0.1),
        cells(
            "basket", 2, "IF_curr_exp", reset="subtract", initial={"v": -60.0, "i_exc": 0.5, "i_inh": -0.25}
        ),
        cells("readout", 1, "LI"),
    ]
    projections = [
        projection(
            "drive",
            "input",
            ["pyramid", "basket"],
            weight=Parameter(Constant(0.5), True, 0.0, 2.0),
            receptor="excitatory",
            delay=1.0,
        ),
        projection(
            "mixed",
            "basket",
            "pyramid",
            weight=[[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]],
            delay=[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
        ),
        projection(
            "back",
            "pyramid",
            "basket",
            rule="list",
            pairs=((2, 0), (0, 1)),
            receptor="inhibitory",
            weight=0.25,
        ),
        projection("read", "pyramid", "readout", weight=0.125),
    ]
    return describe(populations, projections)


@pytest.mark.parametrize("name", ["build", *(item.name for item in PASSES)])
def test_the_graph_after_each_pass_reads_as_expected(name):
    assert render(compile_graph(small_network(), after=name)) == (GOLDEN / f"{name}.txt").read_text()


def test_an_unknown_pass_is_named_with_its_neighbour():
    with pytest.raises(GraphError, match="no pass 'order_stage'; did you mean 'order_stages'"):
        compile_graph(small_network(), after="order_stage")


def stages(names, wires):
    populations = [cells(name, 1) for name in names]
    projections = [projection(f"{pre}{post}", pre, post, delay=1.0) for pre, post in wires]
    return [
        (" ".join(group.populations), group.recurrent)
        for group in compile_graph(describe(populations, projections)).stages
    ]


def test_populations_without_order_come_in_the_order_of_the_file():
    assert stages("cab", []) == [("c", False), ("a", False), ("b", False)]


def test_a_chain_is_computed_along_its_projections():
    assert stages("cab", ["ab", "bc"]) == [("a", False), ("b", False), ("c", False)]


def test_a_cycle_is_one_stage_in_the_order_of_the_file():
    assert stages("abcd", ["ac", "ca", "cd", "db"]) == [("a c", True), ("d", False), ("b", False)]


def test_a_population_that_reaches_itself_is_recurrent():
    assert stages("ab", ["aa", "ab"]) == [("a", True), ("b", False)]


def test_two_cycles_in_a_row_are_two_stages():
    assert stages("abcd", ["ab", "ba", "bc", "cd", "dc"]) == [("a b", True), ("c d", True)]


def test_sources_are_in_no_stage():
    graph = compile_graph(describe([sources("x", 1), cells("a", 1)], [projection("p", "x", "a")]))
    assert graph.stages == (Group(("a",), False),)


def test_equal_time_constants_share_one_current():
    population = cells("a", 2, "IF_curr_exp", initial={"i_exc": 2.0, "i_inh": -0.5})
    graph = compile_graph(describe([population]))
    assert graph.nodes[0].receptors == ("signed",)
    assert graph.nodes[0].values["initial.i"].tolist() == [1.5, 1.5]


def test_one_neuron_with_two_time_constants_keeps_both_currents():
    graph = compile_graph(describe([cells("a", 2, "IF_curr_exp", tau_syn_I=[5.0, 6.0])]))
    assert graph.nodes[0].receptors == ("excitatory", "inhibitory")


def split(weight, **options):
    wires = [projection("p", "x", "a", weight=weight, **options)]
    target = cells("a", 2, "IF_curr_exp", tau_syn_I=9.0)
    return compile_graph(describe([sources("x", 2), target], wires)).edges


def test_a_signed_edge_onto_two_currents_is_split_by_sign():
    excitatory, inhibitory = split([[1.0, -2.0], [-3.0, 4.0]], delay=[[1.0, 2.0], [3.0, 4.0]])
    assert (excitatory.name, inhibitory.name) == ("p.excitatory", "p.inhibitory")
    assert (excitatory.weights.tolist(), inhibitory.weights.tolist()) == ([1.0, 4.0], [2.0, 3.0])
    assert (excitatory.delays.tolist(), inhibitory.delays.tolist()) == ([1.0, 4.0], [2.0, 3.0])
    assert inhibitory.synapses.flat().tolist() == [1, 2]
    assert (excitatory.sign, inhibitory.sign) == (1.0, -1.0)


def test_an_edge_of_one_sign_keeps_its_name():
    (only,) = split(-2.0)
    assert (only.name, only.receptor, only.weights.tolist()) == ("p", "inhibitory", [2.0] * 4)
    assert only.synapses.dense


def test_a_trained_edge_cannot_be_split():
    with pytest.raises(GraphError, match="a trained weight cannot change its sign; set receptor"):
        split(Parameter(Constant(1.0), train=True))


def test_a_signed_edge_onto_one_current_is_left_alone():
    (only,) = compile_graph(
        describe([sources("x", 1), cells("a", 2)], [projection("p", "x", "a", weight=[[1.0, -1.0]])])
    ).edges
    assert (only.name, only.receptor, only.weights.tolist()) == ("p", "signed", [1.0, -1.0])


LIMITS = Limits(
    "event-driven",
    frozenset({"LIF", "dataset"}),
    frozenset({"weight"}),
    frozenset({"mse"}),
    frozenset({"spikes", "v"}),
)


def check(description):
    return compile_graph(description, [CheckLimits(LIMITS, "testchip", "TC")])


def test_a_network_within_the_limits_passes():
    wires = [projection("p", "x", "a", weight=Parameter(Constant(1.0), True))]
    check(describe([sources("x", 1), cells("a", 1)], wires, record=[Recording("a", "v", None, 1.0)]))


def test_every_excess_is_told_at_once_with_code_and_path():
    trained = Parameter(Constant(1.0), train=True)
    description = describe(
        [
            sources("x", 1, "poisson", rate=Constant(0.1)),
            cells("a", 1, tau_mem=Parameter(Constant(20.0), True)),
            cells("b", 1, "Izhikevich"),
        ],
        [projection("p", "x", ["a", "b"], delay=trained, plasticity=Choice("stdp"))],
        record=[Recording("a", "lam_v", None, 1.0)],
        losses={"l": Loss("l", "other", "a", 1.0, {})},
    )
    with pytest.raises(LimitError) as caught:
        check(description)
    assert [(item.code, item.path) for item in caught.value.diagnostics] == [
        ("TC-MODEL", "populations.x.source"),
        ("TC-MODEL", "populations.b.neuron"),
        ("TC-PLASTICITY", "projections.p.plasticity"),
        ("TC-TRAIN", "populations.a.neuron.tau_mem"),
        ("TC-TRAIN", "projections.p.delay"),
        ("TC-RECORD", "record.a.lam_v"),
        ("TC-LOSS", "losses.l"),
    ]


def test_a_pass_leaves_the_graph_it_was_given_as_it_is():
    graph = compile_graph(small_network(), after="build")
    before = render(graph)
    for item in PASSES:
        graph_after = item(graph)
        assert render(graph) == before
        graph, before = graph_after, render(graph_after)


def test_reading_a_graph_cannot_change_it():
    drawn = Distribution("uniform", {"low": 0.0, "high": 0.5})
    graph = compile_graph(describe([cells("a", 1, v_leak=drawn)]))
    with pytest.raises(ValueError, match="read-only"):
        graph.nodes[0].values["v_leak"][0] = 1.0
    assert np.all(graph.nodes[0].values["tau_mem"] == LIF["tau_mem"])
