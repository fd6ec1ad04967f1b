"""What ``netdesc new`` offers: a line for each template, its data, and a first one for all backends."""

import json
from pathlib import Path

import pytest

from netdesc.cli import main
from netdesc.cli.templates import find_templates

EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
SMALL = [
    "data.dataset.yin_yang.train=40",
    "data.dataset.yin_yang.validation=20",
    "data.dataset.yin_yang.test=20",
    "populations.hidden.size=20",
    "training.epochs=1",
]
BACKENDS = ["numba", "spinnaker2", "brainscales2"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_new_without_a_name_gives_each_template_one_line(capsys):
    assert main(["new"]) == 0
    lines = capsys.readouterr().out.partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(find_templates())
    assert {line.split()[0] for line in lines} == {
        path.stem.replace("_", "-") for path in EXAMPLES.glob("*.yaml")
    }
    assert lines[0].startswith("first ")
    assert [line for line in lines if len(line.split()) < 5 or len(line) > 130] == []


def test_new_lists_templates_as_json_too(capsys):
    assert main(["new", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["templates"][0] == "first"
    assert all(found["about"][name] for name in found["templates"])


def test_a_template_brings_its_data_and_runs(folder, capsys):
    assert main(["new", "exclusive-or"]) == 0
    for name in DATA:
        written, original = folder / "exclusive_or" / name, EXAMPLES / "exclusive_or" / name
        assert written.read_bytes() == original.read_bytes()
    assert "exclusive_or/train-images-idx3-ubyte" in capsys.readouterr().err
    assert main(["check", "exclusive_or.yaml"]) == 0


def test_data_that_are_there_already_are_kept(folder, capsys):
    assert main(["new", "exclusive-or"]) == 0
    assert main(["new", "exclusive-or", "again.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == []
    assert main(["check", "again.yaml"]) == 0


def test_other_data_in_the_place_are_neither_written_over_nor_used(folder, capsys):
    mine = folder / "exclusive_or" / DATA[1]
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    assert main(["new", "exclusive-or"]) == 2
    assert "already exists with different content" in capsys.readouterr().err
    assert mine.read_bytes() == b"mine"
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [DATA[1]]


def test_a_file_in_the_place_of_the_folder_of_data_is_a_message(folder, capsys):
    (folder / "exclusive_or").write_text("mine", encoding="utf-8")
    assert main(["new", "exclusive-or"]) == 2
    assert "the folder exclusive_or cannot be created" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["exclusive_or"]


def test_nothing_is_copied_where_the_description_exists(folder, capsys):
    (folder / "exclusive_or.yaml").write_text("mine", encoding="utf-8")
    assert main(["new", "exclusive-or"]) == 2
    assert "already exists" in capsys.readouterr().err
    assert not (folder / "exclusive_or").exists()


@pytest.mark.skipif((EXAMPLES / "mnist").exists(), reason="the files of MNIST are beside the example")
def test_a_template_without_its_data_says_where_they_are(folder, capsys):
    assert main(["new", "mnist", "--json"]) == 0
    missing = json.loads(capsys.readouterr().out)["missing"]
    assert "train-images-idx3-ubyte.gz" in missing
    assert "https://" in missing
    (folder / "mnist").mkdir()
    (folder / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"")
    assert main(["new", "mnist", "again.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_template_passes_check_and_trains_on_every_backend(folder, backend, capsys):
    assert main(["new", "first"]) == 0
    assert main(["check", "first.yaml", "--backend", backend]) == 0
    words = ["first.yaml", *SMALL, "--backend", backend]
    assert main(["train", *words, "-o", "run"]) == 0, capsys.readouterr().err
    assert main(["run", *words, "--weights", "run"]) == 0


def test_the_first_template_is_compared_on_every_backend(folder, capsys):
    assert main(["new", "first"]) == 0
    words = ["--backends", ",".join(BACKENDS), "-o", "report.html"]
    assert main(["compare", "first.yaml", *SMALL, *words]) == 0, capsys.readouterr().err
    assert all(name in Path("report.html").read_text(encoding="utf-8") for name in BACKENDS)
