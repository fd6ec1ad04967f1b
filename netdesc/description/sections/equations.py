"""Neuron types that a file gives by their equations."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from netdesc import units
from netdesc.description.model import Choice, Neuron, Parameter, Value
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node
from netdesc.description.reading.written import written_parameter, written_value
from netdesc.description.sections.values import read_parameter, read_value
from netdesc.dynamics import equations
from netdesc.dynamics.equations import KIND, OFFSET, Equations, Receptor
from netdesc.dynamics.expressions import NUMBER, Power, is_name, measure, power_of, read_expression, word_of
from netdesc.errors import DescriptionError

PER_TIME = power_of("1/ms")
POSITIVE = ("ms", "nF")
"""Units of parameters that are above 0: time constants and capacitances."""


class _Reader:
    """Reads one cell; every fault is noted.

    Parameters
    ----------
    name : str
        Of the cell.
    options : mapping
        As read by the schema.
    path : str
    reading : Reading
        Receives the faults.
    """

    def __init__(self, name: str, options: Mapping[str, Any], path: str, reading: Reading) -> None:
        self.name = name
        self.options = options
        self.path = path
        self.reading = reading
        self.units: dict[str, str] = {}
        self.parameters: dict[str, Parameter] = {}
        self.initial: dict[str, Value] = {}
        self.starts: dict[str, str] = {}

    def read(self) -> Choice | None:
        """Return the cell, or None where a fault was noted."""
        before = len(self.reading.diagnostics)
        groups: list[tuple[str, Mapping[str, Any], str]] = [("", self.options, self.path)]
        for receptor, item in self.options["receptors"].items():
            groups.append((f"_{receptor}", item, f"{self.path}.receptors.{receptor}"))
        for suffix, item, path in groups:
            self.read_parameters(item["parameters"], suffix, f"{path}.parameters")
        variables: list[str] = []
        for suffix, item, path in groups:
            variables += self.read_state(item["state"], suffix, f"{path}.state")
        if len(self.reading.diagnostics) > before:
            return None
        cell = self.read_equations(variables)
        if len(self.reading.diagnostics) > before:
            return None
        return Choice(KIND, {KIND: cell, "initial": self.initial, **self.parameters})

    def declare(self, name: str, full: str, unit: str, path: str) -> None:
        """Note the unit of a name, or a fault where it cannot be used."""
        # a variable i of a receptor is its current, or there would be two of that name
        currents = {
            f"i_{key}" for key, item in self.options["receptors"].items() if item["current"].value != "i"
        }
        reserved = {"weight", "i_syn", *currents}
        if not is_name(name) or full in reserved or name.endswith("_"):
            self.reading.fail(f"'{name}' has a meaning of its own in expressions; use another name", path)
        elif full in self.units:
            self.reading.fail(f"'{full}' is declared twice; use another name", path)
        else:
            self.units[full] = unit

    def read_parameters(self, items: Mapping[str, Node], suffix: str, path: str) -> None:
        """Read parameters, each with the unit that it is written in."""
        for name, node in items.items():
            where = f"{path}.{name}"
            unit = find_unit(node)
            value = read_parameter(node, unit, where, self.reading, needed_by=name)
            self.declare(name, f"{name}{suffix}", unit, where)
            if value is not None:
                self.parameters[f"{name}{suffix}"] = value

    def read_state(self, items: Mapping[str, Any], suffix: str, path: str) -> Iterator[str]:
        """Read state variables; yield their full names."""
        for name, item in items.items():
            where, full = f"{path}.{name}", f"{name}{suffix}"
            if item["unit"] not in units.DIMENSIONS:
                known = ", ".join(unit for unit in units.DIMENSIONS if unit)
                self.reading.fail(f"expected one of {known}, got {item['unit']}", f"{where}.unit")
                continue
            self.declare(name, full, item["unit"], where)
            yield full
            node = item.get("initial")
            if node is None:
                continue
            if isinstance(node.value, str) and not units.is_quantity(node.value):
                self.starts[full] = node.value
                continue
            value = read_value(node, item["unit"], f"{where}.initial", self.reading, needed_by=name)
            if value is not None:
                self.initial[full] = value

    def check(self, text: str, path: str, names: Mapping[str, Power]) -> Power | None:
        """Return what an expression measures, None for anything or where a fault was noted."""
        try:
            return measure(read_expression(text, names, path), names, text, path)
        except DescriptionError as error:
            self.reading.absorb(error, path)
            return None

    def expression(self, text: Any, path: str, names: Mapping[str, Power], due: Power) -> str:
        """Return an expression after a check of its names and units."""
        shown = str(text.value if isinstance(text, Node) else text)
        found = self.check(shown, path, names)
        if found not in (None, due):
            self.reading.fail(f"expected {word_of(due)}, got {word_of(found)} in '{shown}'", path)
        return shown

    def rates(
        self, items: Mapping[str, Any], where: str, names: Mapping[str, Power], state: Mapping[str, str]
    ) -> dict[str, str]:
        """Return d/dt of every variable."""
        result = self.formulas(items, where, names, state, PER_TIME)
        missing = [name for name in state if name not in result]
        if missing:
            self.reading.fail(f"d/dt of {', '.join(missing)} is missing; write 0 for none", where)
        return result

    def formulas(
        self, items: Mapping[str, Any], where: str, names: Mapping[str, Power], state: Mapping[str, str],
        factor: Power = NUMBER,
    ) -> dict[str, str]:  # fmt: skip
        """Return expressions by variable, each in the unit of its variable times a factor."""
        result = {}
        for name, text in items.items():
            path = f"{where}.{name}"
            if name not in state:
                self.reading.fail(f"there is no variable '{name}'; use {', '.join(state)}", path)
                continue
            due = tuple(a + b for a, b in zip(power_of(state[name]), factor, strict=True))
            result[name] = self.expression(text, path, names, due)
        return result

    def read_equations(self, variables: list[str]) -> Equations:
        """Return the equations, with every fault of their expressions noted."""
        options, path = self.options, self.path
        names = {name: power_of(unit) for name, unit in self.units.items()}
        state = {name: item["unit"] for name, item in options["state"].items()}
        receptors, currents, weight = self.read_receptors(names)
        for receptor in currents.values():
            if receptor != next(iter(currents.values())):
                self.reading.fail("the currents of all receptors need one unit", f"{path}.receptors")
        known = names | currents | {"i_syn": next(iter(currents.values()))}
        dynamics = self.rates(options["dynamics"], f"{path}.dynamics", known, state)
        threshold = str(options["threshold"].value)
        self.check(threshold, f"{path}.threshold", names)
        everywhere = {name: self.units[name] for name in variables}
        reset = self.formulas(options["reset"], f"{path}.reset", names, everywhere)
        plain = {name: names[name] for name in self.parameters}
        for name, text in self.starts.items():
            self.expression(text, f"{path}.state.{name}.initial", plain, names[name])
        time, hold = self.read_refractory(everywhere)
        return Equations(
            name=self.name,
            description="",
            state=state,
            initial=self.starts,
            parameters={name: self.declared(name, time) for name in self.parameters},
            dynamics=dynamics,
            receptors=receptors,
            threshold=threshold,
            reset=reset,
            refractory=time,
            hold=hold,
            order=find_order(threshold, reset, next(iter(state)), self.units),
            offset=OFFSET if OFFSET in self.parameters else "",
            weight=weight,
        )

    def read_receptors(self, names: Mapping[str, Power]) -> tuple[dict[str, Receptor], dict[str, Power], str]:
        """Return receptors, what the current of each measures, and the unit of weights."""
        receptors, currents, weights = {}, {}, {}
        for receptor, item in self.options["receptors"].items():
            path = f"{self.path}.receptors.{receptor}"
            state = {name: inner["unit"] for name, inner in item["state"].items()}
            own = dict(names)
            own |= {name: names[f"{name}_{receptor}"] for name in (*state, *item["parameters"])}
            arrival = item["arrival"] or {name: f"{name} + weight" for name in list(state)[:1]}
            if len(state) > 1 and not item["arrival"]:
                self.reading.fail("the key 'arrival' is missing; say what weight changes", path)
            weights[receptor] = find_weight(arrival, own, state)
            current = str(item["current"].value)
            currents[f"i_{receptor}"] = self.check(current, f"{path}.current", own) or NUMBER
            receptors[receptor] = Receptor(
                state=state,
                dynamics=self.rates(item["dynamics"], f"{path}.dynamics", own, state),
                arrival=self.formulas(
                    arrival, f"{path}.arrival", {**own, "weight": power_of(weights[receptor])}, state
                ),
                current=current,
                parameters=tuple(item["parameters"]),
            )
        if "signed" in receptors and len(receptors) > 1:
            self.reading.fail("expected signed alone, or excitatory and inhibitory", f"{self.path}.receptors")
        if len(set(weights.values())) > 1:
            self.reading.fail("the weights of all receptors need one unit", f"{self.path}.receptors")
        return receptors, currents, next(iter(weights.values()))

    def read_refractory(self, state: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
        """Return the parameter that holds the refractory period, and the variables that are held."""
        given = self.options.get("refractory")
        if given is None:
            return "", ()
        path = f"{self.path}.refractory"
        time, hold = given["time"], tuple(given["hold"])
        if self.units.get(time) != "ms" or time not in self.parameters:
            self.reading.fail(
                f"expected a parameter that is a time, got '{time}'; write for example tau_refrac: 2 ms "
                "under parameters, and time: tau_refrac",
                f"{path}.time",
            )
        for name in hold:
            if name not in state:
                self.reading.fail(f"there is no variable '{name}'; use {', '.join(state)}", f"{path}.hold")
        return time, hold

    def declared(self, name: str, refractory: str) -> equations.Parameter:
        """Return the declaration of a parameter."""
        unit = self.units[name]
        low = 0.0 if unit in POSITIVE else -float("inf")
        return equations.Parameter(unit, "", "", low, above=unit in POSITIVE and name != refractory)


def resolve_equations(name: str, choice: Choice, path: str, reading: Reading) -> Choice | None:
    """Return a neuron type that is given by its equations, with its record.

    The type is as read by the schema, its path without its kind. The options of the result are
    ``equations``, ``initial`` (values by variable), and the parameters.
    """
    inner = f"{path}.{KIND}"
    return _Reader(name, choice.options, inner, reading).read() if reading.sound(inner) else None


def find_unit(node: Node) -> str:
    """Return the unit of the first quantity that is written in a value; none by default."""
    if isinstance(node.value, str) and units.is_quantity(node.value):
        try:
            return units.parse(node.value).unit
        except DescriptionError:
            return ""
    inner = node.mapping.values() if isinstance(node.value, dict) else ()
    items = node.items if isinstance(node.value, list) else inner
    return next((unit for unit in map(find_unit, items) if unit), "")


def find_weight(arrival: Mapping[str, Any], names: Mapping[str, Power], state: Mapping[str, str]) -> str:
    """Return the unit of a weight with which arrivals have the units of their variables."""
    for unit in dict.fromkeys((*state.values(), *units.DIMENSIONS)):
        known = {**names, "weight": power_of(unit)}
        try:
            found = {
                name: measure(read_expression(str(text), known, ""), known, str(text), "")
                for name, item in arrival.items()
                for text in (item.value if isinstance(item, Node) else item,)
            }
        except DescriptionError:
            continue
        if all(name in state and value in (None, power_of(state[name])) for name, value in found.items()):
            return unit
    return next(iter(state.values()))


def find_order(
    threshold: str, reset: Mapping[str, str], voltage: str, known: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the parameters of reset and threshold where the threshold is ``v - PARAMETER``."""
    try:
        tree = ast.parse(threshold.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return ()
    match tree:
        case ast.BinOp(left=ast.Name(id=name), op=ast.Sub(), right=ast.Name(id=high)) if name == voltage:
            low = reset.get(voltage, "").strip()
            return (low, high) if low in known and high in known else ()
    return ()


def neuron_of_equations(choice: Choice) -> Neuron:
    """Return the record of a resolved type."""
    options = dict(choice.options)
    cell, initial = options.pop(KIND), options.pop("initial")
    return Neuron(KIND, options, equations=cell, initial=initial)


def write_equations(choice: Choice) -> Choice:
    """Return a resolved type as plain data of the language."""
    cell: Equations = choice.options[KIND]

    def state(items: Mapping[str, str], suffix: str) -> dict[str, Any]:
        result = {}
        for name, unit in items.items():
            initial = choice.options["initial"].get(f"{name}{suffix}")
            start = cell.initial.get(f"{name}{suffix}")
            given = start if initial is None else written_value(initial, unit)
            result[name] = {"unit": unit} | ({} if given is None else {"initial": given})
        return result

    def values(names: Mapping[str, str]) -> dict[str, Any]:
        return {
            name: written_parameter(choice.options[full], cell.parameters[full].unit)
            for name, full in names.items()
        }

    inner = {f"{name}_{receptor}" for receptor, item in cell.receptors.items() for name in item.parameters}
    refractory = {"time": cell.refractory, "hold": list(cell.hold)}
    return Choice(
        KIND,
        {
            "state": state(cell.state, ""),
            "parameters": values({name: name for name in cell.parameters if name not in inner}),
            "dynamics": dict(cell.dynamics),
            "receptors": {
                receptor: {
                    "state": state(item.state, f"_{receptor}"),
                    "parameters": values({name: f"{name}_{receptor}" for name in item.parameters}),
                    "dynamics": dict(item.dynamics),
                    "arrival": dict(item.arrival),
                    "current": item.current,
                }
                for receptor, item in cell.receptors.items()
            },
            "threshold": cell.threshold,
            "reset": dict(cell.reset),
            **({"refractory": refractory} if cell.refractory else {}),
        },
    )
