import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.cli.output import emit, table
from netdesc.plain import plain


def test_a_number_that_is_not_finite_becomes_null():
    assert plain({"a": [float("nan"), np.inf, -np.inf, 1.5]}) == {"a": [None, None, None, 1.5]}


def test_arrays_become_nested_lists():
    assert plain(np.array([[1.0, np.nan], [0.0, 2.0]])) == [[1.0, None], [0.0, 2.0]]


def test_what_json_cannot_say_is_refused():
    with pytest.raises(TypeError, match="object"):
        plain(object())


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_digit_of_a_number_survives(value):
    assert json.loads(json.dumps(plain(np.float64(value)))) == value


def test_one_object_is_one_line(capsys):
    emit({"text": "two\nlines"})
    assert capsys.readouterr().out == '{"text": "two\\nlines"}\n'


def test_columns_of_a_table_are_aligned():
    assert table(("a", "b"), [("long", "1"), ("x", "22")]) == "a     b\nlong  1\nx     22"
