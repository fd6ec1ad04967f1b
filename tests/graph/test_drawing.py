import numpy as np
import pytest
from sketches import as_parameter, cells, describe, projection, sources

from netdesc.description.model import Constant, Distribution, Explicit, Parameter
from netdesc.errors import GraphError
from netdesc.graph import compile_graph

NORMAL = Distribution("normal", {"mu": 1.0, "sigma": 0.5})
CENTRED = Distribution("normal", {"mu": 0.0, "sigma": 1.0})
POSITIVE = Distribution("normal_clipped", {"mu": 1.0, "sigma": 2.0, "low": 0.5, "high": 1.5})


def edge(description, name, after=None):
    return next(item for item in compile_graph(description, after=after).edges if item.name == name)


def two_layers(**options):
    return describe([sources("a", 3), cells("b", 4)], [projection("p", "a", "b", **options)])


def test_adding_a_population_and_a_projection_changes_no_other_draw():
    rule = {"rule": "fixed_probability", "p": 0.5, "weight": NORMAL, "delay": POSITIVE}
    small = describe([sources("a", 30), cells("b", 40)], [projection("p", "a", "b", **rule)])
    large = describe(
        [cells("new", 7, tau_mem=POSITIVE), sources("a", 30), cells("b", 40)],
        [projection("q", "a", "new", **rule), projection("p", "a", "b", **rule)],
    )
    first, second = edge(small, "p"), edge(large, "p")
    assert np.array_equal(first.synapses.flat(), second.synapses.flat())
    assert np.array_equal(first.weights, second.weights)
    assert np.array_equal(first.delays, second.delays)


def test_another_seed_gives_other_draws():
    populations, wires = [sources("a", 3), cells("b", 4)], [projection("p", "a", "b", weight=NORMAL)]
    weights = [edge(describe(populations, wires, seed=seed), "p").weights for seed in (1, 2)]
    assert not np.any(weights[0] == weights[1])


def test_leaving_out_self_connections_keeps_the_other_weights():
    def weights(allow):
        wires = [projection("p", "b", "b", weight=NORMAL, allow_self_connections=allow)]
        found = edge(describe([cells("b", 4)], wires), "p")
        return found.synapses, found.weights

    _, full = weights(True)
    synapses, partial = weights(False)
    assert np.array_equal(partial, full[synapses.flat()])
    assert len(partial) == 12


def test_the_targets_of_one_projection_draw_independently():
    wires = [projection("p", "a", ["b", "c"], weight=NORMAL)]
    graph = compile_graph(describe([sources("a", 3), cells("b", 4), cells("c", 4)], wires))
    first, second = graph.edges
    assert (first.name, second.name) == ("p.b", "p.c")
    assert first.path == second.path == "projections.p"
    assert not np.any(first.weights == second.weights)


def test_a_null_in_the_weights_is_no_synapse():
    found = edge(
        describe(
            [sources("a", 2), cells("b", 2)], [projection("p", "a", "b", weight=[[1.0, np.nan], [3.0, 4.0]])]
        ),
        "p",
    )
    assert found.synapses.flat().tolist() == [0, 2, 3]
    assert found.weights.tolist() == [1.0, 3.0, 4.0]


def test_a_null_where_the_connector_makes_a_synapse_is_an_error():
    with pytest.raises(GraphError, match=r"projections.p.weight: no value .* neuron 1 of a to neuron 1 of b"):
        compile_graph(
            describe(
                [sources("a", 2), cells("b", 2)],
                [projection("p", "a", "b", rule="one_to_one", weight=[[1.0, 0.0], [0.0, np.nan]])],
            )
        )


def test_a_matrix_of_another_shape_is_an_error():
    with pytest.raises(GraphError, match=r"shape \(1, 2\); a to b needs \(3, 4\)"):
        compile_graph(two_layers(weight=[[1.0, 2.0]]))


def test_all_faults_are_told_at_once():
    with pytest.raises(GraphError) as caught:
        compile_graph(
            describe(
                [sources("a", 2), cells("b", 3)],
                [projection("p", "a", "b", rule="one_to_one"), projection("q", "a", "b", weight=[[1.0]])],
            )
        )
    paths = [item.path for item in caught.value.diagnostics]
    assert paths == ["projections.p.connector", "projections.q.weight"]


