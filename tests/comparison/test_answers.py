"""Paired tests of accuracies, confusion matrices, and former names of keys."""

import numpy as np
import pytest

from netdesc.comparison import Predictions, with_former_keys
from netdesc.comparison.predictions import binomial_test, compare_predictions, join


def answers(labels, predictions):
    labels, predictions = np.array(labels), np.array(predictions)
    return Predictions(labels, predictions, labels == predictions)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (1, 9, 22 / 1024),
        (9, 1, 22 / 1024),
        (0, 1, 1.0),
        (8, 12, 0.503444671630859),
    ],
)
def test_the_exact_test_gives_binomial_tails(one, two, expected):
    assert binomial_test(one, two) == pytest.approx(expected, rel=1e-12)


def test_the_exact_test_holds_for_many_samples():
    assert binomial_test(0, 3000) == 0.0
    assert binomial_test(2500, 2500) == 1.0


def test_only_samples_that_one_of_both_gets_right_count():
    found = compare_predictions(answers([0, 1, 1, 0], [0, 1, 0, 1]), answers([0, 1, 1, 0], [1, 1, 1, 1]))
    assert found == (4, 1, 1, 2, 1.0)
    assert not found.significant


def test_other_samples_cannot_be_paired():
    assert compare_predictions(answers([0, 1], [0, 1]), answers([1, 0], [0, 1])) is None


def test_a_confusion_matrix_counts_labels_by_predictions_and_silence():
    found = answers([0, 0, 1, 2, 2], [0, 1, 1, -1, 0]).confusion()
    assert found.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1]]


def test_batches_are_joined_unless_one_has_no_labels():
    assert join([answers([0], [0]), answers([1], [0])]).correct.tolist() == [True, False]
    assert join([answers([0], [0]), None]) is None
    assert join([]) is None


def test_former_keys_are_kept_beside_the_new_ones():
    data = {
        "trained_separately": False,
        "overview": {"a": {"largest_source": "noise"}},
        "agreements": {
            "a": {
                "gradients": {"w": {"norm_ratio": 2.0, "norm_ratios": [2.0]}},
                "spikes": {"p": {"type": "spiking"}},
            }
        },
        "attributions": {"a": {"effects": [{"source_of_deviation": "noise", "norm_ratio": 1.5}]}},
    }
    found = with_former_keys(data)
    assert found["trained_apart"] is False
    assert found["overview"]["a"]["cause"] == "noise"
    assert found["agreements"]["a"]["gradients"]["w"] == {
        "norm_ratio": 2.0,
        "norm_ratios": [2.0],
        "ratio": 2.0,
        "ratios": [2.0],
    }
    assert found["agreements"]["a"]["spikes"]["p"]["kind"] == "spiking"
    assert found["attributions"]["a"]["effects"][0]["cause"] == "noise"
    assert found["attributions"]["a"]["effects"][0]["length"] == 1.5
    assert data["overview"]["a"] == {"largest_source": "noise"}
