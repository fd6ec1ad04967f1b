"""Source text of the functions of a cell, written from its formulas."""

from __future__ import annotations

from itertools import pairwise

import sympy

from netdesc.dynamics.derive import Derived, order, paths
from netdesc.dynamics.source import Module, make_symbols, tuple_of, unpack
from netdesc.dynamics.step_source import write_steps

HEAD = """import math
from typing import Any, NamedTuple

from netdesc.dynamics.elementary import exponential, logarithm
from netdesc.dynamics.jit import inlined, shared
from netdesc.dynamics.linear import difference_1, difference_2, difference_3, largest
from netdesc.dynamics.linear import first_crossing as first_in_closed_form
from netdesc.dynamics.linear import margin as margin_of
from netdesc.dynamics.numeric import LEAST, TOLERANCE, error_of, integrate, integrate_adjoint
from netdesc.dynamics.numeric import first_crossing as first_in_steps
"""
"""Names, not modules: the digest of a kernel follows functions."""
LONGEST_PATH = 4
"""Variables on a path whose divided difference there is."""


def write(formulas: Derived) -> str:
    """Return the source text of a cell's module."""
    cell = formulas.cell
    module = Module([f"{name}_" for name in cell.parameters])
    closed = formulas.linear and all(
        len(path) <= LONGEST_PATH for matrix in flows(formulas) for path in all_paths(matrix)
    )
    write_state(module, formulas, closed)
    names = write_spike(module, formulas, closed)
    write_arrivals(module, formulas)
    if closed:
        write_closed(module, formulas)
    else:
        write_steps(module, formulas)
    fields = [*module.parameters, "start", "tau_ref"]
    head = [
        f"WIDTH = {len(formulas.x)}",
        f"RESIDUALS = {names!r}",
        "",
        "",
        "class Cells(NamedTuple):",
        *(f"    {name}: Any" for name in fields),
    ]
    return "\n".join([HEAD, *head, *module.lines]) + "\n"


def flows(formulas: Derived) -> tuple[sympy.Matrix, sympy.Matrix]:
    """Return the Jacobians of the free flow and of that in a refractory period."""
    return formulas.flow.jacobian(formulas.x), formulas.held.jacobian(formulas.x)


def all_paths(matrix: sympy.Matrix) -> list[list[int]]:
    """Return the paths between all pairs of variables."""
    count = range(matrix.rows)
    return [path for i in count for k in count for path in paths(matrix, k, i)]


def write_state(module: Module, formulas: Derived, closed: bool) -> None:
    """Write what concerns a state alone."""
    x, width = formulas.x, len(formulas.x)
    starts = ", ".join(f"cells.start[cell, {k}]" for k in range(width))
    module.write("begin(cells, cell)", [f"return ({starts},)"])
    module.write("initial(cells, cell)", module.evaluate(formulas.initial, tuple_of(width)))
    module.write("refractory(cells, cell)", ["return cells.tau_ref[cell]"])
    module.write("horizon(cells)", ['return float("inf")' if closed else "return 1.0"])
    module.write("needs_states(cells)", [f"return {not closed}"])
    module.write("release(x, cells, cell)", ["return x"])
    module.write("forget(lam, cells, cell)", ["return lam"])
    module.write("above(x, cells, cell)", ["return margin_of(x, cells, cell) >= 0.0"])
    module.write("subtract(x, cells, cell, drop)", ["return (x[0] - drop, *x[1:])"])
    for head, result in (
        ("margin(x, cells, cell)", formulas.threshold),
        ("margin_rate(x, cells, cell)", formulas.slope),
        ("voltage(x, cells, cell)", x[0]),
        ("current(x, cells, cell)", formulas.current),
    ):
        module.write(head, [unpack("x", x), *module.evaluate([result], "{}")])
    module.write("spike(x, cells, cell)", [unpack("x", x), *module.evaluate(formulas.reset, tuple_of(width))])


