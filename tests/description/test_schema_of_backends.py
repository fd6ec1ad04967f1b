"""What backends declare as options is what the schema says of them."""

import json
import runpy
from importlib import import_module
from pathlib import Path

import pytest

from netdesc.border.schema import complete_schema, list_options
from netdesc.capabilities import default_text
from netdesc.description import schema
from netdesc.description.load import describe_text
from netdesc.registry import backend_class

FILE = Path(__file__).parents[2] / "schemas" / "netdesc-1.schema.json"
SECTIONS = schema()["properties"]["backends"]["properties"]
BASE = """
netdesc: 1
simulation: {duration: 10 ms}
populations:
  a: {size: 1, neuron: LIF}
"""


def test_the_schema_in_the_repository_is_up_to_date():
    """If this fails, run `make schema`."""
    assert (
        FILE.read_text(encoding="utf-8") == json.dumps(complete_schema(), indent=1, ensure_ascii=False) + "\n"
    )


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_without_options_is_that_of_the_defaults(name):
    described = describe_text(f"{BASE}backends: {{{name}: {{}}}}").backends[name]
    settings = import_module(f"netdesc_{name}.options").Options
    assert settings.read(described) == settings.read({})


@pytest.mark.parametrize("name", SECTIONS)
def test_options_are_read_alike_from_a_file_and_from_python(name):
    for item in list_options(name):
        if item.default is not None and not isinstance(item.default, dict | list):
            text = json.dumps(item.default)
            described = describe_text(f"{BASE}backends: {{{name}: {{{item.name}: {text}}}}}").backends[name]
            settings = import_module(f"netdesc_{name}.options").Options
            assert settings.read(described) == settings.read({item.name: item.default})


@pytest.mark.parametrize("name", SECTIONS)
def test_every_declared_option_says_what_it_sets(name):
    options = list_options(name)
    assert len({item.name for item in options}) == len(options)
    assert all(len(item.about) > 10 for item in options)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_of_a_backend_gets_a_table_of_all_its_options(name):
    generator = runpy.run_path(str(FILE.parents[1] / "docs" / "generator" / "capabilities.py"))
    table = generator["write_capabilities"](name).partition("## Capabilities")[0]
    for item in list_options(name):
        assert f"| `{item.name}` | `{default_text(item)}` | {item.description} |" in table
    page = (FILE.parents[1] / "docs" / f"{name}_backend.md").read_text(encoding="utf-8")
    assert "## Options" in page
    assert "#table-of-options" in page


@pytest.mark.parametrize(("name", "key"), [("brainscales2", "profile_numbers"), ("spinnaker2", "profile")])
def test_the_numbers_of_a_machine_come_with_value_unit_and_source(name, key):
    parts = SECTIONS[name]["properties"][key]["properties"]
    numbers = backend_class(name)({}).limits.numbers
    assert set(numbers) <= set(parts)
    for number, item in numbers.items():
        text = parts[number]["description"]
        assert f"{item.value:.12g}" in text
        assert (item.unit or "number without unit") in text
        assert item.source in text


@pytest.mark.parametrize("written", ["true", '"true"'])
def test_a_word_that_yaml_takes_for_a_truth_value_may_be_bare(written):
    model = describe_text(f"{BASE}backends: {{brainscales2: {{adjoint: {written}}}}}")
    assert model.backends["brainscales2"]["adjoint"] == "true"
