"""Expressions in the text of a cell, as sympy's."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

import sympy

from netdesc.dynamics.expressions import FUNCTIONS, read_expression
from netdesc.errors import DescriptionError

OPERATORS: Mapping[type[ast.operator], Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}


def parse(text: str, names: Mapping[str, sympy.Expr], path: str) -> sympy.Expr:
    """Return an expression of a cell.

    Parameters
    ----------
    text : str
    names : mapping of str to sympy.Expr
        What it may use.
    path : str
        Where it stands, for messages.

    Raises
    ------
    DescriptionError
        With the column in the text, if it is no such expression.
    """
    result = _convert(read_expression(text, names, path), names)
    if result.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        message = (
            f"'{text.strip()}' is not a real number; remove divisions by 0 and roots of negative numbers"
        )
        raise DescriptionError(message, path)
    return result


def _convert(node: ast.expr, names: Mapping[str, sympy.Expr]) -> sympy.Expr:
    match node:
        case ast.Constant(value=int() | float() as value):
            return sympy.Rational(value) if isinstance(value, int) else sympy.Float(value, 17)
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=op, operand=item):
            inner = _convert(item, names)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_convert(left, names), _convert(right, names))
        case ast.Call(func=ast.Name(id=name), args=[item]) if name in FUNCTIONS:
            return getattr(sympy, name)(_convert(item, names))
    raise TypeError(type(node))
