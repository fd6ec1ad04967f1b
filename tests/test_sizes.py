"""No function is long or takes many parameters, and no file is long."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES, PARAMETERS, FILE = 80, 8, 400


def sources() -> Iterator[tuple[str, str]]:
    """Yield path and text of every module."""
    for folder in ("netdesc", "backends"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield every function of a module with its qualified name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        name = f"{prefix}{node.name}." if isinstance(node, ast.ClassDef | ast.FunctionDef) else prefix
        yield from functions(node, name)


def count_parameters(node: Function) -> int:
    """Return the number of parameters, without ``self``."""
    given = node.args
    names = [item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def too_large() -> set[str]:
    """Return the functions and files that exceed a limit, as ``path: function`` and ``path``."""
    found = set()
    for path, text in sources():
        if len(text.splitlines()) > FILE:
            found.add(path)
        for name, node in functions(ast.parse(text)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES or count_parameters(node) > PARAMETERS:
                found.add(f"{path}: {name}")
    return found


def test_no_function_and_no_file_is_larger_than_it_may_be():
    assert too_large() == set()
