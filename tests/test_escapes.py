import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.escapes import LONGEST_NAME, neutral_cell, safe_name, visible, visible_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\tc", "a\\rb\\tc"),
        ("\x07", "\\x07"),
        ("a\u202eb", "a\\u202eb"),
        ("\udcff", "\\xff"),
        ("caf\u00e9 \u65e5\u672c\n", "caf\u00e9 \u65e5\u672c\n"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert visible(text) == shown


def test_one_line_stays_one_line():
    assert visible("a\nb", one_line=True) == "a\\nb"


@given(st.text())
def test_json_without_control_characters_has_the_same_value(text):
    safe = visible_json(json.dumps({text: text}, ensure_ascii=False))
    assert json.loads(safe) == {text: text}
    assert visible(safe) == safe


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_text_is_no_formula(text):
    assert neutral_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1.5, 3, None, "plain", ""])
def test_numbers_and_plain_text_stay(value):
    assert neutral_cell(value) == value


@pytest.mark.parametrize("name", ["yin_yang", "my model", "v1.2", "Bl\u00fcte", "a" * LONGEST_NAME])
def test_a_plain_name_stays(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/passwd",
        "..",
        ".",
        "",
        " ",
        "a/b",
        "a\\b",
        "a\0b",
        "\x1b[31m",
        "x" * 5000,
        ".hidden",
        "\ud800",
        "C:evil",
    ],
)
def test_any_name_is_below_its_folder(name):
    made = safe_name(name)
    assert Path("runs", made).parent == Path("runs")
    assert made not in ("", ".", "..")
    assert len(made.encode()) <= 100
    assert visible(made, one_line=True) == made


def test_names_that_differ_stay_apart():
    assert len({safe_name(name) for name in ("a/b", "a:b", "a_b", "a\\b", "", ".", "..")}) == 7


@given(st.text())
def test_a_safe_name_is_safe(text):
    made = safe_name(text)
    assert Path("runs", made).resolve().parent == Path("runs").resolve()
    assert safe_name(made) == made
