import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import h5py
import numpy as np
import pytest
from sketches import cells, describe, projection, sources

import netdesc
from netdesc import api, registry, simulation
from netdesc.description.model import Choice, Constant, Data, Loss, Parameter, Training
from netdesc.errors import BackendError, DescriptionError, GraphError, LimitError, Location
from netdesc.events import Events
from netdesc.gradient import Gradient
from netdesc.graph.passes import CheckLimits
from netdesc.limits import Limits
from netdesc.trace import Trace
from netdesc.training import TrainingResult
from netdesc.training.origin import Origin
from netdesc.training.weights import save_weights

LIMITS = Limits(
    "echo",
    frozenset({"LIF", "LI", "dataset", "spike_times", "poisson"}),
    frozenset({"weight", "delay"}),
    frozenset({"spike_time_mse"}),
    frozenset({"spikes"}),
)


class EchoMachine:
    """Every neuron of a population spikes when the source of its index does, a weight later."""

    def __init__(self, program):
        self.program = program
        self.parameters = program.trainable()

    def write(self, parameters):
        self.parameters |= parameters

    def forward(self, stimulus, *, seed):
        source, target = self.program.populations
        given = stimulus.select(source.start, source.stop)
        late = Events(given.times + self.parameters["p.weight"][0], given.sources, given.offsets)
        return Trace(
            {source.name: given, target.name: late},
            None,
            effective_parameters=self.as_run(),
            provenance={"seed": str(seed)},
        )

    def as_run(self):
        blocks = self.program.blocks
        written = {
            key: values
            for block in blocks
            for key, values in ((block.weight_key, block.weights), (block.delay_key, block.delays))
        }
        return written | self.parameters

    def adjoint(self, trace, cotangent):
        times = {name: np.zeros(len(events)) for name, events in trace.spikes.items()}
        return Gradient({"p.weight": np.full(2, cotangent.spikes["a"].sum())}, times | dict(cotangent.spikes))


class EchoBackend:
    """A backend that counts how often it is loaded."""

    name = "echo"
    limits = LIMITS
    loads = 0

    def __init__(self, options):
        if options.get("fail"):
            raise BackendError("cannot do that")

    def passes(self):
        return [CheckLimits(LIMITS, "echo", "EC")]

    def load(self, program, *, seed):
        EchoBackend.loads += 1
        return EchoMachine(program)


@pytest.fixture(autouse=True)
def shelf(monkeypatch):
    point = EntryPoint("echo", f"{__name__}:EchoBackend", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])


def model(source=None, *, loss=None, data=None, training=None, **options):
    source = source or sources("x", 2, "spike_times", times=((1.0,), (2.0, 5.0)))
    wires = [projection("p", "x", "a", rule="one_to_one", weight=Parameter(Constant(0.5), True))]
    losses = {"l": loss} if loss else {}
    description = describe([source, cells("a", 2)], wires, losses=losses, **options)
    return api.Model(replace(description, data=data, training=training))


TARGETS = Loss("l", "spike_time_mse", "a", 1.0, {"target": (1.0, 4.0)})


def test_a_model_runs_with_its_own_stimulus():
    trace = simulation.run(model(), backend="echo")
    assert trace.spikes["a"].lists(2) == [[[1.5], [2.5, 5.5]]]


def test_the_device_is_loaded_once_and_late():
    before = EchoBackend.loads
    compiled = api.compile(model(), "echo")
    assert EchoBackend.loads == before
    compiled.forward()
    compiled.forward()
    assert EchoBackend.loads == before + 1


def test_a_batch_is_the_whole_stimulus_of_a_model_without_data():
    batch = Events.from_lists([[[7.0], []], [[], [8.0]]])
    trace = simulation.run(model(), backend="echo", batch=batch)
    assert trace.spikes["a"].lists(2) == [[[7.5], []], [[], [8.5]]]


def test_the_seed_of_the_model_serves_unless_another_is_given():
    compiled = api.compile(model(seed=7), "echo")
    assert compiled.forward().provenance["seed"] == "7"
    assert compiled.forward(seed=0).provenance["seed"] == "0"


def test_written_parameters_are_used():
    compiled = api.compile(model(), "echo")
    compiled.write({"p.weight": np.array([2.0, 2.0])})
    assert compiled.forward().spikes["a"].times.tolist() == [3.0, 4.0, 7.0]


def test_a_model_that_needs_data_says_so():
    with pytest.raises(BackendError, match=r"populations\.x\.source: its spikes come from a dataset"):
        api.compile(model(sources("x", 2)), "echo").forward()


def test_the_gradient_of_a_model_without_data():
    loss, trace, gradient = simulation.grad(model(loss=TARGETS), backend="echo")
    assert loss == 0.5 * (0.5**2 + 1.5**2)
    assert len(trace.spikes["a"]) == 3
    assert gradient.parameters["p.weight"].tolist() == [-1.0, -1.0]


def test_a_model_without_loss_has_no_gradient():
    with pytest.raises(DescriptionError, match="no loss"):
        simulation.grad(model(), backend="echo")


