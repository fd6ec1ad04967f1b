import numpy as np
import pytest
from sketches import cells, describe, projection, sources

from netdesc.description.model import Choice, Constant, Parameter, Recording
from netdesc.errors import BackendError
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.program import Stage


def program(populations, projections=(), **options):
    return lower(compile_graph(describe(populations, projections, **options)))


def column(populations, name):
    return program(populations).parameters[name].tolist()


def test_populations_are_ranges_of_neurons_in_the_order_of_the_file():
    result = program([sources("x", 2), cells("a", 3), cells("r", 1, "LI")])
    assert [(item.name, item.start, item.stop, item.kind, item.model) for item in result.populations] == [
        ("x", 0, 2, "source", "dataset"),
        ("a", 2, 5, "spiking", "LIF"),
        ("r", 5, 6, "readout", "LI"),
    ]
    assert result.size == 6
    assert all(len(values) == 6 for values in result.parameters.values())


def test_sources_have_no_parameters():
    result = program([sources("x", 2), cells("a", 1)])
    assert all(np.all(np.isnan(values[:2])) for values in result.parameters.values())


def test_parameters_of_a_normalized_cell_have_no_units():
    result = program([cells("a", 1, v_leak=0.2, v_reset=-0.5, tau_refrac=2.0, current=0.3)])
    found = {name: values.ravel().tolist() for name, values in result.parameters.items()}
    assert found == {
        "tau_m": [20.0],
        "tau_ref": [2.0],
        "tau_s": [5.0],
        "rest": [0.5],
        "threshold": [1.0],
        "reset": [-0.5],
        "v_init": [0.2],
        "i_init": [0.0],
    }


def test_currents_shift_the_rest_by_the_resistance():
    given = cells("a", 1, "IF_curr_exp", cm=0.5, tau_m=20.0, i_offset=0.25, current=0.125)
    fed = program([sources("x", 1), given], [projection("p", "x", "a", receptor="inhibitory")])
    assert fed.blocks[0].charge.tolist() == [-40.0]
    assert column([given], "rest") == [-65.0 + 40.0 * 0.375]
    assert column([given], "v_init") == [-65.0]


def test_initial_currents_are_voltages():
    start = {"v": -60.0, "i_exc": 0.5, "i_inh": -0.25}
    given = cells("a", 1, "IF_curr_exp", cm=0.5, tau_syn_I=9.0, initial=start)
    assert column([given], "i_init") == [[20.0, -10.0]]
    assert column([given], "v_init") == [-60.0]
    assert column([given], "tau_s") == [[5.0, 9.0]]


def test_cells_with_fewer_receptors_are_padded():
    result = program([cells("a", 1), cells("b", 1, "IF_curr_exp", tau_syn_I=9.0)])
    assert np.array_equal(result.parameters["tau_s"], [[5.0, np.nan], [5.0, 9.0]], equal_nan=True)
    assert np.array_equal(result.parameters["i_init"], [[0.0, np.nan], [0.0, 0.0]], equal_nan=True)
    assert [item.receptors for item in result.populations] == [("signed",), ("excitatory", "inhibitory")]


def test_a_readout_never_reaches_its_threshold():
    assert column([cells("r", 2, "LI", v_leak=0.5)], "threshold") == [np.inf, np.inf]


def test_parameters_may_differ_from_neuron_to_neuron():
    assert column([cells("a", 3, v_threshold=[1.0, 1.5, 2.0])], "threshold") == [1.0, 1.5, 2.0]


def test_all_to_all_is_a_dense_block_in_row_major_order():
    (block,) = program(
        [sources("x", 2), cells("a", 3)],
        [projection("p", "x", "a", weight=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])],
    ).blocks
    assert block.dense
    assert (block.pre, block.post, block.n_pre, block.n_post) == (0, 1, 2, 3)
    assert block.weights.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert block.delays.tolist() == [0.0]
    assert (block.receptor, block.sign) == (0, 1.0)


