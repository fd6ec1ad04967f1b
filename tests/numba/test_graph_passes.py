"""What the backend asks of a graph: rounding to a grid, cycles, and what it cannot do."""

import numpy as np
import pytest
from netdesc_numba import NumbaBackend
from sketches import cells, describe, projection, sources

from netdesc.description.model import Choice, Distribution, Loss, Parameter, Recording
from netdesc.errors import GraphError, LimitError, Location
from netdesc.events import Events
from netdesc.graph import compile_graph
from netdesc.lower import lower

GRID = {"solver": {"grid": {"timestep": 0.1}}}


def compiled(description, options=GRID):
    return compile_graph(description, NumbaBackend(options).passes())


def two_layers(projections, **settings):
    return describe([sources("input", 2), cells("a", 3), cells("b", 3)], projections, **settings)


def delays(graph):
    return {edge.name: edge.delays.tolist() for edge in graph.edges}


def refusal(description, options=GRID, error=GraphError):
    with pytest.raises(error) as caught:
        compiled(description, options)
    return caught.value.diagnostics


def test_what_lies_on_the_grid_stays_and_is_not_noted():
    graph = compiled(two_layers([projection("ab", "a", "b", delay=0.3), projection("ia", "input", "a")]))
    assert delays(graph) == {"ab": [pytest.approx(0.3, rel=1e-15)], "ia": [0.0]}
    assert graph.notes == ()


def test_every_rounding_is_noted_with_its_place_and_size():
    graph = compiled(
        describe(
            [sources("input", 2), cells("a", 2, tau_refrac=[2.04, 1.0])],
            [projection("ia", "input", "a", delay=[[0.12, 0.3], [0.5, 0.77]])],
        )
    )
    assert np.allclose(graph.edges[0].delays, [0.1, 0.3, 0.5, 0.8])
    assert np.allclose(graph.node("a").values["tau_refrac"], [2.0, 1.0])
    assert [(note.path, note.code, note.message) for note in graph.notes] == [
        ("projections.ia.delay", "NB-GRID", "2 of 4 delays rounded to steps of 0.1 ms, by at most 0.03 ms"),
        (
            "populations.a.neuron.tau_refrac",
            "NB-GRID",
            "refractory periods rounded to steps of 0.1 ms, by at most 0.04 ms",
        ),
    ]


def test_continuous_time_rounds_nothing():
    graph = compiled(two_layers([projection("ab", "a", "b", delay=0.123)]), {})
    assert delays(graph) == {"ab": [0.123]}
    assert graph.notes == ()


def test_a_duration_between_two_steps_is_refused():
    (fault,) = refusal(two_layers([]), {"solver": {"grid": {"timestep": 0.3}}})
    assert (fault.path, fault.message) == (
        "simulation.duration",
        "40 ms is not a whole number of steps of 0.3 ms; set 39.9 ms",
    )


CYCLE = [projection("ab", "a", "b"), projection("ba", "b", "a")]


def test_a_cycle_without_delay_is_refused_once_with_its_chain():
    (fault,) = refusal(two_layers(CYCLE))
    assert fault.path == "projections.ab.delay"
    assert fault.message == (
        "the cycle ab -> ba has no delay, and a grid of 0.1 ms cannot step through it; give one of them a "
        "delay, use solver: event, or write loop_delay: one_tick under simulation"
    )


def test_a_population_onto_itself_without_delay_is_refused():
    (fault,) = refusal(two_layers([projection("aa", "a", "a")]))
    assert fault.message.startswith("the cycle aa has no delay")


def test_a_cycle_without_delay_is_found_beside_projections_with_one():
    (fault,) = refusal(two_layers([projection("slow", "a", "b", delay=1.0), *CYCLE]))
    assert fault.message.startswith("the cycle ab -> ba has no delay")


def test_a_cycle_without_delay_is_exact_in_continuous_time():
    assert delays(compiled(two_layers(CYCLE), {})) == {"ab": [0.0], "ba": [0.0]}


def test_one_tick_gives_every_projection_of_a_cycle_a_step_and_notes_it():
    graph = compiled(two_layers([projection("ia", "input", "a"), *CYCLE], loop_delay="one_tick"))
    assert delays(graph) == {"ia": [0.0], "ab": [0.1], "ba": [0.1]}
    assert [note.path for note in graph.notes] == ["projections.ab.delay", "projections.ba.delay"]


