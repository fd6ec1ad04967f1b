"""No key of the schema is without effect: the code reads each of them somewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

from netdesc.description.schema.document import schema

ROOT = Path(__file__).parents[2]
UNAVAILABLE: set[str] = set()
"""Parameters of cells that every backend refuses so far."""

COMPOSED = {f"{split}_labels" for split in ("train", "validation", "test")}
"""Keys that the code puts together."""


def keys(part: object) -> Iterator[str]:
    """Yield the keys that a part of the schema describes."""
    if isinstance(part, dict):
        yield from part.get("properties", {})
        for item in part.values():
            yield from keys(item)
    elif isinstance(part, list):
        for item in part:
            yield from keys(item)


def names(file: Path) -> Iterator[str]:
    """Yield the texts, attributes, fields and arguments by name of a module."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Constant(value=str() as text):
                yield text
            case ast.Attribute(attr=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.keyword(arg=str() as name):
                yield name


def test_every_key_of_the_schema_is_read() -> None:
    files = [*(ROOT / "netdesc").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]
    known = {name for file in files for name in names(file)}
    described = set(keys(schema()))
    assert len(described) > 300
    assert described - known == UNAVAILABLE | COMPOSED
