"""The schema as the library reads it is what is accepted: nothing more, nothing less."""

import re

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc import units
from netdesc.description import describe_mapping, describe_text, schema
from netdesc.description.reading.reader import read
from netdesc.description.reading.tree import plain
from netdesc.errors import DescriptionError

BASE = """
netdesc: 1
parameters: {n: 3}
simulation: {duration: 10 ms, seed: 1}
data: {dataset: {table: {file: no.csv, label: kind}}, encoder: {latency: {t_late: 5 ms}}}
populations:
  a: {size: 3, source: {spike_times: {times: [[1 ms], [], [2 ms]]}}}
  b: {size: [1, 3], neuron: {IF_curr_exp: {tau_m: {normal: {mu: 10 ms, sigma: 1 ms}}}}}
projections:
  p:
    {pre: a, post: b, connector: {list: {pairs: [[0, 1], [1, 2]]}},
     weight: {init: 1 nA, train: true, max: 2 nA}}
losses: {l: {spike_time_mse: {population: b, target: [1 ms, null, 2 ms]}}}
training: {epochs: 2, optimizer: {adam: {beta_1: 0.5}}, schedule: cosine}
record: {b: [{v: {neurons: 0:2}}]}
backends:
  numba: {solver: {grid: {timestep: 0.1 ms}}}
  spinnaker2: {weight_bits: 4, dead_cores: {"0,0": [1]}, rates: {b: 5 Hz}}
  brainscales2: {adjoint: "true", rows: {p: 1}, dead_circuits: [3]}
expect: {b: {rate: {between: [1 Hz, 5 Hz]}}}
"""

SCALARS = [
    None,
    True,
    -1,
    0,
    4,
    2.5,
    "x",
    "5",
    "1 ms",
    "-1 ms",
    "0 ms",
    "2 nA",
    "5 Hzz",
    [],
    [1],
    {},
    {"x": 1},
]
LIBRARY = re.compile(
    r"is not of type|does not match|is not valid under|required property|unexpected\)|is too|\bany of"
)


def leaves(data, where=()):
    """Yield the path of everything within nested data."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, item in items:
        yield (*where, key)
        yield from leaves(item, (*where, key))


def tree():
    root = read(BASE, "f")
    assert root is not None
    return plain(root)


WHERE = [where for where in leaves(tree()) if where[0] not in ("parameters", "data")]


def changed(data, where, value):
    if not where:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[where[0]] = changed(data[where[0]], where[1:], value)
    return copy


@given(where=st.sampled_from(WHERE), value=st.sampled_from(SCALARS))
def test_what_an_editor_underlines_is_refused_in_our_own_words(where, value):
    data = changed(tree(), where, value)
    refused = [*jsonschema.Draft7Validator(schema()).iter_errors(data)]
    try:
        describe_mapping(data)
        found = ""
    except DescriptionError as error:
        found = str(error)
    path = ".".join(map(str, where))
    if refused:
        assert path in found or ".".join(map(str, where[:-1])) in found, (refused, found)
    assert not LIBRARY.search(found)


def test_the_file_of_these_tests_fits_the_schema():
    jsonschema.Draft7Validator(schema()).validate(tree())


@pytest.mark.parametrize("unit", [unit for unit in units.DIMENSIONS if unit])
@given(
    text=st.from_regex(
        r"\s?[-+]?[0-9]{1,2}\.?[0-9]?(e-?[0-9])? ?(1/)?[munkMµμ]?[sVASFHOB]?(hm|z)?(/m?s)?\s?", fullmatch=True
    )
)
def test_the_pattern_of_a_quantity_matches_what_is_read_as_one(unit, text):
    try:
        units.convert(text, unit, "x")
        read_as_one = True
    except DescriptionError:
        read_as_one = False
    pattern = re.sub(r"(?<!\\)\$", r"\\Z", units.pattern(unit))
    assert (re.search(pattern, text) is not None) == read_as_one


def test_every_pattern_of_a_quantity_in_the_schema_is_that_of_its_unit():
    found = []

    def visit(part):
        if isinstance(part, dict):
            if "x-unit" in part and "pattern" in part:
                found.append((part["pattern"], units.pattern(part["x-unit"])))
            for item in part.values():
                visit(item)
        elif isinstance(part, list):
            for item in part:
                visit(item)

    visit(schema())
    assert len(found) > 40
    assert all(written == wanted for written, wanted in found)


TIMES = """
netdesc: 1
simulation: {{duration: 10 ms}}
populations:
  a: {{size: 1, source: {{spike_times: {{times: [[{}]]}}}}}}
"""


@pytest.mark.parametrize("kind", ["times", "pairs", "circuits"])
def test_the_library_sees_only_those_items_of_a_long_list_that_may_be_wrong(kind, monkeypatch):
    from netdesc.description.schema import validation

    calls = []
    validator = validation._whole()
    original = type(validator).descend

    def counted(self, *arguments, **options):
        calls.append(1)
        return original(self, *arguments, **options)

    monkeypatch.setattr(type(validator), "descend", counted)
    count = 20_000
    wrong = {"times": "7", "pairs": "[0, x]", "circuits": "-1"}[kind]
    right = {"times": "1.5 ms", "pairs": "[0, 0]", "circuits": "3"}[kind]
    items = ", ".join([*[right] * count, wrong])
    text = TIMES.format("1 ms")
    if kind == "times":
        text = TIMES.format(items)
    elif kind == "pairs":
        connector = "{list: {pairs: [" + items + "]}}"
        text += "  b: {size: 1, neuron: LIF}\nprojections:\n"
        text += f"  p: {{pre: a, post: b, weight: 1, connector: {connector}}}\n"
    else:
        text += "backends: {brainscales2: {dead_circuits: [" + items + "]}}\n"
    with pytest.raises(DescriptionError) as caught:
        describe_text(text)
    assert len(caught.value.diagnostics) == 1
    assert str(count) in str(caught.value)
    assert 0 < len(calls) < 200


def test_arrays_of_python_are_in_base_units_and_checked_like_lists():
    data = tree()
    data["populations"]["a"]["source"] = {"spike_times": {"times": np.array([[1.0, 2.0]] * 3)}}
    data["populations"]["b"]["size"] = np.array([1, 3])
    model = describe_mapping(data)
    assert model.populations["a"].source.options["times"] == ((1.0, 2.0),) * 3
    assert model.populations["b"].shape == (1, 3)
    data["populations"]["a"]["source"] = {"spike_times": {"times": np.array([[1.0, -2.0]] * 3)}}
    data["populations"]["b"]["size"] = np.array([1.5, 3])
    with pytest.raises(DescriptionError) as caught:
        describe_mapping(data)
    assert "times.0.1: -2 ms is out of range; times must be at least 0" in str(caught.value)
    assert "populations.b.size.0: expected a whole number, got 1.5" in str(caught.value)


def test_expressions_are_evaluated_before_the_schema_is_applied():
    model = describe_text(BASE.replace("epochs: 2", 'epochs: "${n * 2}"').replace("seed: 1", 'seed: "${n}"'))
    assert (model.training.epochs, model.simulation.seed) == (6, 3)
    with pytest.raises(DescriptionError, match="epochs: -3 is out of range; epochs must be at least 1"):
        describe_text(BASE.replace("epochs: 2", 'epochs: "${-n}"'))


@pytest.mark.parametrize("count", [1, 100_000])
def test_one_wrong_number_of_a_long_array_is_found(count):
    times = np.full((1, count), 2.0)
    data = tree()
    data["populations"]["a"] = {"size": 1, "source": {"spike_times": {"times": times}}}
    data["projections"]["p"] |= {"connector": "all_to_all"}
    times[0, count // 2] = -2.0
    with pytest.raises(DescriptionError) as caught:
        describe_mapping(data)
    path = f"populations.a.source.spike_times.times.0.{count // 2}"
    assert str(caught.value) == f"{path}: -2 ms is out of range; times must be at least 0"


def test_an_array_of_wrong_numbers_ends_after_the_first_faults():
    data = tree()
    data["populations"]["a"] = {
        "size": 1,
        "source": {"spike_times": {"times": np.full((1, 200_000), np.nan)}},
    }
    with pytest.raises(DescriptionError, match="more than 500 errors"):
        describe_mapping(data)
