"""What a backend may import of netdesc: an allowlist, since the rest may change without notice."""

import ast
from pathlib import Path

import pytest

BACKENDS = Path(__file__).parents[1] / "backends"
ALLOWED = {
    "records": {
        "program",
        "block",
        "observation",
        "trace",
        "gradient",
        "parameters",
        "events",
        "maps",
        "units",
        "workload",
    },
    "engine room": {"dynamics", "models", "ticks", "adjoint", "surrogate", "lower"},
    "graph": {"graph"},
    "contract": {"backend", "limits", "options", "errors"},
    "ground": {"budget", "display", "precision", "steps", "streams", "sums", "threads"},
}
"""Modules and packages of netdesc by floor."""


def imported(file: Path) -> set[str]:
    """Return the modules of netdesc that a file imports, by their first name."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [item.name for item in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            whole = node.module == "netdesc"
            names = [f"netdesc.{item.name}" for item in node.names] if whole else [node.module]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("netdesc.")}
    return found


@pytest.mark.parametrize("package", sorted(path.name for path in BACKENDS.iterdir() if path.is_dir()))
def test_a_backend_imports_only_what_is_allowed(package: str) -> None:
    files = sorted((BACKENDS / package).rglob("*.py"))
    assert files
    allowed = set().union(*ALLOWED.values())
    wrong = {str(file.relative_to(BACKENDS)): imported(file) - allowed for file in files}
    assert {name: modules for name, modules in wrong.items() if modules} == {}


def test_every_allowed_module_is_used() -> None:
    used = set().union(*(imported(file) for file in BACKENDS.rglob("*.py")))
    assert set().union(*ALLOWED.values()) <= used
