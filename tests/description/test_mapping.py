"""Nested mappings from Python say the same as files."""

import copy
from pathlib import Path

import numpy as np
import pytest

import netdesc
from netdesc.description import describe_mapping, describe_text
from netdesc.description.reading.reader import read
from netdesc.description.reading.tree import plain
from netdesc.errors import DescriptionError

EXAMPLES = Path(__file__).parents[2] / "examples"

TEXT = """
netdesc: 1
name: small
simulation: {duration: 40 ms, seed: 3}
populations:
  x: {size: 2, source: {spike_times: {times: [[1 ms, 4 ms], [2.5 ms]]}}}
  a: {size: 3, neuron: {IF_curr_exp: {}}}
projections:
  p:
    pre: x
    post: a
    weight: {init: [[0.25 nA, 0.5 nA, null], [1 nA, 0.125 nA, 2 nA]], train: true}
    delay: [[1 ms, 2 ms, null], [1 ms, 3 ms, 0.5 ms]]
"""

WEIGHTS = np.array([[0.25, 0.5, np.nan], [1.0, 0.125, 2.0]])
DELAYS = np.array([[1.0, 2.0, np.nan], [1.0, 3.0, 0.5]])


def small():
    return {
        "netdesc": 1,
        "name": "small",
        "simulation": {"duration": "40 ms", "seed": np.int64(3)},
        "populations": {
            "x": {"size": 2, "source": {"spike_times": {"times": [np.array([1.0, 4.0]), ("2.5 ms",)]}}},
            "a": {"size": (3,), "neuron": {"IF_curr_exp": {}}},
        },
        "projections": {
            "p": {"pre": "x", "post": "a", "weight": {"init": WEIGHTS, "train": np.True_}, "delay": DELAYS},
        },
    }


def faults(data, overrides=()):
    with pytest.raises(DescriptionError) as caught:
        describe_mapping(data, overrides)
    return [str(item) for item in caught.value.diagnostics]


def test_a_mapping_with_arrays_says_the_same_as_a_file_with_lists():
    found, expected = describe_mapping(small()), describe_text(TEXT)
    assert found.resolved == expected.resolved
    assert found.digest == expected.digest


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_can_be_read_as_a_mapping(path, monkeypatch):
    monkeypatch.chdir(EXAMPLES)
    data = plain(read(path.read_text(encoding="utf-8"), path.name))
    assert describe_mapping(data, {"name": "m"}).digest == netdesc.load(path, {"name": "m"}).digest


def test_the_arrays_of_the_caller_stay_his_own():
    weights = np.ones((2, 3))
    data = small()
    data["projections"]["p"]["weight"] = weights
    described = describe_mapping(data)
    weights[:] = 7.0
    assert np.all(described.projections["p"].weight.init.values == 1.0)


def test_an_override_may_be_an_array():
    described = describe_text(TEXT, overrides={"projections.p.weight.init": 2.0 * WEIGHTS})
    assert described.projections["p"].weight.init.values[1, 2] == 4.0


def test_faults_of_a_mapping_name_the_dotted_path_and_no_line():
    data = small()
    data["simulation"]["duration"] = 40
    data["populations"]["a"]["sise"] = 3
    data["projections"]["p"]["weight"]["init"] = np.ones((2, 2))
    found = faults(data)
    assert [item.partition(":")[0] for item in found] == [
        "simulation.duration",
        "populations.a.sise",
        "projections.p.weight.init",
    ]
    assert "expected 2 x 3 values, pre by post (x by a), got 2 x 2" in found[2]


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"weight": np.full((2, 3), np.inf)}, "weight", "expected finite numbers, got an infinite number"),
        ({"weight": np.empty((0, 3))}, "weight", "expected finite numbers, got an array without values"),
        (
            {"weight": np.ones((2, 3), dtype=complex)},
            "weight",
            "expected an array of numbers, got one of complex128",
        ),
        ({"weight": np.ones((1, 2, 3))}, "weight", "expected an array of one or two axes, got 3"),
        (
            {"weight": {"init": object()}},
            "weight.init",
            "expected a mapping, list, text, number or array, got object",
        ),
        ({3: "x"}, "3", "expected a text as key, got int"),
        ({"pre": np.array([1.0])}, "pre", "expected a text"),
        (
            {"connector": {"array": {"values": np.ones(3)}}},
            "connector.array.values",
            "expected two axes, pre by post, got 1",
        ),
    ],
    ids=lambda item: item if isinstance(item, str) else None,
)
def test_what_has_no_form_in_the_language_is_named(change, path, message):
    data = copy.deepcopy(small())
    data["projections"]["p"] |= change
    assert any(item.startswith(f"projections.p.{path}: {message}") for item in faults(data))


def test_a_mapping_that_contains_itself_is_refused():
    data = small()
    data["populations"]["a"]["neuron"] = data
    assert "nested deeper than 40 levels" in faults(data)[0]


def test_an_array_of_truth_values_is_a_connector():
    data = small()
    marks = np.array([[True, False, True], [False, True, True]])
    data["projections"]["p"] |= {"connector": {"array": {"values": marks}}, "weight": "1 nA", "delay": "1 ms"}
    block = netdesc.compile(netdesc.load(data)).program.blocks[0]
    assert np.array_equal(np.isfinite(block.matrix(block.weights)), marks)


def test_errors_of_later_steps_name_the_path_alone():
    data = small()
    data["projections"]["p"] |= {"connector": "one_to_one", "weight": "1 nA", "delay": "1 ms"}
    assert faults(data)[0].startswith("projections.p.connector: one_to_one needs populations of equal size")
    assert describe_mapping(small()).locations == {}


def test_a_mapping_without_name_is_called_model():
    data = small()
    del data["name"]
    assert netdesc.load(data).description.name == "model"
