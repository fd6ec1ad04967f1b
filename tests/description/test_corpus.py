"""Every file under tests/data is a case: a valid file is read, an invalid one gives exactly its message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from netdesc.description import describe, describe_text, dump, schema
from netdesc.description.reading.reader import read
from netdesc.description.reading.tree import plain
from netdesc.errors import DescriptionError

DATA = Path(__file__).resolve().parent.parent / "data"
VALID = sorted((DATA / "valid").glob("*.yaml"))
INVALID = sorted((DATA / "invalid").glob("*.yaml"))


def name_of(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("file", INVALID, ids=name_of)
def test_a_wrong_file_gives_its_message(file: Path) -> None:
    with pytest.raises(DescriptionError) as caught:
        describe(file)
    found = str(caught.value).replace(str(file), file.name) + "\n"
    assert found == file.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", INVALID, ids=name_of)
def test_every_fault_has_a_place(file: Path) -> None:
    with pytest.raises(DescriptionError) as caught:
        describe(file)
    assert all(item.location and item.location.line >= 1 for item in caught.value.diagnostics)


@pytest.mark.parametrize("file", VALID, ids=name_of)
def test_a_resolved_file_is_valid_and_has_the_same_digest(file: Path) -> None:
    first = describe(file)
    second = describe_text(dump(first))
    assert (second.resolved, second.digest) == (first.resolved, first.digest)


@pytest.mark.parametrize("file", VALID, ids=name_of)
def test_a_resolved_file_reads_the_same_in_plain_yaml(file: Path) -> None:
    description = describe(file)

    def texts(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: texts(item) for key, item in data.items()}
        if isinstance(data, list):
            return [texts(item) for item in data]
        return data if isinstance(data, str) else json.dumps(data)

    assert yaml.load(dump(description), Loader=yaml.BaseLoader) == texts(description.resolved)


@pytest.mark.parametrize("file", VALID, ids=name_of)
def test_a_resolved_file_fits_the_schema(file: Path) -> None:
    jsonschema.Draft7Validator(schema()).validate(dict(describe(file).resolved))


@pytest.mark.parametrize("file", VALID, ids=name_of)
def test_a_written_file_fits_the_schema_as_an_editor_sees_it(file: Path) -> None:
    root = read(file.read_text(encoding="utf-8-sig"), file.name)
    assert root is not None
    jsonschema.Draft7Validator(schema()).validate(plain(root))


def test_the_schema_is_valid_draft_7() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


def test_every_field_of_the_schema_has_a_description() -> None:
    bare = []

    def visit(part: Any, path: str) -> None:
        for key, inner in part.get("properties", {}).items():
            if "description" not in inner and "$ref" not in inner:
                bare.append(f"{path}.{key}")
            visit(inner, f"{path}.{key}")
        for key in ("items", "additionalProperties"):
            if isinstance(part.get(key), dict):
                visit(part[key], f"{path}.{key}")

    visit(schema(), "")
    for name, part in schema()["definitions"].items():
        visit(part, name)
    assert bare == []


def test_no_mapping_of_the_schema_takes_unknown_keys_by_accident() -> None:
    loose = []

    def visit(part: Any, path: str) -> None:
        if "properties" in part and "additionalProperties" not in part:
            loose.append(path)
        for key, inner in part.get("properties", {}).items():
            visit(inner, f"{path}.{key}")

    visit(schema(), "")
    for name, part in schema()["definitions"].items():
        visit(part, name)
    assert loose == []
