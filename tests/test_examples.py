"""Every example meets what it expects of itself, and says the truth in its comments."""

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import netdesc
from netdesc.cli import main
from netdesc.cli.expectations import check_expectations

EXAMPLES = Path(__file__).parents[1] / "examples"
MNIST = Path(os.environ.get("NETDESC_MNIST", Path(__file__).parents[2] / "shared/data/mnist"))
LARGE = {"yin_yang", "mnist"}
SMALL = sorted(path for path in EXAMPLES.glob("*.yaml") if path.stem not in LARGE)


def comment(name):
    """Return the comment at the top of an example, without its marks."""
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8").partition("netdesc: 1")[0]
    return [line.removeprefix("#").rstrip() for line in text.splitlines()[1:]]


def losses(folder):
    with (folder / "metrics.csv").open(encoding="utf-8") as stream:
        return [float(row["loss"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_a_small_example_meets_what_it_expects(path, capsys):
    assert main(["test", str(path)]) == 0, capsys.readouterr().out


def test_a_short_training_of_yin_yang_is_most_of_the_way_there():
    changes = {
        "training.epochs": 6,
        "populations.hidden.size": 120,
        "data.dataset.yin_yang.train": 2000,
        "expect.test_accuracy.min": 0.85,
    }
    model = netdesc.load(EXAMPLES / "yin_yang.yaml", changes)
    assert [check for check in check_expectations(model, "numba") if not check.met] == []


@pytest.mark.skipif(not MNIST.is_dir(), reason="no MNIST files here; set NETDESC_MNIST to their folder")
def test_mnist_meets_what_it_expects():
    model = netdesc.load(EXAMPLES / "mnist.yaml", {"data.dataset.mnist.path": str(MNIST.resolve())})
    assert [check for check in check_expectations(model, "numba") if not check.met] == []


@pytest.mark.parametrize("name", ["recurrent", "spike_time_target"])
def test_training_brings_the_spikes_to_their_targets(name, tmp_path):
    assert main(["train", str(EXAMPLES / f"{name}.yaml"), "-o", str(tmp_path / "run")]) == 0
    found = losses(tmp_path / "run")
    assert found[0] > 1.0
    assert found[-1] < 1e-3


def test_one_substrate_runs_where_its_comment_says(capsys):
    file = str(EXAMPLES / "one_substrate.yaml")
    assert main(["check", file, "--backend", "spinnaker2"]) == 0
    assert main(["test", file, "--backend", "spinnaker2"]) == 0
    capsys.readouterr()
    assert main(["check", file, "--backend", "brainscales2"]) == 3


def test_one_substrate_quotes_what_the_other_backend_says(capsys):
    main(["check", str(EXAMPLES / "one_substrate.yaml"), "--backend", "brainscales2"])
    said = re.findall(r"(B2-(?:DELAY|RANGE) .*)", capsys.readouterr().out)
    assert len(said) == 2
    quoted = " ".join(line.strip() for line in comment("one_substrate"))
    assert [line for line in said if line not in quoted] == []


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell to run the commands of the comment")
def test_the_commands_of_exclusive_or_write_its_data(tmp_path):
    commands = "\n".join(line for line in comment("exclusive_or") if line.startswith("   "))
    subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, check=True)
    written = {path.name: path.read_bytes() for path in (tmp_path / "exclusive_or").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (EXAMPLES / "exclusive_or").iterdir()}


def test_the_balanced_network_needs_its_inhibition():
    model = netdesc.load(EXAMPLES / "balanced.yaml", {"parameters.g": 0, "simulation.duration": "50 ms"})
    assert not any(check.met for check in check_expectations(model, "numba"))
