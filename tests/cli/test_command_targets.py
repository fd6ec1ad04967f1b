"""What commands refuse to write over, before anything runs."""

import os
from pathlib import Path

import numpy as np
import pytest

import netdesc.comparison  # noqa: F401  (imported before a test replaces compile)
from netdesc.cli import main
from netdesc.cli.preparation import list_mentioned
from netdesc.description.reading.mapping import tree
from netdesc.description.sections.build import list_mentions

MODEL = """netdesc: 1
simulation: {duration: 10 ms}
populations:
  a: {size: 2, source: {spike_times: {times: [[1 ms], [2 ms]]}}}
  b: {size: 2, neuron: LIF}
projections:
  ab: {pre: a, post: b, weight: {file: w.npy}, delay: 1 ms}
"""


@pytest.fixture
def model(tmp_path, monkeypatch):
    def ran(*_, **__):
        raise AssertionError("something ran before the targets were checked")

    monkeypatch.setattr("netdesc.api.compile", ran)
    monkeypatch.chdir(tmp_path)
    np.save("w.npy", np.ones((2, 2)))
    Path("model.yaml").write_text(MODEL, encoding="utf-8")
    return Path("model.yaml")


WRITERS = [
    ("run", "-o"),
    ("run", "--plot"),
    ("gradient", "-o"),
    ("graph", "-o"),
    ("compare", "-o"),
    ("compare", "--csv"),
]


def attempt(command, option, model, target):
    more = ["--backends", "numba"] if command == "compare" else []
    return main([command, str(model), option, str(target), *more])


@pytest.mark.parametrize(("command", "option"), WRITERS)
@pytest.mark.parametrize("way", ["model", "hard link", "symbolic link", "detour", "array", "pipe", "loop"])
def test_no_command_writes_over_what_it_reads_or_what_is_no_file(model, capsys, command, option, way):
    target = Path("target.png")
    if way == "hard link":
        target.hardlink_to(model)
    elif way == "symbolic link":
        target.symlink_to(model)
    elif way == "pipe":
        os.mkfifo(target)
    elif way == "loop":
        target.symlink_to(target)
    else:
        Path("deep").mkdir()
        target = {"model": model, "detour": Path("deep/../model.yaml"), "array": Path("w.npy")}[way]
    before = model.read_bytes(), Path("w.npy").read_bytes(), os.lstat(target)
    assert attempt(command, option, model, target) == 2
    assert (model.read_bytes(), Path("w.npy").read_bytes()) == before[:2]
    assert os.lstat(target).st_ino == before[2].st_ino
    errors = capsys.readouterr().err
    expected = {"pipe": "is a named pipe", "loop": "form a loop"}.get(way, "is read by this command")
    assert expected in errors or (way == "array" and "a name that ends with" in errors)


@pytest.mark.parametrize(
    ("words", "both"),
    [
        (["run", "-o", "a.png", "--plot", "./a.png"], "-o and --plot"),
        (["compare", "--backends", "numba", "-o", "a", "--csv", "a"], "-o and --csv"),
    ],
)
def test_two_outputs_of_a_command_are_two_files(model, capsys, words, both):
    assert main([words[0], str(model), *words[1:]]) == 2
    assert f"is the target of both {both}" in capsys.readouterr().err


def test_weights_are_not_written_over(model, capsys):
    Path("weights.h5").write_bytes(b"weights")
    assert main(["run", str(model), "--weights", "weights.h5", "-o", "weights.h5"]) == 2
    assert Path("weights.h5").read_bytes() == b"weights"


def test_a_result_is_not_drawn_over_itself(tmp_path, capsys, monkeypatch):
    from netdesc import results
    from netdesc.events import Events

    path = tmp_path / "out.png"
    results.write(results.Results({"a": Events.from_lists([[[1.0]]])}, {"a": 1}, 2.0), path)
    before = path.read_bytes()
    assert main(["plot", str(path), "-o", str(path)]) == 2
    assert path.read_bytes() == before
    assert "is read by this command" in capsys.readouterr().err


@pytest.mark.parametrize("picture", ["out.xyz", "out"])
def test_a_picture_of_no_format_is_refused_before_anything_runs(model, capsys, picture):
    assert main(["run", str(model), "--plot", picture]) == 2
    assert "expected a name that ends with .png" in capsys.readouterr().err


def test_a_training_does_not_write_over_the_file_it_reads(model, capsys):
    Path("run").mkdir()
    model.rename("run/resolved.yaml")
    Path("w.npy").rename("run/w.npy")
    assert main(["train", "run/resolved.yaml", "-o", "run"]) == 2
    assert Path("run/resolved.yaml").read_text() == MODEL
    assert "resolved.yaml is read by this command" in capsys.readouterr().err


def test_every_file_that_a_description_mentions_is_found(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("w.h5", "spikes.csv", "images/train-images-idx3-ubyte.gz", "images/notes.txt", "out"):
        (tmp_path / name).write_text("")
    data = {
        "name": "out",
        "data": {"dataset": {"mnist": {"path": "images"}}},
        "populations": {"a": {"source": {"spike_file": "spikes.csv"}, "tau": "10 ms"}},
        "projections": {"p": {"weight": {"file": "w.h5:matrix"}, "values": [[0.5, "x" * 5000, "\0"]]}},
    }
    mentions = list_mentions(tree(data))
    assert "10 ms" not in mentions
    found = {str(path.relative_to(tmp_path)) for path in list_mentioned(mentions, tmp_path)}
    assert found == {"w.h5", "spikes.csv", "images/train-images-idx3-ubyte.gz"}


def test_new_makes_the_target_of_a_dangling_link_and_keeps_what_exists(tmp_path, capsys):
    link, pipe = tmp_path / "link.yaml", tmp_path / "pipe.yaml"
    link.symlink_to(tmp_path / "real.yaml")
    os.mkfifo(pipe)
    assert main(["new", "yin-yang", str(link)]) == 0
    assert (tmp_path / "real.yaml").read_text().count("netdesc: 1") == 1
    assert main(["new", "yin-yang", str(link)]) == 2
    assert main(["new", "yin-yang", str(pipe)]) == 2
    assert "is a named pipe" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "..", "a/b", "\\x1b[31m", "x" * 300])
def test_a_name_never_leads_out_of_runs(tmp_path, monkeypatch, capsys, name):
    asked = []

    def stop(*_, output, **__):
        asked.append(output)
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("netdesc.training.train", stop)
    Path("model.yaml").write_text(f'name: "{name}"\n' + MODEL.replace("{file: w.npy}", "1"), encoding="utf-8")
    assert main(["train", "model.yaml"]) == 130
    assert asked[0].resolve().parent == (tmp_path / "runs").resolve()
    errors = capsys.readouterr().err
    assert f"the run is written to {asked[0]}" in errors
    assert "\x1b" not in errors
