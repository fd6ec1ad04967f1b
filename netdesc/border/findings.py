"""Faults of what a backend returned, collected field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, TypeGuard, TypeVar

import numpy as np

from netdesc.border.calls import blame, guarded
from netdesc.errors import BackendError, Diagnostic
from netdesc.events import all_finite

Shape = tuple[int, ...]
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with the result of a call.

    Parameters
    ----------
    backend : str
        Its name.
    call : str
        For example ``forward``.
    diagnostics : list of Diagnostic
        Found so far.
    """

    backend: str
    call: str
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def note(self, name: str, expected: str, got: str) -> None:
        """Note a fault of a field."""
        self.diagnostics.append(
            blame(self.backend, f"{self.call} returned {name}: expected {expected}, got {got}")
        )

    def conclude(self) -> None:
        """Raise what was found.

        Raises
        ------
        BackendError
            With every fault.
        """
        if self.diagnostics:
            raise BackendError(self.diagnostics)

    def require(self, value: object, name: str, kind: type[Kind]) -> TypeGuard[Kind]:
        """Return whether a value has a type, and note it where it has not."""
        if isinstance(value, kind):
            return True
        self.note(name, f"{kind.__name__}", describe(value))
        return False

    def require_keys(self, value: object, name: str, keys: Iterable[str]) -> TypeGuard[Mapping[str, Any]]:
        """Return whether a value is a mapping with exactly some keys."""
        if not self.require_mapping(value, name):
            return False
        wanted = list(keys)
        missing = [key for key in wanted if key not in value]
        others = [key for key in value if key not in wanted]
        if missing:
            self.note(name, f"an entry for {missing[0]}", f"{list_keys(value)}")
        if others:
            self.note(name, f"entries for {list_keys(wanted)} alone", f"{others[0]!r} as well")
        return not missing and not others

    def require_mapping(self, value: object, name: str) -> TypeGuard[Mapping[Any, Any]]:
        """Return whether a value is a mapping."""
        if isinstance(value, Mapping):
            return True
        self.note(name, "a mapping", describe(value))
        return False

    def check_array(self, value: object, name: str, shape: Shape, kind: str = "f") -> bool:
        """Return whether a value is an array of a shape and kind.

        Kinds are ``f`` for float64, ``i`` for int64, ``b`` for bool.
        """
        dtype = {"f": np.dtype(np.float64), "i": np.dtype(np.int64), "b": np.dtype(np.bool_)}[kind]
        if not isinstance(value, np.ndarray):
            self.note(name, f"an array of {dtype} of shape {shape}", describe(value))
        elif value.dtype != dtype:
            self.note(name, f"an array of {dtype}", f"one of {value.dtype}")
        elif value.shape != shape:
            self.note(name, f"an array of shape {shape}", f"shape {value.shape}")
        else:
            return True
        return False

    def check_finite(self, value: Any, name: str, shape: Shape) -> bool:
        """Return whether a value is an array of finite float64 of a shape."""
        if not self.check_array(value, name, shape):
            return False
        if all_finite(value):
            return True
        self.note_entry(value, ~np.isfinite(value), name, "finite numbers")
        return False

    def check_range(self, value: Any, name: str, low: float, high: float) -> bool:
        """Return whether all elements of an array are within bounds; NaN is not."""
        if value.size == 0 or (value.min() >= low and value.max() <= high):
            return True
        self.note_entry(value, ~((value >= low) & (value <= high)), name, f"{low:g} to {high:g}")
        return False

    def note_entry(self, value: Any, wrong: Any, name: str, expected: str) -> None:
        """Note the first element of an array where it is wrong."""
        index = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        place = ", ".join(str(int(item)) for item in index)
        self.note(name, expected, f"{value[index]} at index {place}")

    def check_count(self, value: object, name: str, high: float = np.inf) -> None:
        """Note a value that is no count from 0 to a bound."""
        if isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) <= high:
            return
        bound = f" of at most {high:g}" if np.isfinite(high) else ""
        self.note(name, f"a count{bound}", describe(value))

    def check_number(self, value: object, name: str) -> None:
        """Note a value that is no finite number."""
        if not isinstance(value, Real) or isinstance(value, bool) or not np.isfinite(float(value)):
            self.note(name, "a finite number", describe(value))

    def check_cost(self, value: object, name: str) -> None:
        """Note a value that is no finite number of at least 0."""
        if not isinstance(value, Real) or isinstance(value, bool) or not 0.0 <= float(value) < np.inf:
            self.note(name, "a finite number of at least 0", describe(value))

    def check_text(self, value: object, name: str) -> None:
        """Note a value that is no text."""
        if not isinstance(value, str):
            self.note(name, "text", describe(value))

    def check_each(self, value: object, name: str, check: Callable[[object, str], None]) -> None:
        """Note a value that is no mapping of names, and check each of its items with its name."""
        if self.require_names(value, name):
            for key, item in value.items():
                check(item, f"{name}[{key!r}]")

    def require_names(self, value: object, name: str) -> TypeGuard[Mapping[str, Any]]:
        """Return whether a value is a mapping whose keys are text."""
        if not self.require_mapping(value, name):
            return False
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            self.note(name, "text as keys", describe(wrong[0]))
        return not wrong


@contextmanager
def checked(backend: str, call: str) -> Iterator[Findings]:
    """Turn what a call into a backend raises, or returns that is wrong, into an error of netdesc."""
    with guarded(backend, call):
        findings = Findings(backend, call)
        yield findings
        findings.conclude()


def describe(value: object) -> str:
    """Describe a value in a message: a number itself, anything else by its type."""
    if value is None:
        return "None"
    if isinstance(value, bool | Real | str | np.generic):
        text = repr(value)
        return text if len(text) <= 40 else f"{text[:37]}..."
    return f"an object of type {type(value).__name__}"


def list_keys(keys: Iterable[object]) -> str:
    """Return some keys as text."""
    known = [str(key) for key in keys]
    more = f" and {len(known) - 8} more" if len(known) > 8 else ""
    return (", ".join(known[:8]) + more) or "none"
