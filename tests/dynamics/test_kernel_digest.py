"""What the hash of a kernel notices, and what it does not."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import netdesc
from netdesc.dynamics import kernel_digest
from netdesc.dynamics.kernel_cache import KernelCache
from netdesc.dynamics.kernel_digest import digest_kernel, digest_sources

FILES = {
    "__init__": "",
    "constants": "RATE = 2.0\nUNUSED = 1\n",
    "deep": "import math\nfrom netdesc.dynamics.jit import inlined\nfrom pack.constants import RATE\n"
    "@inlined\ndef deep(x):\n    return RATE * math.exp(x)\n",
    "middle": "from netdesc.dynamics.jit import inlined\nfrom pack.deep import deep\n"
    "@inlined\ndef middle(x):\n    return deep(x) + 1.0\n",
    "shapes": "from typing import NamedTuple\nclass State(NamedTuple):\n    v: float\n    i: float\n",
    "plain": "def plain(x):\n    return x\n",
    "kernels": "from netdesc.dynamics.jit import kernel\nfrom pack.middle import middle\n"
    "from pack.shapes import State\n"
    "@kernel\ndef step(values):\n    for k in range(len(values)):\n"
    "        values[k] = State(middle(values[k]), 0.0).v\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pack").mkdir()
    for name, content in FILES.items():
        write(tmp_path, name, content)
    yield tmp_path
    forget()


def write(folder: Path, name: str, content: str) -> None:
    (folder / "pack" / f"{name}.py").write_text(content)


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pack"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    for cached in (kernel_digest._follow, kernel_digest._read_source, digest_sources):
        cached.cache_clear()


def digest(monkeypatch: pytest.MonkeyPatch) -> str:
    forget()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return digest_kernel(importlib.import_module("pack.kernels").step.py_func)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("constants", "RATE = 2.0", "RATE = 2.5"),
        ("constants", "RATE = 2.0", "RATE = (2.0, 1)[0] + 1e-15"),
        ("constants", "RATE = 2.0", "import numpy as np\nRATE = np.float32(2.0)"),
        ("deep", "RATE * math.exp(x)", "RATE * math.exp(-x)"),
        ("deep", "math.exp(x)", "math.expm1(x)"),
        ("deep", "@inlined", "from netdesc.dynamics.jit import kernel\n@kernel"),
        ("middle", "+ 1.0", "+ 2.0"),
        ("middle", "+ 1.0", "- 1.0"),
        ("shapes", "    v: float\n    i: float\n", "    i: float\n    v: float\n"),
        ("kernels", "0.0)", "1.0)"),
    ],
)
def test_a_change_of_what_a_kernel_reaches_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str
) -> None:
    before = digest(monkeypatch)
    assert old in FILES[name]
    write(folder, name, FILES[name].replace(old, new))
    assert digest(monkeypatch) != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("constants", "UNUSED = 1", "UNUSED = 2"),
        ("deep", "import math", "# a comment\n\nimport math"),
        ("kernels", "from pack.shapes", "import os\nfrom pack.shapes"),
    ],
)
def test_a_change_of_anything_else_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str
) -> None:
    before = digest(monkeypatch)
    write(folder, name, FILES[name].replace(old, new))
    assert digest(monkeypatch) == before


def test_where_a_meaning_cannot_be_read_off_all_imported_sources_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        folder,
        "kernels",
        FILES["kernels"]
        .replace("from pack.shapes", "from pack.plain import plain\nfrom pack.shapes")
        .replace("0.0)", "plain(0.0))"),
    )
    before = digest(monkeypatch)
    write(folder, "plain", "def plain(x):\n    return x\n# what an implementation registered here may do\n")
    assert digest(monkeypatch) != before


def test_a_variable_of_an_enclosing_function_counts() -> None:
    from netdesc.dynamics.jit import kernel

    def make(factor: float) -> str:
        def scale(values: list[float]) -> None:
            values[0] = factor * values[0]

        return digest_kernel(kernel(scale).py_func)  # type: ignore[attr-defined]

    assert make(2.0) == make(2.0)
    assert make(2.0) != make(3.0)


def test_sources_follow_imports_of_every_form(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    (package / "deep").mkdir(parents=True)
    for name in ("__init__", "deep/__init__", "a", "b", "c", "d", "e", "deep/f"):
        (package / f"{name}.py").write_text(f"# {name}\n")
    (package / "kernels.py").write_text(
        "from pack import (\n    a,\n    b as other,\n)\nimport pack.c\nfrom . import d\n"
        "def late():\n    from .deep.f import x\n"
    )
    (package / "d.py").write_text("from pack.e import constant\n")

    def sources() -> str:
        forget()
        return digest_sources(package / "kernels.py")

    before = sources()
    assert sources() == before
    for name in ("__init__", "a", "b", "c", "d", "e", "deep/f", "kernels"):
        file = package / f"{name}.py"
        content = file.read_text()
        file.write_text(content + "# changed\n")
        assert sources() != before, name
        file.write_text(content)
    assert sources() == before


def modules() -> Iterator[ModuleType]:
    for package in ("netdesc", "netdesc_numba", "netdesc_spinnaker2", "netdesc_brainscales2"):
        home = importlib.import_module(package)
        for item in pkgutil.walk_packages(home.__path__, f"{package}."):
            if not item.name.endswith("__main__"):
                yield importlib.import_module(item.name)


def test_every_kernel_of_netdesc_can_be_followed() -> None:
    assert netdesc.__version__
    found = {
        value.py_func
        for module in modules()
        for value in vars(module).values()
        if isinstance(getattr(value, "_cache", None), KernelCache)
    }
    assert len(found) > 60
    assert len({digest_kernel(function) for function in found}) == len(found)
