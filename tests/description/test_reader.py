"""The strict reader."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.description.reading import reader
from netdesc.description.reading.reader import MOST_VALUES, read
from netdesc.description.reading.tree import Node, plain
from netdesc.description.reading.written import _flow
from netdesc.errors import DescriptionError


def data(text: str) -> Any:
    root = read(text, "f.yaml")
    return None if root is None else plain(root)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("0o17", 15),
        ("0x1f", 31),
        ("017", 17),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2001-01-01", "2001-01-01"),
        ("'1'", "1"),
        ('"true"', "true"),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.inf", float("-inf")),
        ("+12", 12),
        ("-0", 0),
        ("1.2.3", "1.2.3"),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = data(f"[{text}]")[0]
    assert (found, type(found)) == (value, type(value))


def test_nan_is_read_as_a_number_so_that_it_can_be_refused_by_name() -> None:
    assert data("[.nan]")[0] != data("[.nan]")[0]


def test_every_value_and_key_knows_its_place() -> None:
    root = read("a:\n  b: [1, x]\n", "f.yaml")
    assert root is not None
    inner = root.mapping["a"]
    assert str(inner.key_place("b")) == "f.yaml:2:3"
    assert [str(item.place) for item in inner.mapping["b"].items] == ["f.yaml:2:7", "f.yaml:2:10"]


def test_both_loaders_of_pyyaml_give_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x {b: [1, 'two', 3.0]}\nc: *x\nd: |\n  text\n"
    fast = read(text, "f")
    monkeypatch.setattr(reader, "_LOADER", __import__("yaml").SafeLoader)
    assert read(text, "f") == fast


def test_a_number_of_thousands_of_digits_is_no_crash() -> None:
    assert data("[" + "9" * 6000 + "]") == [float("inf")]


def test_an_alias_repeats_its_value() -> None:
    assert data("a: &x [1, 2]\nb: *x\n") == {"a": [1, 2], "b": [1, 2]}


def test_all_faults_of_the_form_are_told_at_once() -> None:
    with pytest.raises(DescriptionError) as caught:
        read("a: 1\na: 2\nb: !x 3\nb: 4\n", "f")
    assert len(caught.value.diagnostics) == 3


def test_very_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_VALUES", 100)
    with pytest.raises(DescriptionError, match="more than 100 values"):
        read(f"[{', '.join('1' * 101)}]", "f")
    assert MOST_VALUES > 10**6


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn"]), max_size=20)
trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(trees)
def test_what_is_written_reads_back(tree: Any) -> None:
    assert data(f"- {_flow(tree)}\n") == [tree]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_without_a_crash(text: str) -> None:
    with contextlib.suppress(DescriptionError):
        assert isinstance(read(text, "f"), Node | None)
