"""Arithmetic in ${...}."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.description import describe_text
from netdesc.description.reading.expressions import evaluate
from netdesc.description.reading.tree import grown, plain
from netdesc.errors import Diagnostic, Location

PLACE = Location("f", 1, 1)


def value_of(expression: str, **parameters: object) -> object:
    faults: list[Diagnostic] = []
    tree = plain(evaluate(grown({"x": expression, "parameters": parameters}, PLACE), faults))
    assert faults == [], faults
    assert isinstance(tree, dict)
    return tree["x"]


def fault_of(expression: str, **parameters: object) -> str:
    faults: list[Diagnostic] = []
    evaluate(grown({"x": expression, "parameters": parameters}, PLACE), faults)
    assert faults
    return faults[0].message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("${n}", 8),
        ("${0.5 * n}", 4),
        ("${n / 3 * 3 - n}", 0),
        ("${-n ** 2}", -64),
        ("${n // 3 + n % 3}", 4),
        ("${t + 5 ms}", "25 ms"),
        ("${t / 5 ms}", 4),
        ("${2 * t}", "40 ms"),
        ("${1 / t}", "50 Hz"),
        ("${0.2 nF / t}", "0.01 uS"),
        ("${10 mV / 5 nA}", "2 MOhm"),
        ("${max(t, 1 s)}", "1000 ms"),
        ("${sqrt(n + 1)}", 3),
        ("${abs(-t)}", "20 ms"),
        ("${n} ms", "8 ms"),
        ("a${n}b${word}", "a8bc"),
        ("${word}", "c"),
        ("${round(2.4)}", 2),
        ("${1e-3 * n}", 0.008),
    ],
)
def test_an_expression_has_its_value(expression: str, value: object) -> None:
    assert value_of(expression, n=8, t="20 ms", word="c") == value


@pytest.mark.parametrize(
    "expression",
    [
        "${}",
        "${n +}",
        "${n.real}",
        "${n[0]}",
        "${lambda: 1}",
        "${(1).__class__}",
        "${open('x')}",
        "${n if n else 1}",
        "${[n]}",
        "${f'{n}'}",
        "${n and n}",
        "${n < 3}",
        "${True}",
        "${n @ n}",
        "${9 ** 9 ** 9}",
        "${1e308 * 10}",
        "${sqrt(-1)}",
        "${(-1) ** 0.5}",
        "${t ** 0.5}",
        "${t * t}",
        "${max()}",
        "${max(n, t)}",
        "${exp(1000)}",
        "${n % 0}",
        "${sin(n)}",
        "${word + 1}",
        "${" + "(" * 300 + "1" + ")" * 300 + "}",
        "${'20 ms' * '5 nope'}",
    ],
)
def test_what_is_no_arithmetic_is_refused(expression: str) -> None:
    assert fault_of(expression, n=8, t="20 ms", word="c")


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 1000))
def test_arithmetic_is_python_s(a: int, b: int, c: int) -> None:
    assert value_of("${(a + b) * c - a / c}", a=a, b=b, c=c) == pytest.approx((a + b) * c - a / c, abs=1e-9)


@given(st.text(max_size=40))
def test_any_expression_is_evaluated_or_refused_without_a_crash(text: str) -> None:
    faults: list[Diagnostic] = []
    found = plain(evaluate(grown({"x": "${" + text + "}"}, PLACE), faults))
    assert isinstance(found, dict)
    assert list(found) == ["x"]


def test_a_parameter_may_rest_on_others() -> None:
    assert value_of("${c}", a=2, b="${a * 3}", c="${a + b}") == 8


def test_a_chain_of_thousands_of_parameters_is_evaluated_in_any_order() -> None:
    chain = [f"  p{index}: ${{p{index - 1} + 1}}\n" for index in range(1, 3000)]
    for lines in (chain, chain[::-1]):
        text = (
            "netdesc: 1\nsimulation: {duration: 1 ms}\nparameters:\n  p0: 1\n"
            + "".join(lines)
            + "populations: {a: {size: '${p2999}', neuron: LIF}}\n"
        )
        assert describe_text(text).populations["a"].size == 3000
