"""The notebook with every example: it runs without edits or warnings, and is kept without outputs."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOUR = ROOT / "examples" / "tour.ipynb"

nbformat = pytest.importorskip("nbformat", reason="the notebook needs nbconvert: pip install '.[dev]'")


@pytest.fixture(scope="module")
def written():
    return nbformat.read(TOUR, as_version=4)


def test_the_notebook_uses_every_example(written):
    text = "\n".join(cell.source for cell in written.cells if cell.cell_type == "code")
    names = [path.stem for path in TOUR.parent.glob("*.yaml")]
    assert len(names) > 8
    assert [name for name in names if f"{name}.yaml" not in text and f'"{name}":' not in text] == []


def test_the_notebook_is_kept_without_outputs(written):
    nbformat.validate(written)
    cells = [cell for cell in written.cells if cell.cell_type == "code"]
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []


@pytest.mark.skipif(
    find_spec("nbconvert") is None or find_spec("ipykernel") is None,
    reason="nbconvert or ipykernel is not installed; pip install '.[dev]'",
)
def test_the_notebook_runs_and_prints_no_warning(tmp_path):
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        str(TOUR),
        "--output-dir",
        str(tmp_path),
        "--ExecutePreprocessor.kernel_name=python3",
        # Seconds for each cell, however slow the machine: a cell that hangs ends the test.
        "--ExecutePreprocessor.timeout=600",
    ]
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outputs = [
        output
        for cell in nbformat.read(tmp_path / TOUR.name, as_version=4).cells
        for output in cell.get("outputs", ())
    ]
    printed = [output.text for output in outputs if output.get("name") == "stderr"]
    assert printed == []
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    tables = [output for output in outputs if "text/html" in output.get("data", {})]
    assert (len(pictures), len(tables)) >= (3, 2)
