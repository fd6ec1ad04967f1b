import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from netdesc.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
TWO = str(EXAMPLES / "two_neurons.yaml")
YIN_YANG = str(EXAMPLES / "yin_yang.yaml")
SMALL = (
    "data.dataset.yin_yang={train: 60, validation: 20, test: 20}",
    "populations.hidden.size=20",
    "training.epochs=2",
    "training.batch_size=20",
)


@pytest.fixture
def command(capsys):
    def run(*words):
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def answer(command):
    def run(*words, status=0):
        found, out, err = command(*words, "--json")
        assert found == status, err
        assert out.count("\n") == 1
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    return run


def test_check_counts_what_the_file_describes(answer):
    found = answer("check", TWO)
    assert (found["valid"], found["neurons"], found["synapses"]) == (True, 4, 4)


def test_check_says_that_a_backend_can_run_the_model(answer):
    assert answer("check", YIN_YANG, "--backend", "numba")["backends"]["numba"]["possible"] is True


def test_check_ends_with_3_where_a_backend_is_not_there(command):
    status, out, _ = command("check", TWO, "--backend", "nmba")
    assert status == 3
    assert "did you mean 'numba'?" in out


def test_an_override_changes_the_hash(answer):
    assert answer("check", TWO)["digest"] != answer("check", TWO, "simulation.duration=25 ms")["digest"]


def test_a_wrong_override_ends_with_2_and_a_message(command):
    status, out, err = command("check", TWO, "simulation.duraton=25 ms")
    assert (status, out) == (2, "")
    assert "did you mean 'duration'" in err


def test_every_fault_of_a_file_is_told_at_once_as_json(answer):
    errors = answer("check", TWO, "simulation.duration=30", "populations.input.size=0", status=2)["errors"]
    assert len(errors) >= 2
    assert all(set(item) == {"code", "path", "file", "line", "column", "message"} for item in errors)


def test_show_prints_a_file_that_means_the_same(command, answer, tmp_path):
    status, text, _ = command("show", TWO, "--resolved")
    (tmp_path / "again.yaml").write_text(text, encoding="utf-8")
    assert status == 0
    assert answer("check", tmp_path / "again.yaml")["digest"] == answer("check", TWO)["digest"]


def test_show_tells_every_default_and_the_hash(command, answer):
    status, text, _ = command("show", TWO)
    assert status == 0
    assert "tau_refrac 0 ms" in text
    assert answer("check", TWO)["digest"] in text


def test_show_prints_the_graph_after_a_pass(command):
    status, text, _ = command("show", TWO, "--after", "build")
    assert status == 0
    assert "projection input_to_output: input -> output" in text


def test_run_prints_one_list_of_spikes_per_neuron(answer):
    found = answer("run", TWO)
    assert found["spikes"]["input"] == [[1.0, 6.0], [4.0]]
    assert [len(neuron) for neuron in found["spikes"]["output"]] == [1, 1]


def test_run_prints_recordings_at_their_interval(answer):
    found = answer("run", TWO)["recordings"]["output.v"]
    assert len(found["times"]) == len(found["values"][0]) == 301
    assert len(found["values"]) == 2


def test_run_with_data_prints_a_list_per_sample(answer):
    found = answer("run", YIN_YANG, *SMALL)
    assert found["samples"] == len(found["spikes"]["hidden"]) == 20
    assert len(found["spikes"]["hidden"][0]) == 20


def test_run_writes_spikes_in_the_layout_of_sonata(command, tmp_path):
    status, _, err = command("run", TWO, "-o", tmp_path / "out.h5")
    assert status == 0
    assert "wrote" in err
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["spikes/input/timestamps"][()].tolist() == [1.0, 4.0, 6.0]
        assert file["spikes/input/node_ids"][()].tolist() == [0, 1, 0]
        assert "two-neurons" in file["provenance/resolved"].asstr()[()]


def test_gradient_prints_matrices_pre_by_post(answer):
    found = answer("gradient", TWO)
    assert np.shape(found["gradients"]["input_to_output"]["weight"]) == (2, 2)
    assert np.shape(found["gradients"]["input_to_output"]["delay"]) == (2, 2)
    assert [len(neuron) for neuron in found["input_gradients"]["input"]] == [2, 1]


def test_gradient_prints_the_adjoints_that_the_file_records(answer):
    found = answer("gradient", TWO, "record={output: [{lam_v: {every: 10 ms}}, {v: {every: 10 ms}}]}")
    assert set(found["recordings"]) == {"output.v", "output.lam_v"}
    adjoint = found["recordings"]["output.lam_v"]
    assert adjoint["times"] == [0.0, 10.0, 20.0, 30.0]
    assert np.any(np.array(adjoint["values"]) != 0.0)
    assert [neuron[-1] for neuron in adjoint["values"]] == [0.0, 0.0]