def write_spike(module: Module, formulas: Derived, closed: bool) -> tuple[str, ...]:
    """Write the spike and the release backward; return the names of what they need."""
    x, width = formulas.x, len(formulas.x)
    lam = make_symbols("lam", width)
    row = sympy.Matrix([lam])
    own = (row * formulas.jump(formulas.flow, formulas.held, formulas.reset))[0]
    slope = formulas.slope
    distance = -formulas.threshold.subs(dict(zip(x, formulas.reset, strict=True)), simultaneous=True)
    back = (row * formulas.reset.jacobian(x)).T
    gone = (row * (formulas.held - formulas.flow))[0]
    solved = sympy.solve(formulas.threshold, x[0])
    if closed and len(solved) == 1:
        # at a spike the voltage is known
        own, slope, distance = (sympy.simplify(item.subs(x[0], solved[0])) for item in (own, slope, distance))
    needed = [own, slope, distance, *back]
    at_spike = [k for k in range(width) if not closed or any(item.has(x[k]) for item in needed)]
    at_release = [k for k in range(width) if gone.has(x[k])]
    rows = len(at_spike)
    variables = formulas.cell.variables
    names = (*(variables[k] for k in at_spike), *(f"release_{variables[k]}" for k in at_release))
    keep = [f"kept[{number}, k] = x[{k}]" for number, k in enumerate(at_spike)]
    module.write("keep_spike(x, kept, k, cells, cell)", keep or ["pass"])
    keep = [f"kept[{rows + number}, k] = x[{k}]" for number, k in enumerate(at_release)]
    module.write("keep_release(x, kept, k, cells, cell)", keep or ["pass"])
    places = [f"kept[{at_spike.index(k)}, k]" if k in at_spike else "0.0" for k in range(width)]
    module.write("recall(kept, k, cells, cell)", [f"return ({', '.join(places)},)"])
    load = [f"{x[k]} = kept[{number}, k]" for number, k in enumerate(at_spike)]
    module.write(
        "slope_at(kept, k, cells, cell)", [*load, *module.evaluate([slope], "{}")], decorator="@inlined"
    )
    module.write(
        "distance_at(kept, k, cells, cell)", [*load, *module.evaluate([distance], "{}")], decorator="@inlined"
    )
    module.write(
        "slope(kept, k, cells, cell, floor)",
        ["return max(slope_at(kept, k, cells, cell), floor * distance_at(kept, k, cells, cell))"],
    )
    denominator, total = sympy.symbols("denominator total", real=True)
    before = [item - g * total / denominator for item, g in zip(back, formulas.gradient, strict=True)]
    module.write(
        "own_part(lam, kept, k, cells, cell)",
        [unpack("lam", lam), *load, *module.evaluate([own], "{}")],
        decorator="@inlined",
    )
    module.write(
        "lam_before(lam, kept, k, cells, cell, total, denominator)",
        [unpack("lam", lam), *load, *module.evaluate(before, tuple_of(width))],
        decorator="@inlined",
    )
    module.write(
        "spike_adjoint(lam, kept, k, cells, cell, force, floor)",
        [
            "steepness = slope_at(kept, k, cells, cell)",
            "denominator = max(steepness, floor * distance_at(kept, k, cells, cell))",
            "total = force + own_part(lam, kept, k, cells, cell)",
            "before = lam_before(lam, kept, k, cells, cell, total, denominator)",
            "return before, total, denominator > steepness",
        ],
    )
    load = [f"{x[k]} = kept[{rows + number}, k]" for number, k in enumerate(at_release)]
    module.write(
        "release_adjoint(lam, kept, k, cells, cell)",
        [unpack("lam", lam), *load, *module.evaluate([gone], "lam, {}")],
    )
    return names


def write_arrivals(module: Module, formulas: Derived) -> None:
    """Write arrivals forward and backward, receptor by receptor."""
    x, width = formulas.x, len(formulas.x)
    lam = make_symbols("lam", width)
    row = sympy.Matrix([lam])
    for number, after in enumerate(formulas.arrivals):
        module.write(
            f"arrive_{number}(x, cells, cell, weight)",
            [unpack("x", x), *module.evaluate(after, tuple_of(width))],
            decorator="@inlined",
        )
        by_weight = (row * sympy.diff(after, formulas.weight))[0]
        back = list((row * after.jacobian(x)).T)
        for name, flow in (("free", formulas.flow), ("held", formulas.held)):
            force = (row * formulas.jump(flow, flow, after))[0]
            module.write(
                f"arrive_{name}_{number}(lam, x, cells, cell, weight)",
                [
                    unpack("x", x),
                    unpack("lam", lam),
                    *module.evaluate([*back, force, by_weight], f"{tuple_of(width)}, {{}}, {{}}"),
                ],
                decorator="@inlined",
            )
    numbers = range(len(formulas.arrivals))
    module.write(
        "arrive(x, cells, cell, receptor, weight)",
        [
            *(f"if receptor == {k}: return arrive_{k}(x, cells, cell, weight)" for k in numbers[:-1]),
            f"return arrive_{numbers[-1]}(x, cells, cell, weight)",
        ],
    )
    module.write(
        "arrive_adjoint(lam, x, cells, cell, receptor, weight, within)",
        [
            line
            for k in numbers
            for line in (
                f"if receptor == {k} and within: return arrive_held_{k}(lam, x, cells, cell, weight)",
                f"if receptor == {k}: return arrive_free_{k}(lam, x, cells, cell, weight)",
            )
        ]
        + [f"return arrive_free_{numbers[-1]}(lam, x, cells, cell, weight)"],
    )