def yin_yang_model(batch_size):
    data = Data(
        Choice("yin_yang", {"train": 40, "validation": 0, "test": 0}),
        Choice("latency", {"t_early": 0.0, "t_late": 30.0, "bias": 0.0}),
    )
    training = Training(
        Choice("eventprop"), Choice("adam"), Choice("constant"), 1, batch_size, Choice("ignore"), None, {}
    )
    wires = [projection("p", "x", "a", weight=Parameter(Constant(0.5), True))]
    description = describe([sources("x", 5), cells("a", 5)], wires, losses={"l": TARGETS})
    return api.Model(replace(description, data=data, training=training))


def test_the_first_batch_is_the_first_samples_in_order():
    compiled = api.compile(yin_yang_model(3), "echo")
    events, labels, *_ = api.first_batch(compiled)
    assert (events.batch, labels.shape) == (3, (3,))
    # The published first point of the training set, and the bias.
    assert events.first_spikes(5)[0].tolist() == pytest.approx(
        [30 * 0.68030754, 30 * 0.45049925, 30 * (1 - 0.68030754), 30 * (1 - 0.45049925), 0.0], abs=1e-6
    )


def test_a_run_of_a_model_with_data_takes_its_first_batch():
    assert simulation.run(yin_yang_model(3), backend="echo").batch == 3


def test_errors_of_passes_get_their_place_in_the_file():
    places = {"projections.p": Location("net.yaml", 12, 3)}
    wires = [projection("p", "x", "a", rule="one_to_one")]
    broken = api.Model(describe([sources("x", 2), cells("a", 3)], wires, locations=places))
    with pytest.raises(GraphError, match=r"^net\.yaml:12:3 projections\.p\.connector: one_to_one needs"):
        api.compile(broken, "echo")


def test_limits_of_the_backend_get_their_place_too():
    places = {"populations.a": Location("net.yaml", 4, 1)}
    with pytest.raises(LimitError, match=r"^net\.yaml:4:1 EC-MODEL populations\.a\.neuron: echo has no cell"):
        api.compile(api.Model(describe([cells("a", 3, "Izhikevich")], locations=places)), "echo")


def test_notes_of_passes_get_their_place():
    start = Parameter(Constant(5.0), True, 0.0, 2.0)
    places = {"projections.p.weight": Location("net.yaml", 9, 5)}
    description = describe(
        [sources("x", 1), cells("a", 1)], [projection("p", "x", "a", weight=start)], locations=places
    )
    (note,) = api.compile(api.Model(description), "echo").notes
    assert note.location == Location("net.yaml", 9, 5)


def test_an_option_that_a_backend_refuses_is_an_error():
    description = replace(model().description, backends={"echo": {"fail": True}})
    with pytest.raises(BackendError, match="cannot do that"):
        api.compile(api.Model(description), "echo")


def test_the_package_offers_the_interface():
    assert netdesc.load is api.load
    assert netdesc.compile is api.compile
    assert netdesc.run is simulation.run
    assert netdesc.grad is simulation.grad
    assert set(netdesc.__all__) == set(dir(netdesc))


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'optimise'"):
        _ = netdesc.optimise