def test_a_missing_synapse_has_null_in_place_of_a_gradient(answer):
    found = answer(
        "gradient",
        TWO,
        "projections.input_to_output.connector=one_to_one",
        "projections.input_to_output.weight={init: 4.0, train: true}",
        "projections.input_to_output.delay=1 ms",
    )
    assert found["gradients"]["input_to_output"]["weight"][0][1] is None
    assert "delay" not in found["gradients"]["input_to_output"]


def test_the_gradient_is_that_of_the_loss_that_is_printed(answer):
    def loss(weight):
        values = f"projections.input_to_output.weight.init=[[{weight!r}, 2.6], [2.0, 3.1]]"
        return answer("gradient", TWO, values)["loss"]

    exact = answer("gradient", TWO)["gradients"]["input_to_output"]["weight"][0][0]
    assert (loss(2.4 + 1e-5) - loss(2.4 - 1e-5)) / 2e-5 == pytest.approx(exact, rel=1e-6)


def test_gradcheck_passes_on_the_example(answer):
    found = answer("gradcheck", TWO)
    assert found["passed"] is True
    assert found["checked"] == 11


def test_gradcheck_fails_where_the_tolerance_is_out_of_reach(answer):
    assert answer("gradcheck", TWO, "--tolerance", "1e-30", status=1)["passed"] is False


def test_training_can_be_evaluated_and_run(answer, command, tmp_path):
    run = tmp_path / "run"
    trained = answer("train", YIN_YANG, *SMALL, "-o", run)
    assert trained["epochs"] == 2
    measured = answer("evaluate", YIN_YANG, *SMALL, "expect.test_accuracy.min=0", "--weights", run)
    assert measured["loss"] == trained["test"]["loss"]
    status, _, _ = command("run", YIN_YANG, *SMALL, "--weights", run, "--plot", tmp_path / "raster.png")
    assert status == 0
    assert (tmp_path / "raster.png").stat().st_size > 1000


def test_a_training_is_not_overwritten(command, tmp_path):
    assert command("train", YIN_YANG, *SMALL, "-o", tmp_path / "run")[0] == 0
    status, _, err = command("train", YIN_YANG, *SMALL, "-o", tmp_path / "run")
    assert status == 2
    assert "already holds a run" in err
    assert command("train", YIN_YANG, *SMALL, "training.epochs=3", "-o", tmp_path / "run", "--resume")[0] == 0


def test_evaluate_ends_with_1_where_an_expectation_is_missed(answer, tmp_path):
    answer("train", YIN_YANG, *SMALL, "training.epochs=1", "-o", tmp_path / "run")
    found = answer(
        "evaluate",
        YIN_YANG,
        *SMALL,
        "training.epochs=1",
        "expect.test_accuracy.min=1.0",
        "training.optimizer.adam.learning_rate=1e-9",
        "--weights",
        tmp_path / "run",
        status=1,
    )
    assert found["expectations"][0]["met"] is False


def test_new_writes_a_file_that_passes_check(command, tmp_path):
    target = tmp_path / "model.yaml"
    assert command("new", "yin-yang", target)[0] == 0
    assert command("check", target)[0] == 0


def test_new_leaves_a_file_that_exists_as_it_is(command, tmp_path):
    target = tmp_path / "model.yaml"
    target.write_text("mine", encoding="utf-8")
    status, _, err = command("new", "yin-yang", target)
    assert (status, target.read_text(encoding="utf-8")) == (2, "mine")
    assert "already exists" in err


def test_new_guesses_what_template_was_meant(command):
    status, _, err = command("new", "ying-yang")
    assert status == 2
    assert "did you mean 'yin-yang'?" in err


def test_schema_is_the_schema_of_the_language(answer):
    assert answer("schema")["properties"]["populations"]


def test_backends_lists_what_numba_can_train(answer):
    assert answer("backends")["numba"]["trainable"] == ["delay", "weight"]


def test_what_there_is_one_of_is_in_the_singular(command, tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(
        """
netdesc: 1
simulation: {duration: 10 ms, seed: 1}
populations:
  a: {size: 1, source: {spike_times: {times: [[1 ms]]}}}
  b: {size: 1, neuron: {LI: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  p: {pre: a, post: b, weight: 1}
""",
        encoding="utf-8",
    )
    assert "2 neurons in 2 populations, 1 synapse in 1 projection\n" in command("check", path)[1]
