"""YAML text to a tree with places: strict, bounded, and with every fault of the form at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from netdesc.description.reading.tree import Node, scalar, shortened
from netdesc.errors import DescriptionError, Diagnostic, Location

DEEPEST = 40
"""Levels of nesting that a file may have."""

MOST_ALIASED = 100_000
"""Values that aliases may add to a file."""

MOST_VALUES = 2_000_000
"""Values that a file may have; larger matrices belong in files of their own."""

_FAULTS = {
    "cannot start any token": "no value begins with this character (a tab, @ or `); "
    "indent with spaces, quote texts",
    "mapping values are not allowed": "a key is not allowed here; a text that holds ': ' needs "
    "quotes, and keys of one mapping need the same indentation",
    "expected ',' or ']'": "a ',' or the closing ']' of a list is missing",
    "expected ',' or '}'": "a ',' or the closing '}' of a mapping is missing",
    "did not find expected key": "expected a key with the same indentation as its neighbours",
    "could not find expected ':'": "the ':' after a key is missing",
    "unexpected end of stream": "the file ends within a text; a closing quote is missing",
    "found undefined alias": "an alias (*name) has no anchor; write &name before it",
}

_NOT_ALLOWED = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that YAML 1.2 does not allow (section 5.1)."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read."""

    value: dict[str, Node] | list[Node]
    place: Location
    anchor: str | None
    keys: dict[str, Location] = field(default_factory=dict)
    pending: tuple[str, Location] | None = None
    count: int = 1


@dataclass(slots=True)
class _Reader:
    file: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    root: Node | None = None
    documents: int = 0
    aliased: int = 0
    values: int = 0

    def fail(self, message: str, place: Location, path: str = "") -> None:
        self.diagnostics.append(Diagnostic(message, path, location=place))

    def stop(self, message: str, place: Location) -> DescriptionError:
        self.fail(message, place, self.path())
        return DescriptionError(self.diagnostics)

    def path(self) -> str:
        return ".".join(item.pending[0] for item in self.stack if item.pending)

    def read(self, events: Iterable[Any]) -> Node | None:
        for event in events:
            place = Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
            match event:
                case yaml.DocumentStartEvent():
                    self.start_document(place)
                case yaml.ScalarEvent():
                    self.refuse_tag(event, place)
                    self.take(_scalar_node(event, place), event.anchor)
                case yaml.AliasEvent():
                    self.take(self.alias(event.anchor, place), None)
                case yaml.MappingStartEvent():
                    self.open({}, event, place)
                case yaml.SequenceStartEvent():
                    self.open([], event, place)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self.close()
        return self.root

    def start_document(self, place: Location) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.stop("a second document begins here; write one model per file", place)

    def open(self, value: dict[str, Node] | list[Node], event: Any, place: Location) -> None:
        self.refuse_tag(event, place)
        if len(self.stack) >= DEEPEST:
            raise self.stop(f"nested deeper than {DEEPEST} levels; a model never needs that", place)
        self.stack.append(_Open(value, place, event.anchor))

    def close(self) -> None:
        done = self.stack.pop()
        self.take(Node(done.value, done.place, done.keys, done.count), done.anchor)

    def alias(self, anchor: str | None, place: Location) -> Node:
        if anchor is None or anchor not in self.anchors:
            raise self.stop(f"*{anchor} is used before &{anchor} is complete; write the value again", place)
        node = self.anchors[anchor]
        self.aliased += node.count
        if self.aliased > MOST_ALIASED:
            raise self.stop(
                f"aliases (*{anchor}) repeat more than {MOST_ALIASED} values; "
                "write a neuron type or a parameter once by name instead",
                place,
            )
        return node

    def take(self, node: Node, anchor: str | None) -> None:
        self.values += 1
        if self.values > MOST_VALUES:
            raise self.stop(
                f"the file has more than {MOST_VALUES} values; keep large matrices in CSV, NPY or HDF5 files",
                node.place,
            )
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.count += node.count
        if isinstance(top.value, list):
            top.value.append(node)
        elif top.pending is None:
            top.pending = (self.key(node), node.place)
        else:
            self.enter(top, top.value, node)

    def key(self, node: Node) -> str:
        if isinstance(node.value, dict | list):
            kind = "mapping" if isinstance(node.value, dict) else "list"
            raise self.stop(
                f"a {kind} is used as a key; keys are names (text in braces needs quotes)", node.place
            )
        if node.value == "<<":
            self.fail(
                "merge keys (<<) are not part of the language; write a neuron type once under neurons "
                "and name it, or repeat the keys",
                node.place,
                self.path(),
            )
        if node.value is None:
            self.fail("a key is empty; write a name before the colon", node.place, self.path())
        return node.value if isinstance(node.value, str) else _key_text(node)

    def enter(self, top: _Open, value: dict[str, Node], node: Node) -> None:
        name, place = top.pending or ("", node.place)
        if name in value:
            first = top.keys[name]
            self.fail(f"this key is repeated, first at line {first.line}; keep one", place, self.path())
        else:
            value[name] = node
            top.keys[name] = place
        top.pending = None

    def refuse_tag(self, event: Any, place: Location) -> None:
        if event.tag not in (None, "!"):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.fail(f"the tag {shortened(tag)} is not part of the language; remove it", place, self.path())


def read(text: str, file: str) -> Node | None:
    """Read one YAML document.

    Parameters
    ----------
    text : str
    file : str
        Name for places in messages.

    Returns
    -------
    Node or None
        None where the text holds nothing but comments.

    Raises
    ------
    DescriptionError
        If the text is not YAML, has a key twice, a tag, a merge key, several documents, is nested too
        deeply, or grows too large through aliases.
    """
    reader = _Reader(file)
    odd = _NOT_ALLOWED.search(text)
    if odd is not None:
        line, column = text.count("\n", 0, odd.start()) + 1, odd.start() - text.rfind("\n", 0, odd.start())
        raise DescriptionError(
            f"expected printable characters, got the control character U+{ord(odd[0]):04X}; remove it",
            location=Location(file, line, column),
        )
    try:
        root = reader.read(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        reader.diagnostics.append(_fault(error, file))
        root = None
    if reader.diagnostics:
        raise DescriptionError(reader.diagnostics)
    return root if root is None or root.value is not None else None


def _scalar_node(event: Any, place: Location) -> Node:
    plain = event.implicit[0] and event.style in (None, "")
    # A long text counts as many values, so that aliases do not multiply it without end.
    return Node(scalar(event.value) if plain else event.value, place, count=1 + len(event.value) // 64)


def _key_text(node: Node) -> str:
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def _fault(error: yaml.YAMLError, file: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "a character that YAML does not allow"
    place = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file, 1, 1)
    problem = next((words for part, words in _FAULTS.items() if part in problem), problem)
    start = getattr(error, "context_mark", None)
    begun = (
        f" (in the block that begins at line {start.line + 1})"
        if start and start.line + 1 < place.line
        else ""
    )
    return Diagnostic(f"this is not valid YAML: {problem}{begun}", location=place)
