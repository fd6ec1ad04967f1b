import subprocess
import sys

import numpy as np
import pytest

from netdesc.streams import stream


def draws(seed, path):
    return stream(seed, path).integers(0, 2**63, 4).tolist()


def test_a_stream_is_the_same_whenever_it_is_asked_for():
    assert draws(42, "projections.first.weight") == draws(42, "projections.first.weight")


def test_a_stream_is_the_same_in_another_process():
    code = "from netdesc.streams import stream; print(stream(7, 'a.b').integers(0, 2**63, 4).tolist())"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert found == str(draws(7, "a.b"))


@pytest.mark.parametrize(
    ("seed", "path"), [(43, "a"), (42, "b"), (42, "A"), (42, "a "), (4, "2\na"), (42, "")]
)
def test_another_seed_or_path_is_another_stream(seed, path):
    assert draws(seed, path) != draws(42, "a")


def test_streams_of_different_objects_are_not_correlated():
    rows = np.array([stream(1, f"object {k}").normal(size=2000) for k in range(20)])
    correlations = np.corrcoef(rows) - np.eye(20)
    assert np.abs(correlations).max() < 5 / np.sqrt(2000)


def test_a_seed_may_be_negative_or_large():
    assert draws(-1, "a") != draws(1, "a") != draws(2**70, "a")
