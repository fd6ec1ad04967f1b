from dataclasses import replace

import numpy as np
import pytest

from netdesc import surrogate
from netdesc.errors import BackendError, NumericsError
from netdesc.events import Events
from netdesc.program import Surrogate
from netdesc.surrogate.grid import Grid, find_open
from netdesc.surrogate.layer import differentiate
from netdesc.trace import Cotangent, Recording
from tests.surrogate.networks import STEP, draw_changes, make_program, make_trace, tangent, with_maximum

CASES = [
    {},
    {"shape": "sigmoid"},
    {"shape": "triangle"},
    {"recurrent": True},
    {"sparse": True},
    {"delays": "one"},
    {"delays": "each"},
    {"recurrent": True, "delays": "each", "sparse": True},
    {"receptors": ("excitatory", "inhibitory")},
    {"subtractive": True},
    {"recurrent": True, "receptors": ("excitatory", "inhibitory"), "delays": "one"},
]


def along(gradient, changes):
    return sum(float(gradient.parameters[key] @ change) for key, change in changes.items())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gradient_is_that_of_the_linearized_recursion(case):
    random = np.random.default_rng(5)
    program = with_maximum(make_program(random, **case))
    trace, changes = make_trace(random, program), draw_changes(random, program)
    maximum, mean = (item.key for item in program.readings)
    cotangent = Cotangent(
        {},
        readings={maximum: random.normal(size=(3, 2)), mean: random.normal(size=(3, 2))},
        recordings={"output.v": random.normal(size=(3, 2, 9))},
        counts={"first": random.normal(size=(3, 3)), "second": random.normal(size=(3, 3))},
    )
    gradient = surrogate.adjoint(program, trace, cotangent, step=STEP)
    dv, dz = tangent(program, trace, changes)
    expected = sum(np.sum(cotangent.counts[name][:, None] * dz[name]) for name in ("first", "second"))
    neurons = trace.recordings["output.v"].neurons
    expected += np.sum(cotangent.recordings["output.v"] * dv["output"][:, :, neurons].transpose(0, 2, 1))
    steps = np.rint(trace.readings[maximum].times / STEP).astype(int)
    at_peaks = np.take_along_axis(dv["output"], steps[:, None, :], axis=1)[:, 0]
    expected += np.sum(cotangent.readings[maximum] * at_peaks)
    times = STEP * np.arange(9)
    means = np.trapezoid if hasattr(np, "trapezoid") else np.trapz
    expected += np.sum(
        cotangent.readings[mean]
        * means(dv["output"] * np.exp(-times / 7.0)[:, None], times, axis=1)
        / program.duration
    )
    assert abs(expected) > 1e-3
    assert along(gradient, changes) == pytest.approx(expected, rel=1e-10)


def test_weights_as_run_take_the_place_of_those_written():
    random = np.random.default_rng(2)
    program = make_program(random)
    trace, cotangent = make_trace(random, program), Cotangent({}, counts={"second": np.ones((3, 3))})
    as_run = {block.weight_key: random.normal(size=block.size) for block in program.blocks}
    one = surrogate.adjoint(program, replace(trace, effective_parameters=as_run), cotangent, step=STEP)
    other = surrogate.adjoint(program.with_parameters(as_run), trace, cotangent, step=STEP)
    for key, values in one.parameters.items():
        np.testing.assert_array_equal(values, other.parameters[key])