def element(matrix: sympy.Matrix, constants: sympy.Matrix, end: int, start: int | None) -> sympy.Expr:
    """Return an element of the propagator over s; ``start`` None stands for what constants give."""
    s = sympy.Symbol("s", real=True)
    total = sympy.Integer(0)
    starts = [start] if start is not None else [k for k in range(matrix.rows) if constants[k] != 0]
    for origin in starts:
        for path in paths(matrix, origin, end):
            points = [matrix[k, k] * s for k in path]
            factor = sympy.prod([matrix[i, k] for i, k in pairwise(path)])
            if start is None:
                points, factor = [*points, sympy.Integer(0)], factor * constants[origin]
            steps = len(points) - 1
            name = "exponential" if steps == 0 else f"difference_{steps}"
            total += factor * s**steps * sympy.Function(name, real=True)(*points)
    return total


def write_closed(module: Module, formulas: Derived) -> None:
    """Write the propagators of a linear cell, forward and backward, and bounds of its threshold."""
    x, width = formulas.x, len(formulas.x)
    lam = make_symbols("lam", width)
    nothing = {item: 0 for item in x}
    for name, field in (("flow", formulas.flow), ("held", formulas.held)):
        matrix, constants = field.jacobian(x), field.subs(nothing)
        elements = [[element(matrix, constants, i, k) for k in range(width)] for i in range(width)]
        after = [
            sum((e * item for e, item in zip(line, x, strict=True)), element(matrix, constants, i, None))
            for i, line in enumerate(elements)
        ]
        before = [sum(lam[i] * elements[i][k] for i in range(width)) for k in range(width)]
        module.write(
            f"{name}(x, cells, cell, s)",
            [unpack("x", x), *module.evaluate(after, tuple_of(width))],
            decorator="@shared",
        )
        module.write(
            f"{name}_adjoint(lam, x, cells, cell, s)",
            [unpack("lam", lam), *module.evaluate(before, tuple_of(width))],
            decorator="@shared",
        )
    write_bend(module, formulas)
    module.write("crossing(x, cells, cell, s)", ["return first_in_closed_form(x, cells, cell, s)"])


def write_bend(module: Module, formulas: Derived) -> None:
    """Write the bound of the second derivative of a linear cell's threshold."""
    x = formulas.x
    matrix, constants = formulas.flow.jacobian(x), formulas.flow.subs({item: 0 for item in x})
    bounds = make_symbols("bound", len(x))
    module.write(
        "bound_of(value, drive, rate, s)", ["return largest(value, drive, rate, s)"], decorator="@inlined"
    )
    lines = [unpack("x", x)]
    used: set[str] = set()
    for k in order(matrix):
        others = (abs(matrix[k, m]) * bounds[m] for m in range(len(x)) if m != k)
        drive = sum(others, abs(constants[k]))
        used |= {str(item) for item in (*drive.free_symbols, *matrix[k, k].free_symbols)}
        rate = module.show(matrix[k, k])
        lines.append(f"bound_{k} = bound_of({x[k]}, {module.show(drive)}, {rate}, s)")
    load = [f"{name} = cells.{name}[cell]" for name in module.parameters if name in used]
    second = formulas.gradient * matrix
    bend = sum(
        (abs(item) * bounds[k] for k, item in enumerate(second * matrix)), abs((second * constants)[0])
    )
    module.write(
        "margin_bend(x, cells, cell, s)", [*load, *lines, *module.evaluate([bend], "{}")], decorator="@shared"
    )
