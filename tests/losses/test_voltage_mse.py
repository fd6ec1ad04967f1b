import numpy as np
import pytest

import netdesc
from netdesc.api import compile, evaluate_losses
from netdesc.description.model import Loss
from netdesc.errors import BackendError, DescriptionError, LimitError
from netdesc.goals import Goals, Traces
from netdesc.losses.evaluation import evaluate
from netdesc.losses.requirements import require_goals
from netdesc.losses.voltage_mse import voltage_mse
from netdesc.program import PopulationSlice, Program
from netdesc.stimulus import stimulus
from netdesc.testing.gradcheck import gradcheck
from netdesc.trace import Recording, Trace

OUTPUT = PopulationSlice("output", 0, 2, "readout", "LI", ("signed",), False, (2,), {})
PROGRAM = Program("traces", 4.0, 0, (OUTPUT,), (), {}, ())
LOSS = Loss("fit", "voltage_mse", "output", 1.0, {"target": None, "interval": 2.0})
NAN = np.nan


def trained(mu, sigma):
    return {"init": {"normal": {"mu": mu, "sigma": sigma}}, "train": True}


MODEL = {
    "netdesc": 1,
    "name": "traces",
    "simulation": {"duration": "30 ms", "seed": 3},
    "populations": {
        "input": {"size": 3, "source": "dataset"},
        "hidden": {"size": 4, "neuron": {"LIF": {"tau_mem": "20 ms", "tau_syn": "5 ms"}}},
        "output": {"size": 2, "neuron": {"LI": {"tau_mem": "20 ms", "tau_syn": "5 ms"}}},
    },
    "projections": {
        "a": {"pre": "input", "post": "hidden", "weight": trained(3.0, 0.5)},
        "b": {"pre": "hidden", "post": "output", "weight": trained(0.1, 0.3)},
    },
    "losses": {"fit": {"voltage_mse": {"population": "output", "interval": "2 ms"}}},
    "training": {"epochs": 4, "batch_size": 8, "optimizer": {"adam": {"learning_rate": 1e-2}}},
}


def samples(count=12):
    x = np.random.default_rng(0).random((count, 3))
    times = np.arange(0.0, 30.0, 2.0)
    targets = np.stack([np.sin(times / 8) * x[:, :1], np.cos(times / 8) * x[:, 1:2]], 2)
    targets[:, 4, 0] = NAN
    return netdesc.Samples(x, traces=targets, trace_interval=2.0)


def trace_of(values, times=(0.0, 2.0, 4.0)):
    return Trace({}, None, {"output.v": Recording(np.array(times), np.arange(2), np.array(values))})


def test_a_loss_is_half_the_sum_over_outputs_of_the_mean_over_times():
    term = voltage_mse(np.array([[[1.0, 2.0], [0.0, 4.0]]]), np.array([[[0.0, 0.0], [0.0, 1.0]]]))
    assert term.values.tolist() == [0.5 * ((1.0 + 4.0) / 2 + 9.0 / 2)]
    assert term.slopes.tolist() == [[[0.5, 1.0], [0.0, 1.5]]]


def test_a_mean_is_over_the_times_with_a_target_alone():
    goals = Goals(traces=Traces(np.array([[[0.0, NAN], [NAN, NAN]]]), 2.0))
    result = evaluate({"fit": LOSS}, trace_of([[[2.0, 5.0, 5.0], [7.0, 7.0, 7.0]]]), PROGRAM, goals)
    assert result.loss == 0.5 * 4.0
    assert result.cotangent.recordings["output.v"].tolist() == [[[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    assert result.correct is None


@pytest.mark.parametrize(
    ("goals", "message"),
    [
        (Goals(), "voltage_mse expected target voltages of the train samples, got none"),
        (Goals(traces=Traces(np.zeros((1, 3, 1)), 2.0)), r"got those of 1; set populations\.output\.size: 1"),
        (
            Goals(traces=Traces(np.zeros((1, 3, 2)), 1.0)),
            r"every 2 ms, got them every 1 ms; set interval: 1 ms",
        ),
        (Goals(traces=Traces(np.zeros((1, 5, 2)), 2.0)), "at most 3 target voltages.*duration: 8 ms"),
    ],
)
def test_targets_that_do_not_fit_are_refused_before_anything_runs(goals, message):
    with pytest.raises(DescriptionError, match=message):
        require_goals([LOSS], goals, PROGRAM, split="train")


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (Trace({}, None, batch_size=1), "the run has no samples of output.v"),
        (trace_of(np.zeros((1, 2, 3)), (0.0, 2.5, 5.0)), "every 2 ms, got them at other times"),
    ],
)
def test_a_run_without_the_samples_is_refused(trace, message):
    with pytest.raises(BackendError, match=message):
        evaluate({"fit": LOSS}, trace, PROGRAM, Goals(traces=Traces(np.zeros((1, 3, 2)), 2.0)))


def test_gradients_agree_with_central_differences():
    compiled = compile(netdesc.load(MODEL))
    batch = netdesc.batch(compiled.model, samples(), count=2)
    machine = compiled.backend.load(compiled.program, seed=0)
    events = stimulus(compiled.program, dataset_events=batch.events, batch=2, seed=3)
    result = gradcheck(machine, events, lambda trace: evaluate_losses(compiled, trace, batch.goals))
    assert result.checked > 10
    assert result.deviation < 1e-6


def test_the_loss_on_a_grid_converges_to_that_of_continuous_time():
    def loss(**options):
        model = netdesc.load({**MODEL, "backends": {"numba": options}} if options else MODEL)
        return netdesc.grad(model, batch=netdesc.batch(model, samples(), count=2)).loss

    exact = loss()
    errors = [abs(loss(solver={"grid": {"timestep": f"{step} ms"}}) - exact) for step in (0.5, 0.05)]
    assert errors[1] < 0.3 * errors[0]


def test_a_training_lowers_the_loss_and_is_the_same_with_any_number_of_threads(tmp_path):
    for threads in (1, 2):
        model = netdesc.load({**MODEL, "backends": {"numba": {"threads": threads}}})
        result = netdesc.train(model, data=samples(), output=tmp_path / str(threads))
        assert result.reports[-1].loss < result.reports[0].loss
        assert netdesc.evaluate(model, result.directory, data=samples()).loss < result.reports[0].loss
    assert results_equal(tmp_path / "1" / "weights.h5", tmp_path / "2" / "weights.h5")


def results_equal(one, other):
    import h5py

    found = []
    for file in (one, other):
        with h5py.File(file) as content:
            values = {}
            content.visititems(
                lambda name, item, into=values: (
                    into.update({name: item[()].tobytes()})
                    if isinstance(item, h5py.Dataset) and item.dtype.kind == "f"
                    else None
                )
            )
            found.append(values)
    return bool(found[0]) and found[0] == found[1]


def test_a_device_without_voltages_refuses_the_loss_where_it_is_written():
    with pytest.raises(LimitError, match=r"losses\.fit: spinnaker2 has no gradient for voltage_mse"):
        compile(netdesc.load(MODEL), "spinnaker2")


def test_the_samples_of_brainscales2_have_a_gradient():
    model = netdesc.load(MODEL)
    result = netdesc.grad(model, batch=netdesc.batch(model, samples(), count=2), backend="brainscales2")
    assert np.isfinite(result.loss)
    assert np.abs(result.gradient.parameters["b.weight"]).max() > 0.0
