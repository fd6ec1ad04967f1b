"""Kernels from the cache: only what runs is loaded, and others can be compiled with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import typeof

from netdesc.dynamics import views
from netdesc.dynamics.fragments import COMPLETED, find_kind
from netdesc.dynamics.jit import inlined
from netdesc.events import Floats

KERNELS = """
import math

import numpy as np
from netdesc.dynamics.jit import kernel


@kernel
def inner(values):
    for k in range(len(values)):
        values[k] = math.exp(values[k])
    return np.zeros(2)


@kernel
def outer(values):
    return inner(values)[0] + values[0]
"""

INNER = """
import sys
import numpy as np
from kernels import inner
values = np.zeros(1)
assert inner(values).tolist() == [0.0, 0.0] and values[0] == 1.0
print(" ".join(sorted({"numba.np.arrayobj", "scipy.linalg", "numpy.ma"} & sys.modules.keys())))
"""

BOTH = INNER + "from kernels import outer\nassert outer(np.zeros(1)) == 1.0\n"


class Pair(NamedTuple):
    first: Floats
    number: int


class Nest(NamedTuple):
    pair: Pair
    same: tuple[float, float]


def run(script: str, home: Path) -> str:
    paths = os.pathsep.join([str(home), *(entry for entry in sys.path if entry)])
    environment = {**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(home / "cache")}
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, env=environment
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_a_kernel_from_the_cache_needs_nothing_of_the_compiler_and_others_can_be_compiled_with_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "kernels.py").write_text(KERNELS)
    assert "numba.np.arrayobj" in run(INNER, tmp_path)
    assert run(INNER, tmp_path) == ""
    run(BOTH, tmp_path)
    run(BOTH, tmp_path)


VALUES = (
    np.zeros(3),
    np.zeros((2, 3), np.int32).T,
    np.zeros((4, 4))[::2, ::2],
    np.zeros(2, bool),
    np.zeros((), np.float32),
    Pair(np.zeros(2), 3),
    Nest(Pair(np.zeros((1, 1)), 1), (1.0, 2.0)),
    1,
    True,
    2.5,
    np.float64(1.0),
    np.int64(2),
    (1, 2.0),
    None,
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_an_argument_has_the_type_that_numba_gives_it(value: object) -> None:
    assert find_kind(value) == typeof(value)


def test_an_array_that_must_not_be_written_has_a_type_of_its_own() -> None:
    frozen = np.zeros(2)
    frozen.flags.writeable = False
    assert find_kind(frozen) == typeof(frozen) != find_kind(np.zeros(2))


def test_a_fragment_gets_what_numba_needs_when_that_is_asked_for() -> None:
    fresh: Any = inlined(getattr(views.copy, "py_func"))  # noqa: B009 -- of the decorated function
    before = set(vars(fresh))
    assert not hasattr(fresh, "_operation")
    assert set(vars(fresh)) == before
    assert not fresh.overloads
    assert set(vars(fresh)) - before == COMPLETED
    with pytest.raises(AttributeError, match="no attribute nothing"):
        _ = fresh.nothing
