"""What a compiled kernel depends on, as one hash: code, constants and functions that it reaches.

From the bytecode of a kernel every global name that it uses is followed: into functions that are compiled
into it, into constants, into the fields of named tuples. Where something is met whose meaning cannot be
read off, all source files that the kernel's own file imports, directly or not, are hashed instead. Unlike the
time of a file, such a hash changes exactly when the kernel may change, wherever it is installed.
"""

from __future__ import annotations

import enum
import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np

from netdesc.dynamics.protocol import find_code, records_in

_IMPORT = re.compile(
    rb"^[ \t]*(?:from|import)[ \t]+(\.*)([\w.]*)(?:[ \t]*import[ \t]+(\([^)]*\)|[^\n]*))?", re.MULTILINE
)
_NAME = re.compile(rb"[A-Za-z_]\w*")

FOREIGN = ("builtins", "math", "numba", "numpy")
"""Packages whose functions mean what their version says."""

VERSIONS = f"{numba.__version__} {np.__version__} {llvmlite.__version__} {sys.version_info[:3]}"


def digest_kernel(function: Callable[..., Any]) -> str:
    """Return a hash of all that decides what a kernel computes, and of the compiler.

    Parameters
    ----------
    function : callable
        The kernel, not compiled.

    Returns
    -------
    str
        Hexadecimal; independent of where the packages are installed.
    """
    found: dict[str, str] = {}
    waiting: list[object] = [function]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if id(item) not in seen:
            seen.add(id(item))
            parts, further = _follow(item)
            found |= parts
            waiting += further
    compiler = digest_sources(Path(__file__).with_name("fragments.py"))
    digest = hashlib.sha256(f"{VERSIONS} {compiler}".encode())
    for name, part in sorted(found.items()):
        digest.update(f"\n{name} {part}".encode())
    return digest.hexdigest()


def digest_records(signature: object) -> list[str]:
    """Return what the cells in the types of a kernel's arguments mean, as hashes of their functions.

    Parameters
    ----------
    signature : object
        Types of the arguments.

    Returns
    -------
    list of str
        Hexadecimal, in order; empty where no argument holds parameters of cells.
    """
    kinds = signature if isinstance(signature, tuple) else ()
    return [_digest_record(record) for kind in kinds for record in records_in(kind)]


@cache
def _digest_record(record: type) -> str:
    functions = find_code(record).functions
    parts = [f"{name} {digest_kernel(function)}" for name, function in sorted(functions.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _follow(item: object) -> tuple[dict[str, str], list[object]]:
    """Return what an item is, by name, and what it depends on."""
    compiled = getattr(item, "py_func", None)
    if isinstance(compiled, FunctionType):
        options = sorted(map(str, getattr(item, "targetoptions", {}).items()))
        return {f"options of {_title(compiled)}": repr(options)}, [compiled]
    generator = getattr(item, "_defn", None)
    if isinstance(generator, FunctionType):
        return _sources(generator), []
    if isinstance(item, FunctionType):
        return _follow_function(item)
    raise TypeError(f"a kernel cannot be followed into {type(item).__name__}")


def _follow_function(function: FunctionType) -> tuple[dict[str, str], list[object]]:
    found = {f"code of {_title(function)}": _digest_code(function.__code__)}
    values = {
        name: function.__globals__[name]
        for name in global_names(function.__code__)
        if name in function.__globals__
    }
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    values |= {f"cell {name}": cell.cell_contents for name, cell in cells}
    values |= {f"default {place}": value for place, value in enumerate(function.__defaults__ or ())}
    further: list[object] = []
    for name, value in values.items():
        if hasattr(value, "_operation"):
            # which functions these are follows from the types of the arguments, which a file's name covers
            found[f"{name} in {_title(function)}"] = f"operation {value._operation}"
        elif _is_known(value):
            found[f"{name} in {_title(function)}"] = _describe(value)
        elif isinstance(getattr(value, "py_func", getattr(value, "_defn", None)), FunctionType):
            further.append(value)
        else:
            # A function with an implementation registered elsewhere, a module, an object: what it means is
            # somewhere in what the file imports.
            found |= _sources(function)
    return found, further


PLAIN = int | float | complex | str | bytes | None | np.generic | np.dtype | enum.Enum


def _is_known(value: object) -> bool:
    """Return whether the text of a value says what it means to a kernel."""
    if isinstance(value, type):
        return hasattr(value, "_fields") or issubclass(value, enum.Enum) or _is_foreign(value)
    if isinstance(value, tuple):
        return all(_is_known(item) for item in value)
    return isinstance(value, PLAIN | np.ndarray) or _is_foreign(value)


def _is_foreign(value: object) -> bool:
    home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    if home is None and isinstance(value, BuiltinFunctionType | np.ufunc):
        return True
    return str(home or type(value).__module__).partition(".")[0] in FOREIGN


def _describe(value: object) -> str:
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, tuple):
        return f"({', '.join(map(_describe, value))})"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, type) and hasattr(value, "_fields"):
        return f"{value.__qualname__} {value._fields} {getattr(value, '__annotations__', {})}"
    if isinstance(value, type) and issubclass(value, enum.Enum):
        return repr([(item.name, item.value) for item in value])
    return f"{getattr(value, '__module__', '')} {getattr(value, '__qualname__', None) or value}"


def global_names(code: CodeType) -> set[str]:
    """Return the names that a function, or one defined in it, looks up."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= global_names(constant)
    return found


def _digest_code(code: CodeType) -> str:
    constants = [_digest_code(item) if isinstance(item, CodeType) else repr(item) for item in code.co_consts]
    # exception tables and flags are part of what runs, lines and file names are not
    parts = (
        code.co_code,
        code.co_exceptiontable,
        code.co_flags,
        code.co_argcount,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        constants,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _title(function: FunctionType) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _sources(function: FunctionType) -> dict[str, str]:
    return {f"sources of {function.__module__}": digest_sources(Path(function.__code__.co_filename))}


@cache
def digest_sources(source: Path) -> str:
    """Return a hash of a file and of every file that it imports, directly or not.

    Parameters
    ----------
    source : Path
        Of a package that can be imported.

    Returns
    -------
    str
        Hexadecimal; independent of where the packages are installed.
    """
    found, waiting = {}, [source]
    while waiting:
        file = waiting.pop()
        if file not in found:
            content, imported = _read_source(file)
            found[file] = hashlib.sha256(content).hexdigest()
            waiting += imported
    parts = sorted((file.name, part) for file, part in found.items())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@cache
def _read_source(file: Path) -> tuple[bytes, tuple[Path, ...]]:
    content = file.read_bytes()
    return content, tuple(_find_imported(file, content))


def _find_imported(file: Path, content: bytes) -> Iterator[Path]:
    """Yield the files of what a source imports from its own packages: netdesc's and the file's."""
    top = _find_top(file)
    for dots, module, names in _IMPORT.findall(content):
        root = module.decode().partition(".")[0]
        if dots:
            start = file.parents[len(dots) - 1]
        elif root == top.name:
            start = top.parent
        elif root == "netdesc":
            start = Path(str(sys.modules[root].__file__)).parent.parent
        else:
            continue
        path = start.joinpath(*module.decode().split("."))
        yield from _find_files(path)
        for name in _NAME.findall(names):
            yield from _find_files(path / name.decode())


def _find_files(path: Path) -> Iterator[Path]:
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            yield file


def _find_top(file: Path) -> Path:
    folder = file.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder
