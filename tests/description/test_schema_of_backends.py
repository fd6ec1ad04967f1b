"""The schema knows what the backends of this repository take as options, no more and no less."""

import pytest
from netdesc_brainscales2 import profile as brainscales2
from netdesc_brainscales2.options import CHOICES, Options
from netdesc_spinnaker2 import profile as spinnaker2

from netdesc.description import schema
from netdesc.description.load import describe_text

SECTIONS = schema()["properties"]["backends"]["properties"]


def plain(part):
    """Return the defaults of a section, as a file without options would have them."""
    return {key: inner["default"] for key, inner in part["properties"].items() if "default" in inner}


def test_the_options_of_brainscales2_are_those_that_its_reader_names():
    with pytest.raises(Exception, match="is not an option") as caught:
        Options.read({"no such option": 1})
    known = str(caught.value).partition("It has ")[2].split(", ")
    assert list(SECTIONS["brainscales2"]["properties"]) == known


def test_the_defaults_of_brainscales2_are_those_of_its_reader():
    assert Options.read(plain(SECTIONS["brainscales2"])) == Options.read({})


@pytest.mark.parametrize("name", CHOICES)
def test_the_words_of_brainscales2_are_those_of_its_reader(name):
    part = SECTIONS["brainscales2"]["properties"][name]
    assert tuple(word for word in part["enum"] if word is not True) == CHOICES[name]
    assert part["default"] == CHOICES[name][0]


@pytest.mark.parametrize(
    ("parts", "numbers"),
    [
        (
            SECTIONS["brainscales2"]["properties"]["profile_numbers"]["properties"],
            brainscales2.Profile.read("calibrated").numbers(),
        ),
        (
            SECTIONS["spinnaker2"]["properties"]["profile"]["properties"],
            spinnaker2.Profile.read({}).numbers(),
        ),
    ],
    ids=["brainscales2", "spinnaker2"],
)
def test_the_numbers_of_a_machine_are_told_with_value_unit_and_source(parts, numbers):
    assert list(parts) == list(numbers)
    for name, item in numbers.items():
        told = parts[name]["description"]
        assert f"{item.value:.12g}" in told
        assert (item.unit or "number without unit") in told
        assert item.source in told


@pytest.mark.parametrize("written", ["true", '"true"'])
def test_a_word_that_yaml_takes_for_a_truth_value_may_be_bare(written):
    model = describe_text(f"""
netdesc: 1
simulation: {{duration: 10 ms}}
populations:
  a: {{size: 1, neuron: LIF}}
backends: {{brainscales2: {{adjoint: {written}}}}}
""")
    assert model.backends["brainscales2"]["adjoint"] == "true"
