"""What tools of the ecosystem expect of a package and its files."""

import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

import netdesc

ROOT = Path(__file__).parents[1]
PACKAGES = [ROOT / "netdesc", *sorted((ROOT / "backends").glob("netdesc_*"))]
FILES = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((ROOT / "tests/data/valid").glob("*.yaml"))]

SCRIPT = """
import numpy as np

import netdesc

model: netdesc.Model = netdesc.load({"netdesc": 1}, {"simulation.seed": 3})
weights = {"p.weight": np.ones((2, 3))}
trace = netdesc.run(model, weights=weights, backend="numba")
times: list[float] = trace.spikes["a"].times.tolist()
loss, other, gradient = netdesc.grad(model, weights="run")
table = gradient.synapses("p.weight")
total: float = loss + float(table.value.sum())
for name, recording in other.recordings.items():
    print(name, recording.values.shape, netdesc.__version__)
try:
    result: netdesc.TrainingResult = netdesc.train(model, output="run")
except netdesc.DescriptionError as error:
    print([item.path for item in error.diagnostics])
"""


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_package_says_that_it_carries_types(package):
    assert (package / "py.typed").is_file()


def test_the_script_of_a_user_passes_strict_type_checks(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "script.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.skipif(
    find_spec("check_jsonschema") is None,
    reason="check-jsonschema is not installed; pip install check-jsonschema",
)
def test_every_valid_file_fits_the_schema_by_check_jsonschema():
    schema = ROOT / "schemas/netdesc-1.schema.json"
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, FILES)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_citation_has_the_version_and_licence_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == project["version"] == netdesc.__version__
    assert citation["license"] == project["license"] == "MIT"
    assert citation["authors"] == project["authors"]


def test_a_shell_completes_the_commands():
    shell = {"_NETDESC_COMPLETE": "complete_bash", "COMP_WORDS": "netdesc gr", "COMP_CWORD": "1"}
    found = subprocess.run(
        [sys.executable, "-c", "from netdesc.cli import main; main([])"],
        env=os.environ | shell,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(found.stdout.split()) == {"graph", "gradient", "gradcheck"}
