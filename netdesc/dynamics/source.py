"""Source text of a module, written function by function from formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy.printing.pycode import PythonCodePrinter


class Printer(PythonCodePrinter):  # type: ignore[misc]
    """Prints expressions with the functions of the kernels, every number in double precision."""

    # ruff: noqa: N802 - sympy finds these methods by the names of its classes

    def _print_exp(self, expr: Any) -> str:
        return f"exponential({self._print(expr.args[0])})"

    def _print_log(self, expr: Any) -> str:
        return f"logarithm({self._print(expr.args[0])})"

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:
        base, power = expr.as_base_exp()
        if power == -1:
            return f"(1.0/({self._print(base)}))"
        if power.is_Integer and 1 < abs(int(power)) <= 4:
            product = "*".join([f"({self._print(base)})"] * abs(int(power)))
            return f"({product})" if power > 0 else f"(1.0/({product}))"
        return str(super()._print_Pow(expr, rational))

    def _print_Integer(self, expr: Any) -> str:
        return f"{int(expr)}.0"

    def _print_Rational(self, expr: Any) -> str:
        return f"({expr.p}.0/{expr.q}.0)"

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))


def make_symbols(name: str, count: int) -> list[sympy.Symbol]:
    """Return symbols ``name_0``, ``name_1``, ..."""
    return [sympy.Symbol(f"{name}_{k}", real=True) for k in range(count)]


class Module:
    """Lines of a module that grows function by function.

    Parameters
    ----------
    parameters : sequence of str
        Names that functions load from the record where they use them.
    """

    def __init__(self, parameters: Sequence[str]) -> None:
        self.parameters = tuple(parameters)
        self.printer = Printer({"fully_qualified_modules": True, "allow_unknown_functions": True})
        self.lines: list[str] = []

    def show(self, expression: Any) -> str:
        """Return an expression as source text."""
        return str(self.printer.doprint(expression))

    def write(self, head: str, body: Sequence[str], *, decorator: str = "") -> None:
        """Add a function.

        Parameters
        ----------
        head : str
            Name and parameters.
        body : sequence of str
            Lines, not indented.
        decorator : str
        """
        self.lines += ["", "", *([decorator] if decorator else []), f"def {head}:"]
        self.lines += [f"    {line}" for line in body]

    def evaluate(self, results: Sequence[Any], form: str) -> list[str]:
        """Return lines that compute expressions and return them.

        Parameters
        ----------
        results : sequence of sympy.Expr
        form : str
            What is returned, with ``{}`` for each of them.
        """
        parts, reduced = sympy.cse(list(results), symbols=sympy.numbered_symbols("part_"))
        used = {str(item) for expression in results for item in sympy.sympify(expression).free_symbols}
        return [
            *(f"{name} = cells.{name}[cell]" for name in self.parameters if name in used),
            *(f"{symbol} = {self.show(part)}" for symbol, part in parts),
            f"return {form.format(*map(self.show, reduced))}",
        ]


def tuple_of(count: int) -> str:
    """Return the form of a tuple of expressions."""
    return "(" + "{}, " * count + ")"


def unpack(source: str, symbols: Sequence[Any]) -> str:
    """Return the line that gives the elements of a tuple to symbols."""
    return f"({', '.join(map(str, symbols))},) = {source}"
