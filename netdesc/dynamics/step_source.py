"""Source text of the steps of a cell without a closed form."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from netdesc.dynamics.derive import Derived
from netdesc.dynamics.numeric import E3, E5, A, B
from netdesc.dynamics.source import Module, make_symbols, tuple_of, unpack


def write_steps(module: Module, formulas: Derived) -> None:
    """Write the steps of a cell without a closed form, forward and backward."""
    x, width = formulas.x, len(formulas.x)
    kappa = make_symbols("kappa", width)
    row = sympy.Matrix([kappa])
    for name, field in (("free", formulas.flow), ("held", formulas.held)):
        given = unpack("x", x)
        module.write(
            f"rates_{name}(x, cells, cell)",
            [given, *module.evaluate(field, tuple_of(width))],
            decorator="@inlined",
        )
        back = list((row * field.jacobian(x)).T)
        module.write(
            f"back_{name}(kappa, x, cells, cell)",
            [given, unpack("kappa", kappa), *module.evaluate(back, tuple_of(width))],
            decorator="@inlined",
        )
    for name, arguments in (("rates", "x"), ("back", "kappa, x")):
        module.write(
            f"{name}({arguments}, cells, cell, within)",
            [
                f"if within: return {name}_held({arguments}, cells, cell)",
                f"return {name}_free({arguments}, cells, cell)",
            ],
            decorator="@shared",
        )
    every = range(width)
    module.write("stages(x, cells, cell, h, within)", stage_lines(width), decorator="@shared")
    module.write(
        "step(x, cells, cell, h, within)",
        [
            f"({', '.join(f'k{i}' for i in range(len(A)))},) = stages(x, cells, cell, h, within)",
            f"y = ({', '.join(f'x[{c}] + h * ({combine(B, c)})' for c in every)},)",
            *(f"unit_{c} = TOLERANCE * max(LEAST, max(abs(x[{c}]), abs(y[{c}])))" for c in every),
            *(f"fifth_{c} = h * ({combine(E5, c)}) / unit_{c}" for c in every),
            *(f"third_{c} = h * ({combine(E3, c)}) / unit_{c}" for c in every),
            f"first = {' + '.join(f'fifth_{c} * fifth_{c}' for c in every)}",
            f"second = {' + '.join(f'third_{c} * third_{c}' for c in every)}",
            f"return y, error_of(first, second, {width})",
        ],
        decorator="@shared",
    )
    module.write("attempt(x, cells, cell, h, within)", ["return step(x, cells, cell, h, within)"])
    module.write("step_adjoint(lam, x, cells, cell, h, within)", step_back_lines(width), decorator="@shared")
    module.write(
        "attempt_adjoint(lam, x, cells, cell, h, within)",
        ["return step_adjoint(lam, x, cells, cell, h, within)"],
    )
    # a literal truth value would be a type of its own, and everything compiled for both
    for name, within in (("flow", "bool(0)"), ("held", "bool(1)")):
        module.write(f"{name}(x, cells, cell, s)", [f"return integrate(x, cells, cell, s, {within})"])
        module.write(
            f"{name}_adjoint(lam, x, cells, cell, s)",
            [f"return integrate_adjoint(lam, x, cells, cell, s, {within})"],
        )
    module.write("crossing(x, cells, cell, s)", ["return first_in_steps(x, cells, cell, s)"])


def combine(coefficients: Sequence[tuple[int, float]], c: int, name: str = "k") -> str:
    """Return the sum of one component of several stages."""
    return " + ".join(f"{value!r} * {name}{stage}[{c}]" for stage, value in coefficients)


def stage_lines(width: int) -> list[str]:
    """Return the lines that evaluate all stages of a step."""
    lines = ["k0 = rates(x, cells, cell, within)"]
    for stage, row in enumerate(A[1:], 1):
        items = ", ".join(f"x[{c}] + h * ({combine(row, c)})" for c in range(width))
        lines.append(f"k{stage} = rates(({items},), cells, cell, within)")
    return [*lines, f"return ({', '.join(f'k{stage}' for stage in range(len(A)))},)"]


def step_back_lines(width: int) -> list[str]:
    """Return the lines that compute an adjoint before a step, stage by stage from the last."""
    stages = range(len(A))
    lines = [f"({', '.join(f'k{i}' for i in stages)},) = stages(x, cells, cell, h, within)"]
    weights = dict(B)
    for stage in reversed(stages):
        later = [(other, dict(A[other]).get(stage, 0.0)) for other in stages if other > stage]
        terms = [(other, value) for other, value in later if value != 0.0]
        place = (
            f"({', '.join(f'x[{c}] + h * ({combine(A[stage], c)})' for c in range(width))},)"
            if stage
            else "x"
        )
        rows = []
        for c in range(width):
            direct = [f"{weights.get(stage, 0.0)!r} * lam[{c}]"]
            rows.append(f"h * ({' + '.join(direct + ([combine(terms, c, 'm')] if terms else []))})")
        items = ", ".join(rows)
        lines.append(f"m{stage} = back(({items},), {place}, cells, cell, within)")
    total = ", ".join(f"lam[{c}] + {' + '.join(f'm{stage}[{c}]' for stage in stages)}" for c in range(width))
    return [*lines, f"return ({total},)"]
