"""The scripts under benchmarks/, on tiny settings; times are not looked at."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run_script(name: str, *arguments: str) -> str:
    """Run a benchmark and return what it prints."""
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "backends"))
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / name), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_table(text: str, first: str) -> dict[str, list[str]]:
    """Return the rows of a Markdown table by their first cell, from the header that starts as given."""
    lines = text[text.index(first) :].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0]: row[1:] for row in rows[: next(k for k, row in enumerate(rows) if len(row) < 2)]}


@pytest.fixture(scope="module")
def step_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tmp_path_factory.mktemp("step") / "page.md"
    printed = run_script(
        "training_step.py", "--rounds", "1", "--steps", "1", "--hidden", "12", "--batch", "4", "-o", str(page)
    )
    assert printed.strip() == page.read_text(encoding="utf-8").strip()
    return printed


def test_a_training_step_is_timed_for_every_ratio_of_time_constants(step_page: str) -> None:
    table = read_table(step_page, "| tau_mem / tau_syn")
    assert list(table) == ["20 / 5", "10 / 10", "10 / 5", "20 / 6.3", "5 / 8"]
    assert all(len(row) == 9 and float(row[-1].strip("*").split()[0]) > 0 for row in table.values())


def test_a_training_step_is_compared_with_the_grid(step_page: str) -> None:
    table = read_table(step_page, "| solver")
    grids = {f"grid of {step} ms, {kind}" for step in ("1", "0.1") for kind in ("float32", "float64")}
    assert {"event-driven", *grids} == set(table)


def test_a_large_network_has_its_memory_measured(tmp_path: Path) -> None:
    printed = run_script("large_network.py", "300", "30", "-o", str(tmp_path / "page.md"))
    lines = [line for line in printed.splitlines() if line.startswith("| grid")]
    assert len(lines) == 4
    assert all(float(line.split("|")[3]) > 0.0 for line in lines)


def test_a_recurrent_layer_is_compared_with_the_event_queue(tmp_path: Path) -> None:
    settings = ("--hidden", "12", "--batch", "2", "--spikes", "5000", "--rounds", "1")
    printed = run_script("recurrent_layer.py", *settings, "-o", str(tmp_path / "page.md"))
    (row,) = read_table(printed, "| hidden neurons").values()
    assert float(row[0]) > 0.5
    assert max(float(row[4]), float(row[5])) < 1e-9


def test_a_first_step_is_taken_and_its_compilations_are_counted() -> None:
    assert int(run_script("start_up.py", "--first-step", "examples/yin_yang.yaml")) >= 0


def test_processes_are_timed_after_one_that_does_not_count() -> None:
    script = runpy.run_path(str(ROOT / "benchmarks" / "start_up.py"))
    cases = [
        script["Case"](title, (sys.executable, "-c", "print(0)"), target)
        for title, target in (("one", 0.5), ("other", None))
    ]
    timings = script["measure"](cases, 2)
    table = read_table(script["write_report"](cases, timings, ROOT / "model.yaml", []), "| | median")
    assert [len(found) for found in timings] == [2, 2]
    assert table["one"][-1] == "0.5"
    assert float(table["other"][0]) > 0


def test_a_process_that_fails_ends_the_measurement() -> None:
    script = runpy.run_path(str(ROOT / "benchmarks" / "start_up.py"))
    with pytest.raises(SystemExit, match="failed"):
        script["time_process"]((sys.executable, "-c", "raise SystemExit(2)"))