def test_a_file_is_loaded_with_overrides(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text(
        "netdesc: 1\nname: small\nsimulation: {duration: 40 ms, seed: 3}\n"
        "populations:\n  x: {size: 1, source: {spike_times: {times: [[1 ms]]}}}\n"
        "  a: {size: 2, neuron: {LIF: {}}}\n"
        "projections:\n  p: {pre: x, post: a, weight: {init: [[0.25, 0.5]], train: true}}\n"
    )
    loaded = netdesc.load(file, {"simulation.seed": 9})
    compiled = netdesc.compile(loaded, backend="echo")
    assert compiled.program.seed == 9
    assert compiled.program.digest == loaded.digest
    assert compiled.program.blocks[0].weights.tolist() == [0.25, 0.5]
    assert loaded.digest != netdesc.load(file).digest


def fed_model():
    wires = [projection("p", "x", "a", rule="one_to_one", weight=Parameter(Constant(1.0), train=True))]
    losses = {"l": Loss("l", "spike_time_mse", "a", 1.0, {"target": None})}
    return api.Model(describe([sources("x", 2), cells("a", 2)], wires, losses=losses))


SAMPLES = netdesc.Samples([[0.0, 1.0], [1.0, 0.0]], [[5.0, 35.0], [30.0, 2.0]])


def test_a_model_without_data_runs_with_the_samples_of_the_caller():
    assert simulation.run(fed_model(), backend="echo", batch=SAMPLES).spikes["a"].lists(2) == [
        [[1.0], [31.0]],
        [[31.0], [1.0]],
    ]


def test_target_times_of_samples_make_the_loss_of_a_gradient():
    result = simulation.grad(fed_model(), backend="echo", batch=SAMPLES)
    assert result.loss == pytest.approx(0.5 * (4.0**2 + 4.0**2 + 1.0**2 + 1.0**2) / 2)


def test_a_batch_holds_the_samples_of_a_split_as_training_sees_them():
    data = netdesc.Samples(SAMPLES.x, SAMPLES.y, test=netdesc.Samples([[0.5, 9.0]], [[1.0, 2.0]]))
    found = api.batch(fed_model(), data, split="test", backend="echo")
    assert found.events.lists(2) == [[[15.0], [30.0]]]
    assert found.times.tolist() == [[[1.0], [2.0]]]
    assert api.batch(fed_model(), data, count=1, backend="echo").events.batch == 1
    with pytest.raises(
        DescriptionError, match="expected a split with samples, got 'validation'; use one of train, test"
    ):
        api.batch(fed_model(), data, split="validation", backend="echo")


def test_a_model_without_data_says_what_is_missing():
    with pytest.raises(
        DescriptionError,
        match=r"the file has no data.dataset; add .* or pass "
        r"data=netdesc\.Samples",
    ) as caught:
        simulation.run(fed_model(), backend="echo")
    assert caught.value.diagnostics[0].path == "populations.x.source"


def test_a_run_takes_weights_by_name():
    flat, matrix = np.array([2.0, 2.0]), np.array([[2.0, np.nan], [np.nan, 2.0]])
    for weights in ({"p.weight": flat}, {"p.weight": matrix}, {"p.weight": [2, 2]}, {}):
        expected = [3.0, 4.0, 7.0] if weights else [1.5, 2.5, 5.5]
        found = netdesc.run(model(), backend="echo", weights=weights)
        assert found.spikes["a"].times.tolist() == expected


def test_a_gradient_takes_weights_by_name():
    loss, _, _ = netdesc.grad(model(loss=TARGETS), backend="echo", weights={"p.weight": [1.0, 1.0]})
    assert loss == 0.5 * (1.0**2 + 1.0**2)


def test_weights_come_from_a_file_a_run_directory_or_a_result_of_a_training(tmp_path):
    compiled = api.compile(model(), "echo")
    stage = {"backend": "echo", "on_device": False, "epochs": 1}
    origin = replace(Origin.of(compiled.model.description, compiled.program), stages=(stage,))
    save_weights(
        tmp_path / "weights.h5",
        {"p.weight": np.array([2.0, 2.0])},
        epoch=1,
        origin=origin,
        connections=compiled.program.connections(),
    )
    with h5py.File(tmp_path / "weights.h5") as file:
        joined = file["synapses/p.weight"]
        assert json.loads(file["populations"].asstr()[()]) == {"p.weight": ["x", "a"]}
        assert (joined["pre"][()].tolist(), joined["post"][()].tolist()) == ([0, 1], [0, 1])
        assert joined["shape"][()].tolist() == [2, 2]
    result = TrainingResult(tmp_path, (), 1, False, None, tmp_path / "weights.h5", None)
    for source in (tmp_path, str(tmp_path), tmp_path / "weights.h5", result):
        assert netdesc.run(model(), backend="echo", weights=source).spikes["a"].times[0] == 3.0
        assert netdesc.load_weights(model(), source, backend="echo")["p.weight"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {"q.weight": [1.0]},
            "expected the name of a trained parameter, got 'q.weight'; use one of p.weight",
        ),
        ({"p.weight": [1.0]}, r"expected 2 values for p.weight, or a matrix of shape \(2, 2\), got shape"),
        (
            {"p.weight": np.ones((2, 3))},
            r"p.weight: expected a matrix of shape \(2, 2\), x by a, got \(2, 3\)",
        ),
        ({"p.weight": [1.0, np.inf]}, "expected finite values for p.weight, got inf"),
        ({"p.weight": np.full((2, 2), np.nan)}, "expected finite values for p.weight, got nan"),
        ({"p.weight": "heavy"}, "expected an array of numbers for p.weight, got str"),
        (7, "expected weights as a mapping of arrays, a run directory, a weights.h5 or a Training"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(DescriptionError, match=message):
        netdesc.run(model(), backend="echo", weights=weights)


def test_gradients_and_weights_know_the_neurons_that_they_join():
    gradient = netdesc.grad(model(loss=TARGETS), backend="echo").gradient
    assert np.array_equal(gradient.matrix("p.weight"), [[-1.0, np.nan], [np.nan, -1.0]], equal_nan=True)
    assert [column.tolist() for column in gradient.synapses("p.weight")] == [[0, 1], [0, 1], [-1.0, -1.0]]
    weights = api.compile(model(), "echo").weights
    assert np.array_equal(weights.matrix("p.weight"), [[0.5, np.nan], [np.nan, 0.5]], equal_nan=True)
    assert weights.synapses("p.weight").value.tolist() == [0.5, 0.5]
    assert (weights.connections["p.weight"].pre, weights.connections["p.weight"].post) == ("x", "a")
    assert dict(weights).keys() == {"p.weight"}
    with pytest.raises(DescriptionError, match="the name of a parameter, got 'q'; use one of p"):
        gradient.matrix("q")