def test_a_shared_delay_is_stored_once():
    assert edge(two_layers(delay=2.0), "p").delays.tolist() == [2.0]


def test_a_trained_delay_is_stored_for_every_synapse():
    assert edge(two_layers(delay=Parameter(Constant(2.0), train=True)), "p").delays.tolist() == [2.0] * 12


def test_explicit_equal_delays_are_stored_once():
    assert edge(two_layers(delay=[[2.0] * 4] * 3), "p").delays.tolist() == [2.0]


def test_negative_magnitudes_are_an_error():
    with pytest.raises(GraphError, match="of 12 weights are negative, but receptor: excitatory takes"):
        compile_graph(two_layers(weight=CENTRED, receptor="excitatory"))


def test_negative_delays_are_an_error():
    with pytest.raises(GraphError, match="delays are negative; use uniform, or normal_clipped"):
        compile_graph(two_layers(delay=CENTRED))


def test_a_trained_value_outside_its_bounds_starts_at_the_bound_and_is_noted():
    start = Parameter(Explicit(np.arange(12.0).reshape(3, 4)), train=True, low=2.0, high=9.0)
    graph = compile_graph(two_layers(weight=start))
    assert graph.edges[0].weights.tolist() == [2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9]
    assert [note.path for note in graph.notes] == ["projections.p.weight"]
    assert graph.notes[0].message.startswith("4 of 12")


def test_clipped_draws_lie_within_their_interval():
    values = edge(two_layers(weight=POSITIVE), "p").weights
    assert np.all((values >= 0.5) & (values <= 1.5))


def test_an_interval_out_of_reach_is_an_error():
    far = Distribution("normal_clipped", {"mu": 0.0, "sigma": 1.0, "low": 50.0, "high": 60.0})
    with pytest.raises(GraphError, match=r"projections.p.weight: normal_clipped: .* move mu"):
        compile_graph(two_layers(weight=far))


@pytest.mark.parametrize(
    ("kind", "parameters", "mean", "deviation"),
    [
        ("normal", {"mu": 2.0, "sigma": 0.5}, 2.0, 0.5),
        ("uniform", {"low": 1.0, "high": 3.0}, 2.0, 2.0 / np.sqrt(12.0)),
        ("lognormal", {"mu": 0.5, "sigma": 0.2}, np.exp(0.52), np.exp(0.52) * np.sqrt(np.expm1(0.04))),
        ("gamma", {"k": 4.0, "theta": 0.5}, 2.0, 1.0),
        ("exponential", {"beta": 2.0}, 2.0, 2.0),
    ],
)
def test_distributions_have_the_moments_of_their_names(kind, parameters, mean, deviation):
    wires = [projection("p", "a", "b", weight=Distribution(kind, parameters))]
    values = edge(describe([sources("a", 100), cells("b", 100)], wires), "p").weights
    assert abs(values.mean() - mean) < 5 * deviation / 100
    assert abs(values.std() / deviation - 1) < 0.1


def test_neuron_parameters_may_be_drawn_or_listed():
    node = compile_graph(describe([cells("b", 3, tau_mem=[10.0, 20.0, 30.0], tau_syn=POSITIVE)])).nodes[0]
    assert node.values["tau_mem"].tolist() == [10.0, 20.0, 30.0]
    assert len(set(node.values["tau_syn"])) == 3


def test_a_list_of_another_length_is_an_error():
    with pytest.raises(GraphError, match=r"populations.b.neuron.tau_mem: 2 values for 3 neurons"):
        compile_graph(describe([cells("b", 3, tau_mem=[10.0, 20.0])]))


def test_a_time_constant_drawn_below_zero_is_an_error():
    with pytest.raises(GraphError, match=r"populations.b.neuron.tau_mem: the smallest value is -"):
        compile_graph(describe([cells("b", 50, tau_mem=Distribution("normal", {"mu": 1.0, "sigma": 2.0}))]))


def test_a_reset_above_the_threshold_is_an_error():
    with pytest.raises(GraphError, match="v_reset must lie below v_threshold"):
        compile_graph(describe([cells("b", 2, v_reset=as_parameter(1.5))]))
