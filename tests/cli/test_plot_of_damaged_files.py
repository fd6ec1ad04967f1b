"""``netdesc plot`` on files that are not as it wrote them."""

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from netdesc import results
from netdesc.cli.entry import main
from netdesc.events import Events
from netdesc.results import Results
from netdesc.trace import Recording


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.h5"
    events = Events.from_lists([[[1.0, 2.0], [3.0]], [[], [4.0]]])
    recording = Recording(np.array([0.0, 1.0]), np.array([1]), np.array([[[0.5, 0.25]], [[0.0, 1.0]]]))
    results.write(Results({"cells": events}, {"cells": 2}, 5.0, {"cells.v": recording}, {"seed": "7"}), path)
    with h5py.File(path, "a") as content:
        content["weights/a_to_b.weight"] = np.arange(4.0)
    return path


def put(name: str, values: object) -> Callable[[h5py.File], None]:
    def change(content: h5py.File) -> None:
        del content[name]
        content[name] = values

    return change


def mark(name: str, key: str, value: object) -> Callable[[h5py.File], None]:
    def change(content: h5py.File) -> None:
        content[name].attrs[key] = value

    return change


def lose(name: str, key: str | None = None) -> Callable[[h5py.File], None]:
    def change(content: h5py.File) -> None:
        if key:
            del content[name].attrs[key]
        else:
            del content[name]

    return change


CELLS, VOLTAGE = "spikes/cells", "recordings/cells.v"


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("raster", lose(f"{CELLS}/timestamps"), "expected /spikes/cells/timestamps, but"),
        ("raster", lose(f"{CELLS}/node_ids"), "expected /spikes/cells/node_ids, but"),
        ("raster", put(f"{CELLS}/timestamps", [1.0]), "/spikes/cells/node_ids to have the shape 1, got 4"),
        ("raster", put(f"{CELLS}/timestamps", [np.nan] * 4), "got nan at index [0]"),
        ("raster", put(f"{CELLS}/timestamps", ["a"] * 4), "expected real numbers"),
        ("raster", put(f"{CELLS}/timestamps", 1.0), "to have the shape any, got a single number"),
        ("raster", put(f"{CELLS}/node_ids", [0, 1, 2, 0]), "expected numbers below 2, got 2"),
        ("raster", put(f"{CELLS}/node_ids", [0, 1, -1, 0]), "got -1 at index [2]"),
        ("raster", put(f"{CELLS}/node_ids", [0, 0.5, 1, 0]), "got 0.5 at index [1]"),
        ("raster", put(f"{CELLS}/sample_ids", [0, 0, 7, 0]), "expected numbers below 2, got 7"),
        ("raster", put(CELLS, 1.0), "expected /spikes/cells to be a group"),
        ("raster", h5py.File.clear, "got neither"),
        ("raster", lose(CELLS, "size"), "attribute size of /spikes/cells to be a finite number, got nothing"),
        ("raster", mark(CELLS, "size", "many"), "got 'many'"),
        ("raster", mark(CELLS, "size", -1), "at least 0, got -1"),
        ("raster", lose("/", "batch"), "attribute batch of / to be a finite number, got nothing"),
        ("raster", mark("/", "batch", 0), "at least 1, got 0"),
        ("raster", mark("/", "batch", 1e15), "in memory, got 1000000000000000 samples"),
        ("raster", mark("/", "duration", np.inf), "attribute duration of / to be a finite number, got inf"),
        ("raster", put("provenance/seed", 5.0), "expected /provenance/seed to be a text"),
        ("raster", put("provenance", 5.0), "expected /provenance to be a group"),
        ("raster", mark("costs", "time_ms", "long"), "attribute time_ms of /costs"),
        ("raster", put("recordings", h5py.SoftLink("/recordings")), "got more than 16 links"),
        ("raster", put("spikes", h5py.ExternalLink("other.h5", "/spikes")), "got a link to another file"),
        ("traces", put(f"{VOLTAGE}/values", np.zeros((2, 1, 3))), "the shape 2 x 1 x 2, got 2 x 1 x 3"),
        ("traces", put(f"{VOLTAGE}/values", np.zeros(4)), "the shape 2 x 1 x 2, got 4"),
        ("traces", put(f"{VOLTAGE}/times", [0.0, np.inf]), "got inf at index [1]"),
        ("traces", put(f"{VOLTAGE}/node_ids", ["a"]), "expected real numbers"),
        ("traces", put(VOLTAGE, 1.0), "expected /recordings/cells.v to be a group"),
        ("weights", put("weights/a_to_b.weight", [1.0, np.nan]), "got nan at index [1]"),
        ("weights", put("weights/a_to_b.weight", [1j]), "got complex numbers"),
        ("weights", put("weights/a_to_b.weight", h5py.Empty("f8")), "got no values"),
    ],
)
def test_a_file_that_was_changed_gives_a_message(
    file: Path,
    kind: str,
    change: Callable[[h5py.File], None],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with h5py.File(file, "a") as content:
        change(content)
    assert main(["plot", str(file), "--kind", kind]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "run.h5" in told
    assert "Traceback" not in told


def test_a_file_that_is_cut_off_gives_a_message(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for size in (0, 1, 8, 100, file.stat().st_size // 2):
        os.truncate(file, size)
        assert main(["plot", str(file)]) == 2
        assert "expected" in capsys.readouterr().err


def test_names_that_mean_something_to_matplotlib_are_drawn_as_they_are(file: Path) -> None:
    with h5py.File(file, "a") as content:
        content.move("spikes/cells", "spikes/$\\frac$")
    assert main(["plot", str(file), "--kind", "raster"]) == 0


def test_a_result_without_spikes_has_its_recordings_drawn(file: Path) -> None:
    with h5py.File(file, "a") as content:
        del content["spikes/cells"]
    assert main(["plot", str(file), "--kind", "traces"]) == 0
    assert results.read(file).batch == 2
