"""The scripts under benchmarks/, on tiny settings; times are not looked at."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netdesc.budget import Allowance

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
    assert all(len(row) == 8 and float(row[-1].strip("*").split()[0]) > 0 for row in table.values())


def test_a_training_step_is_compared_with_the_grid(step_page: str) -> None:
    table = read_table(step_page, "| solver")
    grids = {f"grid of {step} ms, {kind}" for step in ("1", "0.1") for kind in ("float32", "float64")}
    assert {"event-driven", *grids} == set(table)


def test_a_large_network_has_its_memory_measured(tmp_path: Path) -> None:
    printed = run_script("large_network.py", "300", "30", "-o", str(tmp_path / "page.md"))
    lines = [line for line in printed.splitlines() if line.startswith(("| grid", "| event"))]
    assert len(lines) == 9
    assert all(float(line.split("|")[3]) > 0.0 for line in lines)


def test_forecasts_are_written_next_to_what_is_measured(tmp_path: Path) -> None:
    settings = ("--samples", "64", "--only", "yin_yang, event", "-o", str(tmp_path / "page.md"))
    (row,) = read_table(run_script("forecast.py", *settings), "| case").values()
    assert all(float(cell.strip("*")) > 0.0 for cell in row)
    assert len(row) == 8


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


@pytest.fixture(scope="module")
def microcircuit() -> dict[str, Any]:
    """Return the names of the benchmark of the microcircuit."""
    return runpy.run_path(str(ROOT / "benchmarks" / "microcircuit.py"))


def test_the_microcircuit_has_the_published_numbers(
    microcircuit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netdesc.budget.available", lambda: 1e12)
    monkeypatch.setattr("netdesc.description.sections.build.allowance", lambda _: Allowance(1e12, "memory"))
    model = microcircuit["describe"](1.0, 1.0, 100.0, 1)
    given = microcircuit["translate"](model, 1)
    assert sum(item["size"] for item in given["populations"].values()) == 77169
    assert sum(item["number"] for item in given["projections"]) == pytest.approx(298880969, abs=55)
    assert len(given["projections"]) == 55
    assert given["populations"]["L4E"]["parameters"]["I_e"] == pytest.approx(2100 * 8e-3 * 87.81 * 0.5)
    doubled = next(item for item in given["projections"] if (item["pre"], item["post"]) == ("L4E", "L23E"))
    assert doubled["weight"] == pytest.approx((2 * 87.81, 0.2 * 87.81))


def test_fewer_synapses_of_the_microcircuit_have_the_same_mean_input(microcircuit: dict[str, Any]) -> None:
    """The current that a neuron lacks is that of all its synapses at the published rates."""
    given = microcircuit["translate"](microcircuit["describe"](0.2, 0.25, 100.0, 1), 1)
    rates = {name: values[1] for name, values in microcircuit["PUBLISHED"].items()}
    external = {"L23E": 1600, "L23I": 1500, "L4E": 2100, "L4I": 1900, "L5E": 2000, "L5I": 1900, "L6E": 2900}
    for name, inputs in external.items():
        size = given["populations"][name]["size"]
        # a quarter of the synapses with twice the weight give half of the mean current
        half = sum(
            item["number"] / size * rates[item["pre"]] * item["weight"][0] * 0.5e-3
            for item in given["projections"]
            if item["post"] == name
        )
        expected = inputs * 8e-3 * 87.81 * 0.5 + half
        assert given["populations"][name]["parameters"]["I_e"] == pytest.approx(expected, rel=2e-3)


def test_the_microcircuit_has_its_cost_and_rates_on_a_page(microcircuit: dict[str, Any]) -> None:
    size = (0.02, 0.2)
    mine = microcircuit["run_netdesc"](size, 100.0, 1)
    theirs = mine | {"run": 2.0 * mine["run"], "memory": 3.0 * mine["memory"]}
    page = "\n".join([*microcircuit["write_size"](size, 100.0, {"netdesc": [mine], "NEST": [theirs]}), ""])
    costs = read_table(page, "| | netdesc")
    assert costs["run, processor time / s"][2] == "**2.0**"
    assert costs["largest resident memory / MB"][2] == "**3.0**"
    rates = read_table(page, "| population")
    assert list(rates) == list(microcircuit["PUBLISHED"])
    assert float(rates["L4E"][0]) == pytest.approx(mine["spikes"]["L4E"] / 438 / 0.1, abs=0.01)