@pytest.mark.parametrize("fast", [0.0, 0.01, 0.04])
def test_a_cycle_with_delay_elsewhere_gets_a_step_where_it_has_none_and_notes_it(fast):
    graph = compiled(
        two_layers([projection("ab", "a", "b", delay=fast), projection("ba", "b", "a", delay=2.0)])
    )
    assert delays(graph) == {"ab": [0.1], "ba": [2.0]}
    (note,) = graph.notes
    assert (note.path, note.code) == ("projections.ab.delay", "NB-GRID")
    assert note.message == f"1 of 1 delays rounded to steps of 0.1 ms, by at most {0.1 - fast:.3g} ms"


def test_a_drawn_delay_close_to_zero_within_a_cycle_becomes_one_step():
    drawn = Parameter(Distribution("uniform", {"low": 0.0, "high": 0.3}))
    graph = compiled(two_layers([projection("aa", "a", "a", delay=drawn)]))
    steps = graph.edges[0].delays / 0.1
    assert np.allclose(steps, np.round(steps))
    assert steps.min() >= 1.0 - 1e-9


def test_the_machine_keeps_a_step_on_cycles_when_delays_are_written():
    program = lower(
        compiled(
            two_layers(
                [
                    projection(
                        "ab",
                        "a",
                        "b",
                        delay=Parameter(Distribution("uniform", {"low": 1.0, "high": 3.0}), True),
                    ),
                    projection("ba", "b", "a", delay=1.0),
                    projection("ia", "input", "a"),
                ]
            )
        )
    )
    machine = NumbaBackend(GRID).load(program, seed=0)
    machine.write({"ab.delay": np.full(9, 0.02), "ia.delay": np.array([0.02])})
    trace = machine.forward(nothing(program), seed=0)
    assert trace.effective_parameters["ab.delay"].tolist() == [0.1] * 9
    assert trace.effective_parameters["ia.delay"].tolist() == [0.0]


def nothing(program):
    return Events.from_lists([[[]] * program.size])


PLACES = {
    "simulation": Location("net.yaml", 2, 1),
    "populations.a.neuron": Location("net.yaml", 5, 9),
    "losses.sum": Location("net.yaml", 8, 3),
    "projections.ia.plasticity": Location("net.yaml", 11, 7),
}


def located_refusal(description):
    with pytest.raises(LimitError) as caught:
        compiled(description, {})
    assert caught.value.exit_status == 3
    return [(item.code, str(item.location), item.path) for item in caught.value.located(PLACES).diagnostics]


def test_carried_state_is_refused_with_its_place():
    assert located_refusal(two_layers([], carry_state=True)) == [
        ("NB-STATE", "net.yaml:2:1", "simulation.carry_state")
    ]


def test_models_losses_training_and_plasticity_that_it_lacks_are_refused_at_once_with_their_places():
    description = describe(
        [
            sources("input", 2),
            cells("a", 3, tau_mem=Parameter(cells("x", 1).neuron.parameters["tau_mem"].init, True)),
        ],
        [projection("ia", "input", "a", plasticity=Choice("stdp"))],
        losses={"sum": Loss("sum", "per_time_cross_entropy", "a", 1.0, {})},
    )
    assert located_refusal(description) == [
        ("NB-PLASTICITY", "net.yaml:11:7", "projections.ia.plasticity"),
        ("NB-TRAIN", "net.yaml:5:9", "populations.a.neuron.tau_mem"),
        ("NB-LOSS", "net.yaml:8:3", "losses.sum"),
    ]


@pytest.mark.parametrize("kind", ["max_over_time", "per_time_cross_entropy"])
def test_a_loss_without_gradient_is_named_with_those_that_have_one(kind):
    description = describe(
        [sources("input", 2), cells("a", 3)],
        [projection("ia", "input", "a")],
        losses={"sum": Loss("sum", kind, "a", 1.0, {})},
    )
    with pytest.raises(
        LimitError, match=f"has no gradient for {kind}; it has one for firing_rate, max_voltage"
    ):
        compiled(description, {})


def test_a_variable_that_it_cannot_record_is_refused():
    description = describe(
        [sources("input", 2), cells("a", 3)],
        [projection("ia", "input", "a")],
        record=[Recording("a", "g_exc", None, 1.0)],
    )
    with pytest.raises(
        LimitError, match="cannot record g_exc; it records i, lam_i, lam_v, spikes, v"
    ) as caught:
        compiled(description, {})
    assert caught.value.diagnostics[0].code == "NB-RECORD"


def test_a_source_that_it_lacks_is_refused():
    description = describe([sources("input", 2, "gamma"), cells("a", 3)], [projection("ia", "input", "a")])
    with pytest.raises(
        LimitError,
        match="numba has no source gamma; it has EIF_cond_exp_isfa_ista, IF_curr_alpha, IF_curr_exp, LI, LIF",
    ) as caught:
        compiled(description, {})
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.path) == ("NB-MODEL", "populations.input.source")
