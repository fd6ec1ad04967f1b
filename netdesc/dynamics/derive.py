"""From the equations of a cell to what kernels need: Jacobians, jumps, residuals, and closed forms.

The adjoint of any cell, with f the flow, h an arrival, g the threshold and r the reset, subscripts Jacobians,
f- and f+ the flow just before and after an event, and lam = dL/dx:

    arrival    dL/dt = lam . (h_x f- - f+)         dL/dw = lam . h_w       lam- = h_x^T lam
    release    dL/dt = lam . (f_held - f)
    spike      D = lam . (r_x f- - f_held+) + F    lam- = r_x^T lam - g_x D / (g_x f-)

F is what the spike's arrivals and the loss give, and the release. Imported only when a cell is generated.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from netdesc.dynamics.equations import Equations
from netdesc.dynamics.symbols import parse


@dataclass(frozen=True, slots=True)
class Derived:
    """A cell as formulas.

    Parameters
    ----------
    cell : Equations
    x : list of sympy.Symbol
        State variables.
    initial, flow, reset : sympy.Matrix
        Columns.
    held : sympy.Matrix
        The flow during a refractory period.
    arrivals : list of sympy.Matrix
        State after an arrival, by receptor.
    threshold, current : sympy.Expr
    """

    cell: Equations
    x: list[sympy.Symbol]
    initial: sympy.Matrix
    flow: sympy.Matrix
    held: sympy.Matrix
    reset: sympy.Matrix
    arrivals: list[sympy.Matrix]
    threshold: sympy.Expr
    current: sympy.Expr

    @property
    def weight(self) -> sympy.Symbol:
        """Symbol of an arrival's weight."""
        return sympy.Symbol("weight", real=True)

    @property
    def gradient(self) -> sympy.Matrix:
        """Gradient of the threshold, a row."""
        return sympy.Matrix([[sympy.diff(self.threshold, item) for item in self.x]])

    @property
    def slope(self) -> sympy.Expr:
        """d/dt of the threshold along the free flow."""
        return sympy.simplify((self.gradient * self.flow)[0])

    def jump(self, before: sympy.Matrix, after: sympy.Matrix, change: sympy.Matrix) -> sympy.Matrix:
        """Return ``change_x f-  - f+`` as a column, f+ taken at the changed state."""
        there = after.subs(dict(zip(self.x, change, strict=True)), simultaneous=True)
        return sympy.simplify(change.jacobian(self.x) * before - there)

    @property
    def linear(self) -> bool:
        """Whether both flows are affine, and no variable depends on itself through others."""
        return all(
            not any(item.has(*self.x) for item in matrix.jacobian(self.x)) and order(matrix.jacobian(self.x))
            for matrix in (self.flow, self.held)
        ) and not self.gradient.has(*self.x)


def order(jacobian: sympy.Matrix) -> list[int]:
    """Return variables in an order in which each depends on earlier ones alone; empty if there is none."""
    left, found = list(range(jacobian.rows)), list[int]()
    while left:
        ready = [i for i in left if all(jacobian[i, k] == 0 for k in left if k != i)]
        if not ready:
            return []
        found += ready
        left = [i for i in left if i not in ready]
    return found


def paths(jacobian: sympy.Matrix, start: int, end: int) -> list[list[int]]:
    """Return the paths along which variable ``start`` acts on ``end``, each from end to start."""
    if start == end:
        return [[end]]
    steps = [k for k in range(jacobian.rows) if k != end and jacobian[end, k] != 0]
    return [[end, *rest] for k in steps for rest in paths(jacobian, start, k)]


def derive(cell: Equations) -> Derived:
    """Return the formulas of a cell.

    Raises
    ------
    DescriptionError
        If a text is not an expression.
    """
    # what a cell calls its own ends with an underscore, which no name of the generated code does
    symbols = {name: sympy.Symbol(f"{name}_", real=True) for name in (*cell.variables, *cell.parameters)}
    weight = sympy.Symbol("weight", real=True)
    x = [symbols[name] for name in cell.variables]
    rates: dict[str, sympy.Expr] = {}
    currents: dict[str, sympy.Expr] = {}
    arrivals = []
    for receptor, item in cell.receptors.items():
        path = f"receptors.{receptor}"
        own = symbols | {name: symbols[f"{name}_{receptor}"] for name in (*item.state, *item.parameters)}
        for name, text in item.dynamics.items():
            rates[f"{name}_{receptor}"] = parse(text, own, f"{path}.dynamics.{name}")
        currents[f"i_{receptor}"] = parse(item.current, own, f"{path}.current")
        new = {
            f"{name}_{receptor}": parse(text, own | {"weight": weight}, f"{path}.arrival.{name}")
            for name, text in item.arrival.items()
        }
        arrivals.append(sympy.Matrix([new.get(name, symbols[name]) for name in cell.variables]))
    current = sum(currents.values(), sympy.Integer(0))
    known = symbols | currents | {"i_syn": current}
    rates |= {name: parse(text, known, f"dynamics.{name}") for name, text in cell.dynamics.items()}
    reset = {name: parse(text, symbols, f"reset.{name}") for name, text in cell.reset.items()}
    initial = {name: parse(text, symbols, f"initial.{name}") for name, text in cell.initial.items()}
    return Derived(
        cell,
        x,
        sympy.Matrix([initial.get(name, sympy.Integer(0)) for name in cell.variables]),
        sympy.Matrix([rates[name] for name in cell.variables]),
        sympy.Matrix([sympy.Integer(0) if name in cell.hold else rates[name] for name in cell.variables]),
        sympy.Matrix([reset.get(name, symbols[name]) for name in cell.variables]),
        arrivals,
        parse(cell.threshold, symbols, "threshold"),
        current,
    )
