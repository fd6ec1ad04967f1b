"""Expressions in the text of a cell, as sympy's: arithmetic and a few functions, nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping

import sympy

from netdesc.errors import DescriptionError, Diagnostic

FUNCTIONS = {
    "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "sin": sympy.sin, "cos": sympy.cos,
    "tanh": sympy.tanh, "cosh": sympy.cosh, "sinh": sympy.sinh,
}  # fmt: skip
OPERATORS: Mapping[type[ast.operator], Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
LONGEST = 2000
"""Characters of an expression."""


def parse(text: str, names: Mapping[str, sympy.Expr], path: str) -> sympy.Expr:
    """Return an expression of a cell.

    Parameters
    ----------
    text : str
    names : mapping of str to sympy.Expr
        What it may use.
    path : str
        Where it stands, for messages.

    Returns
    -------
    sympy.Expr

    Raises
    ------
    DescriptionError
        With the column in the text, if it is no such expression.
    """
    if len(text) > LONGEST:
        raise DescriptionError(
            Diagnostic(f"expected at most {LONGEST} characters, got {len(text)}; name a part of it", path)
        )
    try:
        tree = ast.parse(text.strip() or "?", mode="eval")
        return _convert(tree.body, names, text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = getattr(error, "offset", None) or 1
        message = (
            f"{text!r} is not an expression (column {column}); use numbers, names, + - * / ** and functions"
        )
        raise DescriptionError(Diagnostic(message, path)) from None


def _convert(node: ast.expr, names: Mapping[str, sympy.Expr], text: str, path: str) -> sympy.Expr:
    def inner(item: ast.expr) -> sympy.Expr:
        return _convert(item, names, text, path)

    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value):
            return sympy.Rational(value) if isinstance(value, int) else sympy.Float(value, 17)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id=name):
            raise _fault(f"{name} is not known; use {_list(names)}", node, text, path)
        case ast.UnaryOp(op=ast.USub(), operand=item):
            return -inner(item)
        case ast.UnaryOp(op=ast.UAdd(), operand=item):
            return inner(item)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](inner(left), inner(right))
        case ast.Call(func=ast.Name(id=name), args=[item], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](inner(item))
        case ast.Call(func=ast.Name(id=name)):
            raise _fault(
                f"{name} is not a function of one argument; use {_list(FUNCTIONS)}", node, text, path
            )
    raise _fault("only numbers, names, + - * / ** and functions are expected", node, text, path)


def _fault(message: str, node: ast.expr, text: str, path: str) -> DescriptionError:
    return DescriptionError(Diagnostic(f"{message}, in column {node.col_offset + 1} of {text!r}", path))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
