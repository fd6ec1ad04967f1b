"""``key.path=value``: changes of a file from the command line or from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netdesc.description.reading.mapping import tree
from netdesc.description.reading.reader import read
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node, grown, shortened
from netdesc.description.schema.document import resolved, schema
from netdesc.errors import DescriptionError, Diagnostic, Location

_LONG = ("init", "train", "min", "max")


def overridden(root: Node, overrides: Mapping[str, object] | Sequence[str]) -> Node:
    """Return a tree with some of its values changed.

    Parameters
    ----------
    root : Node
    overrides : mapping of dotted path to value, or sequence of ``path=value``
        A value of text form is read as YAML by the strict reader.

    Returns
    -------
    Node
        Changed values have the place ``<override PATH=VALUE>``.

    Raises
    ------
    DescriptionError
        If an override has no ``=``, its value is not YAML, or its path is not in the language.
    """
    diagnostics: list[Diagnostic] = []
    for path, value in _pairs(overrides, diagnostics):
        place = Location(f"<override {path}={shortened(str(value))}>", 1, 1)
        try:
            node = tree(value, path, place) if isinstance(overrides, Mapping) else _value(value, place)
            root = _changed(root, path.split("."), node, schema(), done="")
        except DescriptionError as error:
            diagnostics.extend(replace(item, path=path, location=place) for item in error.diagnostics)
    if diagnostics:
        raise DescriptionError(diagnostics)
    return root


def _pairs(
    overrides: Mapping[str, object] | Sequence[str], diagnostics: list[Diagnostic]
) -> list[tuple[str, object]]:
    if isinstance(overrides, Mapping):
        return list(overrides.items())
    pairs: list[tuple[str, object]] = []
    for text in [overrides] if isinstance(overrides, str) else overrides:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            diagnostics.append(
                Diagnostic(
                    f"'{shortened(text)}' is not an override; write key.path=value, for example "
                    "training.epochs=5",
                    location=Location("<override>", 1, 1),
                )
            )
        else:
            pairs.append((path.strip(), value.strip()))
    return pairs


def _value(text: object, place: Location) -> Node:
    node = read(str(text), place.file)
    return Node(None, place) if node is None else _placed(node, place)


def _placed(node: Node, place: Location) -> Node:
    value = node.value
    if isinstance(value, dict):
        return Node({key: _placed(item, place) for key, item in value.items()}, place)
    return Node([_placed(item, place) for item in value] if isinstance(value, list) else value, place)


def _changed(node: Node, keys: list[str], value: Node, part: dict[str, Any], *, done: str) -> Node:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(node.value, list):
        return _changed_item(node, keys, value, part, done=done)
    part = _opened(part)
    inner = _inner(node, key, part)
    # What is not written has the place of the override; another solver of a backend may always be chosen.
    if node.place != value.place and not done.startswith("backends."):
        _refuse_other_kind(node, keys, part, done)
    entries = _kept(node, key, part)
    absent = grown({} if inner.get("default") is None else inner["default"], value.place)
    child = _changed(entries.get(key, absent), rest, value, inner, done=f"{done}{key}.")
    return replace(node, value={**entries, key: child}, keys={**node.keys, key: value.place})


def _changed_item(node: Node, keys: list[str], value: Node, part: dict[str, Any], *, done: str) -> Node:
    key = keys[0]
    if not key.isdigit() or int(key) >= len(node.items):
        raise DescriptionError(
            f"'{key}' is not an index of this list of {len(node.items)}; indices begin at 0"
        )
    items = list(node.items)
    items[int(key)] = _changed(
        items[int(key)], keys[1:], value, resolved(part.get("items", {})), done=f"{done}{key}."
    )
    return replace(node, value=items)


def _refuse_other_kind(node: Node, keys: list[str], part: dict[str, Any], done: str) -> None:
    """Refuse to change an option of a kind where another kind is written."""
    kinds, key = part.get("properties", {}), keys[0]
    if part.get("maxProperties") != 1 or key not in kinds:
        return
    written = list(node.mapping) or ([node.value] if isinstance(node.value, str) else [])
    if not written or key in written or written[0] not in kinds:
        return
    there, option = written[0], ".".join(keys[1:])
    right = f"{done}{there}.{option}" if option in resolved(kinds[there]).get("properties", {}) else ""
    whole = done.rstrip(".")
    raise DescriptionError(
        f"expected an option of {there}, which is set here, got one of {key}; "
        + (f"use {right}=..., or " if right else "use ")
        + f"{whole}='{{{key}: {{{option or 'option'}: ...}}}}' to replace {there} by {key}"
    )


def _opened(part: dict[str, Any]) -> dict[str, Any]:
    """Return the part of the schema that names the keys."""
    if part.get("x-form") == "neuron":
        return resolved({"$ref": "#/definitions/neuron"})
    return resolved(part["allOf"][0]) if "allOf" in part else resolved(part)


def _inner(node: Node, key: str, part: dict[str, Any]) -> dict[str, Any]:
    known, others = part.get("properties", {}), part.get("additionalProperties", "type" not in part)
    if key in known:
        return resolved(known[key])
    # A name such as a population's must exist: an override changes a model, it does not begin one.
    if others is not False and (
        key in node.mapping or not ("x-names" in part or part.get("x-form") == "raw")
    ):
        return resolved(others) if isinstance(others, dict) else {}
    raise DescriptionError(f"there is no '{key}' here{did_you_mean(key, [*node.mapping, *known])}")


def _kept(node: Node, key: str, part: dict[str, Any]) -> dict[str, Node]:
    """Return the entries that stand beside the changed one."""
    if (
        isinstance(node.value, str)
        and part is resolved({"$ref": "#/definitions/neuron"})
        and (node.value not in part["properties"])
    ):
        raise DescriptionError(f"this is the type '{node.value}'; change neurons.{node.value} instead")
    if "init" in part.get("properties", {}):
        if key in _LONG and not any(name in node.mapping for name in _LONG):
            return {"init": node}
        if key not in _LONG and "init" in node.mapping:
            raise DescriptionError(f"there is no '{key}' here; did you mean 'init.{key}'?")
        return node.mapping if key in _LONG or key in node.mapping else {}
    return {} if part.get("maxProperties") == 1 and key not in node.mapping else node.mapping
