"""Comparisons as a whole."""

import json

import numpy as np
import pytest

from netdesc.cli import main
from netdesc.comparison import Settings, arrange, compare, flatten
from netdesc.errors import BackendError, DescriptionError

GRID = "grid=numba:solver.grid.timestep=1 ms"


def test_a_model_agrees_with_itself(small):
    found = compare(small, ["numba", "again=numba"])
    assert found.verdicts["again"].level == "agrees"
    agreement = found.agreements["again"]
    assert all(
        item.matches.missing.sum() == item.matches.extra.sum() == 0 for item in agreement.spikes.values()
    )
    assert all(item.cosine == pytest.approx(1.0) for item in agreement.gradients.values())
    assert all(np.all(item == 0.0) for item in agreement.voltages.values())


def test_a_grid_is_the_largest_source_of_its_deviation(small):
    found = compare(small, ["numba", GRID])
    assert found.attributions["grid"].largest["spikes"] == "time grid"
    rest = found.attributions["grid"].effects[-1]
    assert rest.source == "unexplained residual"
    assert rest.spikes < 1e-6


def test_gradients_of_samples_add_up_to_that_of_the_batch(points):
    found = compare(points, ["numba"], settings=Settings(samples=6))
    outcome = found.outcomes["numba"]
    whole = outcome.compiled.backward(outcome.trace, outcome.evaluation.cotangent).parameters
    for key, values in outcome.gradient.items():
        assert np.allclose(values, whole[key], rtol=1e-9, atol=1e-12)


def test_a_backend_that_cannot_run_a_model_does_not_stop_the_others(door, small):
    found = compare(small, ["numba", "planted:fault=refuse", GRID])
    assert found.verdicts["planted:fault=refuse"].level == "cannot run it"
    assert "PL-ORDER" in found.verdicts["planted:fault=refuse"].findings[0]
    assert found.refusals["planted:fault=refuse"].diagnostics[0].location is not None
    assert "grid" in found.agreements
    assert "planted:fault=refuse" in arrange(found)["refusals"]


def test_a_reference_that_cannot_run_the_model_is_an_error(door, small):
    with pytest.raises(BackendError, match="out of order"):
        compare(small, ["numba", "bad=planted:fault=refuse"], reference="bad")


def test_a_backend_that_is_not_there_is_refused_alone(small):
    found = compare(small, ["numba", "abacus"])
    assert "no backend 'abacus'" in found.verdicts["abacus"].findings[0]


def test_nothing_to_compare_is_an_error(small):
    with pytest.raises(DescriptionError, match="expected at least one backend"):
        compare(small, [])


def test_the_reference_is_added_where_it_is_missing(small):
    found = compare(small, [GRID], reference="numba", settings=Settings(attribute=False))
    assert list(found.outcomes) == ["numba", "grid"]


def test_all_of_a_comparison_is_json(points):
    data = arrange(compare(points, ["numba", GRID], settings=Settings(samples=3, attribute=False)))
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["batch"] == {"split": "test", "samples": 3, "labels": data["batch"]["labels"]}
    paths = dict(flatten(data))
    assert paths["substrates/grid/metrics/samples"] == 6


def test_substrates_that_train_apart_have_curves(points, tmp_path):
    from netdesc.comparison import Weights

    found = compare(
        points,
        ["numba"],
        weights=Weights(train=True, output=tmp_path),
        settings=Settings(samples=2, attribute=False),
    )
    assert len(found.outcomes["numba"].curves["loss"]) == 1
    assert (tmp_path / "numba" / "weights.h5").is_file()


def test_substrates_that_train_apart_are_judged_by_what_they_reach(points):
    from netdesc.comparison import Weights

    found = compare(
        points, ["numba", "again=numba"], weights=Weights(train=True), settings=Settings(samples=2)
    )
    assert found.verdicts["again"].level == "agrees"
    assert not any("gradient of" in text for text in found.verdicts["again"].findings)
    assert any("trained separately" in text for text in found.verdicts["again"].findings)
    assert arrange(found)["trained_separately"] is True
    assert arrange(found)["overview"]["again"]["accuracy_test"]["p_value"] == 1.0


@pytest.mark.parametrize(
    ("wrong", "level"),
    [
        (0, "agrees"),
        (5, "agrees"),
        (9, "is close"),
        (60, "deviates"),
    ],
)
def test_accuracies_are_judged_by_the_paired_test(points, wrong, level):
    from dataclasses import replace

    from netdesc.comparison import Predictions
    from netdesc.comparison.verdict import grade_apart

    one = compare(points, ["numba"], settings=Settings(samples=2, attribute=False)).outcomes["numba"]

    def reached(mistakes):
        labels = np.zeros(500, dtype=np.int64)
        predictions = (np.arange(500) < mistakes).astype(np.int64)
        metrics = replace(one.metrics, accuracy=1.0 - mistakes / 500, samples=500)
        return replace(
            one, metrics=metrics, predictions=Predictions(labels, predictions, labels == predictions)
        )

    assert grade_apart(reached(0), reached(wrong)) == level


def test_weights_of_a_training_are_run_everywhere(points, tmp_path):
    import netdesc

    netdesc.train(points, output=tmp_path / "run")
    found = compare(points, ["numba", GRID], weights=tmp_path / "run", settings=Settings(samples=2))
    one, two = (found.outcomes[name].trace.effective_parameters["drive.weight"] for name in ("numba", "grid"))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, found.program.blocks[0].weights)


def test_voltages_are_compared_of_the_neurons_that_both_recorded():
    from netdesc.comparison.agreement import compare_voltages
    from netdesc.trace import Recording

    times = np.array([0.0, 1.0, 2.0])
    one = Recording(times, np.array([0, 2]), np.array([[[0.0, 1.0, 2.0], [3.0, 3.0, 3.0]]]))
    two = Recording(times[::2], np.array([1, 2, 0]), np.array([[[9.0, 9.0], [5.0, 5.0], [0.0, 2.0]]]))
    assert compare_voltages(one, two).tolist() == [[0.0, 2.0]]


def test_the_command_prints_verdicts_or_one_json_object(file, capsys):
    assert main(["compare", str(file), "--backends", f"numba,{GRID}", "--no-attribute"]) == 0
    assert "grid: deviates" in capsys.readouterr().out
    assert main(["compare", str(file), "--backends", f"numba,{GRID}", "--no-attribute", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reference"] == "numba"


def test_weights_cannot_be_given_and_trained(file, capsys):
    assert main(["compare", str(file), "--backends", "numba", "--train", "--weights", "runs/x"]) == 2
    assert "use either --weights or --train" in capsys.readouterr().err


def test_the_command_tells_what_it_is_doing(file, capsys):
    assert main(["compare", str(file), "--backends", f"numba,{GRID}", "--json"]) == 0
    told = capsys.readouterr()
    assert "numba: running" in told.err
    assert "grid: with and without time grid" in told.err
    assert json.loads(told.out)


def test_substrates_without_a_common_spike_match_nothing(door, small):
    data = arrange(compare(small, ["numba", "bad=planted:shift=15.0"], settings=Settings(attribute=False)))
    assert data["overview"]["bad"]["matched_fraction"] == 0.0
    assert data["overview"]["bad"]["unmatched_fraction"] == 1.0
