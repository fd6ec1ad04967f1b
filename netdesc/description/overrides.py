"""``key.path=value``: changes of a file from the command line or from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from netdesc.description.reader import read
from netdesc.description.schema import resolved, schema
from netdesc.description.suggestion import did_you_mean
from netdesc.description.tree import Node, grown, shortened
from netdesc.errors import DescriptionError, Diagnostic, Location


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
        place = Location(f"<override {path}={shortened(str(value[0]))}>", 1, 1)
        try:
            node = _value(value[0], place) if value[1] else grown(value[0], place)
            root = _set(root, path.split("."), node, place)
        except DescriptionError as error:
            diagnostics.extend(replace(item, path=path, location=place) for item in error.diagnostics)
    if diagnostics:
        raise DescriptionError(diagnostics)
    return root


def _pairs(
    overrides: Mapping[str, object] | Sequence[str], diagnostics: list[Diagnostic]
) -> list[tuple[str, tuple[object, bool]]]:
    if isinstance(overrides, Mapping):
        return [(path, (value, False)) for path, value in overrides.items()]
    pairs: list[tuple[str, tuple[object, bool]]] = []
    for text in [overrides] if isinstance(overrides, str) else overrides:
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            diagnostics.append(Diagnostic(f"'{shortened(text)}' is not an override; write key.path=value, for example "
                                          "training.epochs=5", location=Location("<override>", 1, 1)))
        else:
            pairs.append((path.strip(), (value.strip(), True)))
    return pairs


def _value(text: object, place: Location) -> Node:
    node = read(str(text), place.file)
    return Node(None, place) if node is None else _placed(node, place)


def _placed(node: Node, place: Location) -> Node:
    value = node.value
    if isinstance(value, dict):
        return Node({key: _placed(item, place) for key, item in value.items()}, place)
    return Node([_placed(item, place) for item in value] if isinstance(value, list) else value, place)


def _set(root: Node, keys: list[str], value: Node, place: Location) -> Node:
    return _changed(root, keys, value, schema(), place)


def _changed(node: Node, keys: list[str], value: Node, part: dict[str, Any], place: Location) -> Node:
    if not keys:
        return value
    key, rest = keys[0], keys[1:]
    if isinstance(node.value, list):
        return _changed_item(node, key, rest, value, part=part, place=place)
    inner = _inner(node, key, part)
    kinds = part.get("x-form") == "choice" or part.get("x-form") == "neuron"
    entries = {} if kinds and key not in node.mapping else node.mapping
    if part.get("x-form") == "raw" or not part.get("type") == "object" and not kinds:
        entries = {} if not rest and key not in ("init", "train", "min", "max") else node.mapping
        if not isinstance(node.value, dict) and node.value is not None and key in ("train", "min", "max"):
            entries = {"init": node}
    child = _changed(entries.get(key, Node({}, place)), rest, value, inner, place)
    return replace(node, value={**entries, key: child}, keys={**node.keys, key: place})


def _changed_item(
    node: Node, key: str, rest: list[str], value: Node, *, part: dict[str, Any], place: Location
) -> Node:
    if not key.isdigit() or int(key) >= len(node.items):
        raise DescriptionError(f"'{key}' is not an index of this list, which has {len(node.items)} items; "
                               "counting begins at 0")
    items = list(node.items)
    items[int(key)] = _changed(items[int(key)], rest, value, resolved(part.get("items", {})), place)
    return replace(node, value=items)


def _inner(node: Node, key: str, part: dict[str, Any]) -> dict[str, Any]:
    if part.get("x-form") == "neuron":
        part = resolved({"$ref": "#/definitions/neuron"})
    if "allOf" in part:
        part = resolved(part["allOf"][0])
    known = part.get("properties", {})
    if key in known:
        return resolved(known[key])
    others = part.get("additionalProperties")
    if key in node.mapping and others is not False:
        return resolved(others) if isinstance(others, dict) else {}
    if others is True or (isinstance(others, dict) and "x-names" not in part) or "properties" not in part:
        return resolved(others) if isinstance(others, dict) else {}
    raise DescriptionError(f"there is no '{key}' here{did_you_mean(key, [*node.mapping, *known])}")