def read_out(program, weights, trace):
    """Run read-outs of input spikes on the grid; v is of shape (batch, steps, n)."""
    item, block = program.population("output"), program.blocks[1]
    steps, parameters = 9, program.parameters
    current, voltage = np.zeros((2, 3, steps, item.size)), np.zeros((3, steps, item.size))
    events = trace.spikes["input"]
    span = slice(item.start, item.stop)
    alpha = np.exp(-STEP / parameters["tau_s"][span, 0])
    beta = np.exp(-STEP / parameters["tau_m"][span])
    table = weights.reshape(block.n_pre, block.n_post) * block.charge
    voltage[:, 0] = parameters["rest"][span]
    for step in range(steps - 1):
        current[0, :, step + 1] += alpha * current[0, :, step]
        for sample, time, source in zip(events.samples(), events.times, events.sources, strict=True):
            if int(time // STEP) == step:
                current[0, sample, step + 1] += table[source]
        voltage[:, step + 1] = beta * voltage[:, step] + (1 - beta) * (
            parameters["rest"][span] + current[0, :, step]
        )
    return voltage


def test_without_spiking_neurons_the_gradient_is_that_of_central_differences():
    random = np.random.default_rng(7)
    program = make_program(random)
    block = replace(program.blocks[2], pre=0, n_pre=4, weights=random.normal(size=8))
    program = replace(
        program, blocks=(replace(block, weights=np.zeros(8), name="other", train_weight=False), block)
    )
    trace = make_trace(random, program)
    target = random.normal(size=(3, 9, 2))

    def loss(weights):
        return 0.5 * np.sum((read_out(program, weights, trace) - target) ** 2)

    neurons = trace.recordings["output.v"].neurons
    slopes = (read_out(program, block.weights, trace) - target)[:, :, neurons].transpose(0, 2, 1)
    gradient = surrogate.adjoint(program, trace, Cotangent({}, recordings={"output.v": slopes}), step=STEP)
    for k in range(8):
        move = 1e-4 * (np.arange(8) == k)
        expected = (loss(block.weights + move) - loss(block.weights - move)) / 2e-4
        assert gradient.parameters[block.weight_key][k] == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_a_batch_adds_up_its_samples():
    random = np.random.default_rng(3)
    program = make_program(random, recurrent=True)
    trace, counts = make_trace(random, program), random.normal(size=(3, 3))
    parts = [
        surrogate.adjoint(
            program,
            trace,
            Cotangent({}, counts={"second": counts * (np.arange(3) == sample)[:, None]}),
            step=STEP,
        )
        for sample in range(3)
    ]
    whole = surrogate.adjoint(program, trace, Cotangent({}, counts={"second": counts}), step=STEP)
    for key, values in whole.parameters.items():
        np.testing.assert_allclose(values, sum(part.parameters[key] for part in parts), atol=1e-13)


def test_only_trained_weights_have_a_gradient_of_the_shape_of_their_block():
    random = np.random.default_rng(0)
    program = make_program(random, sparse=True)
    program = replace(program, blocks=(*program.blocks[:-1], replace(program.blocks[-1], train_weight=False)))
    gradient = surrogate.adjoint(program, make_trace(random, program), Cotangent({}), step=STEP)
    assert {key: values.shape for key, values in gradient.parameters.items()} == {
        block.weight_key: block.weights.shape for block in program.blocks[:-1]
    }


def test_a_spike_on_the_edge_of_a_bin_is_in_the_later_one_whatever_its_last_digit():
    grid = Grid(0.0, 1.7, 30)
    edges = 1.7 * np.arange(30)
    assert grid.bins(edges).tolist() == list(range(30))
    assert grid.bins(np.nextafter(edges, 0.0))[1:].tolist() == list(range(1, 30))


def test_after_a_spike_the_voltage_is_forgotten_until_the_end_of_the_refractory_period():
    events = Events.from_lists([[[1.5], [1.5], [1.5]]])
    flags = find_open(events, Grid(0.0, 1.0, 7), np.array([0.0, 2.0, 20.0]), reset=True)[0].T
    assert flags.tolist() == [[1, 0, 1, 1, 1, 1, 1], [1, 0, 0, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize("shape", ["superspike", "sigmoid", "triangle"])
def test_shapes_are_even_about_the_threshold_and_largest_on_it(shape):
    x = np.linspace(-3, 3, 61)[:, None]
    values = differentiate(Surrogate(shape, 5.0), 2.0 + 0.5 * x, np.array([2.0]), np.array([1.5]))[:, 0]
    np.testing.assert_allclose(values, values[::-1], atol=1e-13)
    assert values.argmax() == 30
    assert values[30] == pytest.approx({"sigmoid": 0.25}.get(shape, 1.0) / 0.5)


def test_spikes_outside_the_grid_and_rounded_delays_are_counted():
    random = np.random.default_rng(0)
    program = make_program(random)
    trace = make_trace(random, program)
    uneven = replace(program.blocks[0], delays=np.array([0.4]))
    program = replace(program, blocks=(uneven, *program.blocks[1:]))
    late = Events.from_lists([[[1.0, 13.6], [], [], []], [[]] * 4, [[13.7], [], [], []]])
    trace = replace(trace, spikes={**trace.spikes, "input": late})
    health = surrogate.adjoint(program, trace, Cotangent({}), step=STEP).health
    assert health == {"outside_grid": 2, "rounded_delays": 1}


def change_samples(trace, key, **changes):
    samples = {**trace.recordings, key: replace(trace.recordings[key], **changes)}
    return replace(trace, recordings=samples)


def test_samples_that_cannot_serve_are_told_by_population():
    random = np.random.default_rng(0)
    program = make_program(random)
    trace = make_trace(random, program)
    holed = np.array(trace.recordings["second.v"].values)
    holed[0, 0, 0] = np.nan
    bare = {key: item for key, item in trace.recordings.items() if key != "first.v"}
    wrong = [
        (replace(trace, recordings=bare), "first.v is not sampled"),
        (change_samples(trace, "second.v", times=np.arange(9.0)), "second.v is not sampled every 1.5 ms"),
        (change_samples(trace, "second.v", neurons=np.array([0, 0, 1])), "needs each of the 3 once"),
        (change_samples(trace, "second.v", values=holed), "second.v holds a sample that is not finite"),
    ]
    for faulty, message in wrong:
        with pytest.raises(NumericsError, match=message):
            surrogate.adjoint(program, faulty, Cotangent({}), step=STEP)
    with pytest.raises(NumericsError, match="must be positive"):
        surrogate.adjoint(program, trace, Cotangent({}), step=0.0)


def test_what_has_no_surrogate_gradient_is_refused_all_at_once():
    random = np.random.default_rng(0)
    program = make_program(random)
    trace = make_trace(random, program)
    program = replace(
        program, surrogate=None, blocks=(replace(program.blocks[0], train_delay=True), *program.blocks[1:])
    )
    cotangent = Cotangent(
        {"second": np.ones(len(trace.spikes["second"]))}, recordings={"first.v": np.zeros(1)}
    )
    with pytest.raises(BackendError) as caught:
        surrogate.adjoint(program, trace, cotangent, step=STEP)
    assert [item.path for item in caught.value.diagnostics] == [
        "projections.p0.delay",
        "populations.second",
        "populations.first",
        "training.gradient",
    ]


def test_a_loss_that_is_not_a_number_is_refused():
    random = np.random.default_rng(0)
    program = make_program(random)
    counts = {"second": np.full((3, 3), np.nan)}
    with pytest.raises(NumericsError, match="by second is not finite"):
        surrogate.adjoint(program, make_trace(random, program), Cotangent({}, counts=counts), step=STEP)


def test_a_maximum_without_a_time_is_refused():
    random = np.random.default_rng(0)
    program = with_maximum(make_program(random))
    trace = replace(make_trace(random, program), readings={})
    with pytest.raises(NumericsError, match=r"when the maximum output\.maximum was"):
        surrogate.adjoint(program, trace, Cotangent({}, {"output.maximum": np.ones((3, 2))}), step=STEP)


def test_a_large_sparse_block_runs_through_its_synapses(monkeypatch):
    random = np.random.default_rng(4)
    program = make_program(random, sparse=True, recurrent=True)
    trace, cotangent = make_trace(random, program), Cotangent({}, counts={"second": np.ones((3, 3))})
    one = surrogate.adjoint(program, trace, cotangent, step=STEP)
    monkeypatch.setattr("netdesc.surrogate.links.LARGEST_MATRIX", 0)
    other = surrogate.adjoint(program, trace, cotangent, step=STEP)
    for key, values in one.parameters.items():
        np.testing.assert_allclose(values, other.parameters[key], atol=1e-13)


def test_samples_are_taken_in_whatever_order_their_neurons_come():
    random = np.random.default_rng(6)
    program = make_program(random)
    trace, cotangent = make_trace(random, program), Cotangent({}, counts={"second": np.ones((3, 3))})
    found = trace.recordings["first.v"]
    order = np.argsort(found.neurons)
    ordered = Recording(found.times, found.neurons[order], found.values[:, order])
    other = replace(trace, recordings={**trace.recordings, "first.v": ordered})
    one, two = (surrogate.adjoint(program, item, cotangent, step=STEP) for item in (trace, other))
    for key, values in one.parameters.items():
        np.testing.assert_array_equal(values, two.parameters[key])
