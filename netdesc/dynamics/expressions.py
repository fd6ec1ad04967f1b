"""Expressions in the text of a cell: arithmetic and a few functions of names, and their units."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from netdesc.errors import DescriptionError, Diagnostic
from netdesc.units import DIMENSIONS

FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tanh", "cosh", "sinh")
OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
SIGNS = (ast.USub, ast.UAdd)
LONGEST = 2000
"""Characters of an expression."""
MOST_POWER = 64
"""Largest number that an exponent may be."""

Power = tuple[Fraction, ...]
"""Powers of time, voltage, current and memory."""

NUMBER: Power = tuple(Fraction(0) for _ in range(4))


def power_of(unit: str) -> Power:
    """Return the powers of a base unit; see ``netdesc.units.DIMENSIONS``."""
    return tuple(Fraction(item) for item in DIMENSIONS[unit].exponents)


def is_name(text: str) -> bool:
    """Return whether a text may name a variable or a parameter of a cell."""
    return text.isidentifier() and text.isascii() and not keyword.iskeyword(text) and text not in FUNCTIONS


def read_expression(text: str, names: Iterable[str], path: str) -> ast.expr:
    """Return the tree of an expression.

    Parameters
    ----------
    text : str
    names : iterable of str
        What it may use.
    path : str
        Where it stands, for messages.

    Returns
    -------
    ast.expr
        Of finite numbers, known names, operators and calls of functions with one argument alone.

    Raises
    ------
    DescriptionError
        With the column in the text, if it is no such expression.
    """
    if len(text) > LONGEST:
        raise DescriptionError(
            f"expected at most {LONGEST} characters, got {len(text)}; use shorter names", path
        )
    shown = text.strip()
    try:
        tree = ast.parse(shown or "?", mode="eval").body
        faults = list(_faults(tree, frozenset(names)))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        message = (
            f"'{shown}' is not an expression (column {column}); use numbers, names, + - * / ** and functions"
        )
        raise DescriptionError(message, path) from None
    if faults:
        raise DescriptionError(
            [
                Diagnostic(f"{message}, in column {column + 1} of '{shown}'", path)
                for message, column in faults
            ]
        )
    return tree


def _faults(node: ast.expr, names: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield what is wrong in an expression, each with its column from 0."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not abs(value) <= 1e300:
                yield "expected a magnitude of at most 1e+300; use a smaller number", node.col_offset
        case ast.Name(id=name):
            if name not in names:
                yield f"'{name}' is not known; use {', '.join(sorted(names))}", node.col_offset
        case ast.UnaryOp(op=op, operand=item) if isinstance(op, SIGNS):
            yield from _faults(item, names)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, OPERATORS):
            if isinstance(op, ast.Pow):
                yield from _power_faults(left, right)
            yield from _faults(left, names)
            yield from _faults(right, names)
        case ast.Call(func=ast.Name(id=name), args=[item], keywords=[]) if name in FUNCTIONS:
            yield from _faults(item, names)
        case ast.Call(func=ast.Name(id=name)):
            yield f"'{name}' is not a function of one argument; use {', '.join(FUNCTIONS)}", node.col_offset
        case _:
            yield "expected numbers, names, + - * / ** and functions", node.col_offset


def _power_faults(base: ast.expr, exponent: ast.expr) -> Iterator[tuple[str, int]]:
    """Yield what would make a power of numbers endless to compute."""
    for node in (base, exponent):
        number = node.operand if isinstance(node, ast.UnaryOp) else node
        if isinstance(number, ast.Constant):
            if node is exponent and isinstance(number.value, int | float) and abs(number.value) > MOST_POWER:
                yield f"expected an exponent of at most {MOST_POWER}; use exp", node.col_offset
        elif not any(isinstance(item, ast.Name) for item in ast.walk(node)):
            yield "a power of powers of numbers; write the number", node.col_offset


def measure(tree: ast.expr, names: Mapping[str, Power], text: str, path: str) -> Power | None:
    """Return what an expression measures.

    Parameters
    ----------
    tree : ast.expr
        From `read_expression`.
    names : mapping of str to tuple
        Powers of the units of what it uses.
    text, path : str
        For messages.

    Returns
    -------
    tuple of Fraction, or None
        None for 0, which fits everything.

    Raises
    ------
    DescriptionError
        With the column in the text, if it adds what has different units, or takes a function or a power of
        what has a unit.
    """

    def fail(node: ast.expr, message: str) -> DescriptionError:
        return DescriptionError(f"{message}, in column {node.col_offset + 1} of '{text.strip()}'", path)

    def find(node: ast.expr) -> Power | None:
        match node:
            case ast.Constant(value=value):
                return NUMBER if value else None
            case ast.Name(id=name):
                return names[name]
            case ast.UnaryOp(operand=item):
                return find(item)
            case ast.Call(func=ast.Name(id="sqrt"), args=[item]):
                found = find(item)
                return found and tuple(power / 2 for power in found)
            case ast.Call(func=ast.Name(id=name), args=[item]):
                found = find(item)
                if found not in (None, NUMBER):
                    raise fail(item, f"{name} needs a number without unit, got {word_of(found)}")
                return NUMBER
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return _raise(find(left), find(right), right)
            case ast.BinOp(left=left, op=op, right=right):
                first, second = find(left), find(right)
                if isinstance(op, ast.Mult | ast.Div):
                    return _multiply(first, second, -1 if isinstance(op, ast.Div) else 1)
                if None not in (first, second) and first != second:
                    verb = "is added to" if isinstance(op, ast.Add) else "is subtracted from"
                    raise fail(right, f"{word_of(second)} {verb} {word_of(first)}")
                return second if first is None else first
        raise TypeError(type(node))

    def _raise(base: Power | None, power: Power | None, node: ast.expr) -> Power | None:
        if power not in (None, NUMBER):
            raise fail(node, f"an exponent is a number without unit, got {word_of(power)}")
        if base in (None, NUMBER):
            return NUMBER
        number = node.operand if isinstance(node, ast.UnaryOp) else node
        if not isinstance(number, ast.Constant):
            raise fail(node, f"the exponent of {word_of(base)} must be a number such as 2")
        sign = -1 if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else 1
        factor = sign * Fraction(str(number.value))
        return tuple(item * factor for item in base or NUMBER)

    return find(tree)


def _multiply(first: Power | None, second: Power | None, sign: int) -> Power | None:
    if first is None or second is None:
        return None
    return tuple(a + sign * b for a, b in zip(first, second, strict=True))


def word_of(power: Power | None) -> str:
    """Return what powers of units measure, in words such as ``a voltage (mV)``."""
    known = next((item for unit, item in DIMENSIONS.items() if power_of(unit) == power), None)
    if known is not None:
        return f"{known.name} ({known.base})" if known.base else known.name
    above, below = (
        [
            unit if abs(value) == 1 else f"{unit}^{abs(value)}"
            for unit, value in zip(("ms", "mV", "nA", "B"), power or NUMBER, strict=True)
            if value * sign > 0
        ]
        for sign in (1, -1)
    )
    return f"a quantity in {'/'.join([' '.join(above) or '1', *below])}"
