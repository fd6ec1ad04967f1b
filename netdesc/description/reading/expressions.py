"""Arithmetic over named constants: ``${0.8 * n}``, with units, never evaluated as Python."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netdesc import units
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node, Scalar, shortened
from netdesc.errors import DescriptionError, Diagnostic

_HOLE = re.compile(r"\$\{([^{}]*)\}")
_LITERAL = re.compile(
    r"(?<![\w.])([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+)\s+([A-Za-zµΩ]+(?:/[A-Za-z]+)?)\b"
)
_WORD = re.compile(r"[^\W\d]\w*")
_LONGEST = 500
_LONGEST_TEXT = 10_000
_MOST_TEXT = 4_000_000
_LARGEST_POWER = 64

Number = tuple[float, units.Exponents]
_PLAIN: units.Exponents = (0, 0, 0, 0)

_FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "round": lambda value: float(round(value)),
    "floor": lambda value: float(math.floor(value)), "ceil": lambda value: float(math.ceil(value)),
}  # fmt: skip
_ALIKE: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mod: operator.mod,
}


@dataclass(slots=True)
class _Constants:
    """The section ``parameters``, evaluated as far as needed."""

    nodes: Mapping[str, Node]
    values: dict[str, Scalar] = field(default_factory=dict)
    failed: dict[str, DescriptionError] = field(default_factory=dict)
    written: int = 0

    def look_up(self, name: str) -> Scalar:
        if name not in self.nodes:
            raise DescriptionError(
                f"there is no parameter '{name}'{did_you_mean(name, self.nodes)}"
                if self.nodes
                else f"there is no parameter '{name}'; add it under parameters"
            )
        if name not in self.values:
            self.settle(name)
        return self.values[name]

    def settle(self, name: str) -> None:
        """Evaluate a constant after those that it names; a chain of any length takes no recursion."""
        path, opened = [name], set[str]()
        while path:
            top = path[-1]
            if top in self.failed:
                raise self.failed[top]
            if top in self.values:
                path.pop()
                continue
            needed = [other for other in self.named(top) if other not in self.values]
            try:
                if (top in opened and needed) or top in needed:
                    raise DescriptionError(
                        f"parameter '{top}' depends on itself; give it a value that does not refer to it"
                    )
                if not needed:
                    self.values[top] = _evaluated(self.nodes[top].value, self)
            except DescriptionError as error:
                self.failed.update(dict.fromkeys(path, error))
                raise
            opened.add(top)
            path.extend(needed)

    def named(self, name: str) -> list[str]:
        """Return the constants that the text of a constant names."""
        value = self.nodes[name].value
        if not isinstance(value, str) or "${" not in value:
            return []
        whole = [hole.strip() for hole in _HOLE.findall(value)]
        words = {word for hole in whole if hole not in self.nodes for word in _WORD.findall(hole)}
        return [other for other in dict.fromkeys([*whole, *sorted(words)]) if other in self.nodes]

    def count(self, text: str) -> str:
        """Return a text that an expression has made; refuse texts that grow without end."""
        self.written += len(text)
        if self.written > _MOST_TEXT:
            raise DescriptionError(
                f"expected expressions that write at most {_MOST_TEXT} characters in total, got more; "
                "do not repeat texts through parameters"
            )
        return text


def evaluate(root: Node, diagnostics: list[Diagnostic]) -> Node:
    """Put the values of all expressions into the tree of a whole file.

    Constants stand under ``parameters``. No ``${...}`` is left, except where a fault was added to the
    diagnostics.
    """
    section = root.mapping.get("parameters")
    return _filled(root, _Constants(section.mapping if section else {}), "", diagnostics)


def _filled(node: Node, constants: _Constants, path: str, diagnostics: list[Diagnostic]) -> Node:
    value = node.value
    if isinstance(value, dict):
        return replace(
            node,
            value={
                key: _filled(item, constants, f"{path}.{key}" if path else key, diagnostics)
                for key, item in value.items()
            },
        )
    if isinstance(value, list):
        return replace(node, value=[_filled(item, constants, path, diagnostics) for item in value])
    if not isinstance(value, str) or "${" not in value:
        return node
    try:
        return replace(node, value=_evaluated(value, constants))
    except DescriptionError as error:
        diagnostics.extend(replace(item, path=path, location=node.place) for item in error.diagnostics)
        return node


def _evaluated(value: object, constants: _Constants) -> Scalar:
    if isinstance(value, dict | list) or value is None:
        raise DescriptionError(
            "expected a number, a quantity or a text as parameter, got something else; use one of these"
        )
    if not isinstance(value, str) or "${" not in value:
        return value  # type: ignore[return-value]
    whole = _HOLE.fullmatch(value.strip())
    if whole:
        return _result(whole[1], constants)
    filled = _HOLE.sub(lambda match: constants.count(_text(_result(match[1], constants))), value)
    if len(filled) > _LONGEST_TEXT:
        raise DescriptionError(
            f"expected a text of at most {_LONGEST_TEXT} characters, got {len(filled)} from "
            f"'{shortened(value)}'; do not repeat texts through parameters"
        )
    if "${" in filled:
        raise DescriptionError(f"'{shortened(value)}' lacks a closing brace; write ${{...}}")
    return filled


def _text(value: Scalar) -> str:
    return units.number_text(value) if isinstance(value, float) else str(value)


def _result(expression: str, constants: _Constants) -> Scalar:
    name = expression.strip()
    if name in constants.nodes:
        return constants.look_up(name)
    value, exponents = _number(_parsed(expression), constants)
    if not math.isfinite(value):
        raise DescriptionError(f"${{{expression}}} is not a finite number")
    unit = units.unit_of(exponents)
    if unit is None:
        raise DescriptionError(f"${{{expression}}} has a unit that nothing here has; check its products")
    if unit:
        return units.format_quantity(value, unit)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _parsed(expression: str) -> ast.expr:
    if len(expression) > _LONGEST:
        raise DescriptionError(
            f"an expression is longer than {_LONGEST} characters; split it over parameters"
        )
    try:
        # A quantity such as `20 ms` becomes a quoted text, which is one operand to Python's parser.
        return ast.parse(_LITERAL.sub(r'"\1 \2"', expression.strip()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise DescriptionError(
            f"${{{expression}}} is not arithmetic; write for example ${{0.8 * n}}"
        ) from None


def _number(node: ast.expr, constants: _Constants) -> Number:
    match node:
        case ast.Constant(value=bool() | None):
            pass
        case ast.Constant(value=int() | float() as value):
            return _finite(value), _PLAIN
        case ast.Constant(value=str() as text):
            return _quantity(text)
        case ast.Name(id=name):
            return _constant(name, constants)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value, exponents = _number(operand, constants)
            return (-value if isinstance(sign, ast.USub) else value), exponents
        case ast.BinOp(left=left, op=operation, right=right):
            return _combined(operation, _number(left, constants), _number(right, constants))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _called(name, [_number(argument, constants) for argument in arguments])
    raise DescriptionError(
        f"'{shortened(ast.unparse(node))}' is not arithmetic; expressions accept numbers, quantities, "
        f"parameters, + - * / // % **, and min, max, abs, {', '.join(_FUNCTIONS)}"
    )


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise DescriptionError("a number in an expression is too large") from None


def _constant(name: str, constants: _Constants) -> Number:
    value = constants.look_up(name)
    if isinstance(value, str):
        return _quantity(value)
    if isinstance(value, bool) or value is None:
        raise DescriptionError(f"parameter '{name}' is not a number")
    return _finite(value), _PLAIN


def _quantity(text: str) -> Number:
    value, unit = units.parse(text)
    return value, units.DIMENSIONS[unit].exponents


def _combined(operation: ast.operator, left: Number, right: Number) -> Number:
    (a, m), (b, n) = left, right
    try:
        if type(operation) in _ALIKE:
            if m != n:
                raise DescriptionError(
                    f"{_what(m)} and {_what(n)} cannot be added, subtracted or divided with remainder; "
                    "give both the same unit"
                )
            return _ALIKE[type(operation)](a, b), m
        match operation:
            case ast.Mult():
                return a * b, _sum(m, n, 1)
            case ast.Div():
                return a / b, _sum(m, n, -1)
            case ast.FloorDiv():
                return float(a // b), _sum(m, n, -1)
            case ast.Pow():
                return _power(a, m, b, n)
    except (ZeroDivisionError, OverflowError) as error:
        raise DescriptionError(
            "an expression divides by zero"
            if isinstance(error, ZeroDivisionError)
            else "an expression grows too large"
        ) from None
    raise DescriptionError("expressions accept no operators but + - * / // % **")


def _power(a: float, m: units.Exponents, b: float, n: units.Exponents) -> Number:
    if n != _PLAIN or abs(b) > _LARGEST_POWER or (m != _PLAIN and not b.is_integer()):
        raise DescriptionError(
            f"a power must be a number of at most {_LARGEST_POWER}, and whole where units are raised"
        )
    value = a**b
    if isinstance(value, complex):
        raise DescriptionError("an expression takes a root of a negative number")
    return value, (_PLAIN if m == _PLAIN else tuple(int(b) * power for power in m))  # type: ignore[return-value]


def _sum(m: units.Exponents, n: units.Exponents, sign: int) -> units.Exponents:
    return (m[0] + sign * n[0], m[1] + sign * n[1], m[2] + sign * n[2], m[3] + sign * n[3])


def _what(exponents: units.Exponents) -> str:
    unit = units.unit_of(exponents)
    return "a product of units" if unit is None else units.DIMENSIONS[unit].name


def _called(name: str, arguments: list[Number]) -> Number:
    values, kinds = [item[0] for item in arguments], {item[1] for item in arguments}
    several: dict[str, Any] = {"min": min, "max": max}
    if name in several and values and len(kinds) == 1:
        return several[name](values), kinds.pop()
    if name == "abs" and len(values) == 1:
        return abs(values[0]), kinds.pop()
    if name in _FUNCTIONS and len(values) == 1 and kinds == {_PLAIN}:
        try:
            return _FUNCTIONS[name](values[0]), _PLAIN
        except (ValueError, OverflowError):
            raise DescriptionError(f"{name} of {units.number_text(values[0])} is not a number") from None
    known = [*several, "abs", *_FUNCTIONS]
    if name not in known:
        raise DescriptionError(f"there is no function '{name}' in expressions{did_you_mean(name, known)}")
    raise DescriptionError(
        f"{name} takes "
        + (
            "arguments of one unit"
            if name in several
            else "one argument" + ("" if name == "abs" else " without unit")
        )
    )