def test_a_list_is_a_sparse_block_ordered_by_source_then_target():
    (block,) = program(
        [sources("x", 3), cells("a", 2)],
        [
            projection(
                "p",
                "x",
                "a",
                rule="list",
                pairs=((2, 1), (0, 1), (2, 0)),
                weight=[[0.0, 1.0], [0.0, 0.0], [2.0, 3.0]],
            )
        ],
    ).blocks
    assert block.indptr.tolist() == [0, 1, 1, 3]
    assert block.indices.tolist() == [1, 0, 1]
    assert block.weights.tolist() == [1.0, 2.0, 3.0]


def test_leaving_out_self_connections_makes_a_block_sparse():
    (block,) = program([cells("a", 3)], [projection("p", "a", "a", allow_self_connections=False)]).blocks
    assert block.indices.tolist() == [1, 2, 0, 2, 0, 1]


@pytest.mark.parametrize(
    ("receptor", "tau_syn_I", "expected"),
    [
        ("excitatory", 9.0, (0, 1.0)),
        ("inhibitory", 9.0, (1, -1.0)),
        ("excitatory", 5.0, (0, 1.0)),
        ("inhibitory", 5.0, (0, -1.0)),
        ("signed", 5.0, (0, 1.0)),
    ],
)
def test_a_receptor_is_a_current_and_a_sign(receptor, tau_syn_I, expected):
    (block,) = program(
        [sources("x", 1), cells("a", 1, "IF_curr_exp", tau_syn_I=tau_syn_I)],
        [projection("p", "x", "a", receptor=receptor)],
    ).blocks
    assert (block.receptor, block.sign) == expected
    assert block.weights.tolist() == [1.0]


def test_several_targets_make_several_blocks():
    populations = [sources("x", 1), cells("a", 1), cells("b", 2)]
    blocks = program(populations, [projection("p", "x", ["a", "b"])]).blocks
    assert [(block.name, block.path, block.size) for block in blocks] == [
        ("p.a", "projections.p", 1),
        ("p.b", "projections.p", 2),
    ]


def test_training_is_carried_with_its_bounds():
    (block,) = program(
        [sources("x", 1), cells("a", 2)],
        [
            projection(
                "p",
                "x",
                "a",
                weight=Parameter(Constant(1.0), True, -2.0, 3.0),
                delay=Parameter(Constant(1.0), True, high=5.0),
            )
        ],
    ).blocks
    assert (block.train_weight, block.weight_bounds) == (True, (-2.0, 3.0))
    assert (block.train_delay, block.delay_bounds) == (True, (0.0, 5.0))
    assert block.delays.tolist() == [1.0, 1.0]


def test_stages_name_populations_by_index():
    result = program(
        [cells("b", 1), sources("x", 1), cells("a", 1)],
        [projection("p", "x", "a"), projection("q", "a", "b"), projection("r", "b", "b", delay=1.0)],
    )
    assert result.stages == (Stage((2,), False), Stage((0,), True))


def test_recordings_of_spikes_need_no_sampling():
    result = program(
        [cells("a", 3)],
        record=[
            Recording("a", "spikes", None, None),
            Recording("a", "v", (0, 2), 0.5),
            Recording("a", "i", None, 1.0),
        ],
    )
    assert [(item.variable, item.neurons.tolist(), item.every) for item in result.sampling] == [
        ("v", [0, 2], 0.5),
        ("i", [0, 1, 2], 1.0),
    ]


def test_the_rate_of_a_poisson_source_is_given_per_neuron():
    result = program([sources("x", 2, "poisson", rate=Constant(0.1), start=0.0, stop=20.0)])
    source = result.populations[0].source
    assert source["rate"].tolist() == [0.1, 0.1]
    assert (source["start"], source["stop"]) == (0.0, 20.0)


def test_what_has_no_form_as_a_program_is_told_at_once():
    populations = [cells("a", 1, "Izhikevich"), cells("b", 1, tau_mem=Parameter(Constant(20.0), True))]
    wires = [projection("p", "b", "a", plasticity=Choice("stdp"))]
    with pytest.raises(BackendError) as caught:
        program(populations, wires, carry_state=True)
    assert [item.path for item in caught.value.diagnostics] == [
        "populations.a.neuron",
        "projections.p.plasticity",
        "populations.b.neuron.tau_mem",
        "simulation.carry_state",
    ]
