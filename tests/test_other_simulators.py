"""The runner that compares netdesc with other simulators, without any of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.test_benchmarks import read_table, run_script

PEERS = Path(__file__).resolve().parents[1] / "benchmarks" / "peers"


@pytest.fixture
def contest(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PEERS))
    import contest

    return contest


def make_case(contest: Any, *entries: Any) -> Any:
    return contest.Case("recurrent", "H = 1", "sample", 1, {"threads": 1, "turn": 0.0}, entries)


def test_netdesc_alone_fills_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    options = ["--work", "recurrent", "--peers", "", "--hidden", "8", "--batch", "2", "--spikes", "300"]
    files = ["--records", str(tmp_path / "records.json"), "-o", str(page)]
    printed = run_script("peers/run.py", *options, "--rounds", "2", "--turn", "0.01", *files)
    assert page.read_text(encoding="utf-8").strip() in printed
    table = read_table(printed, "| contestant")
    assert list(table) == ["netdesc, event-driven", "netdesc, grid 1 ms"]
    assert all(float(row[2].split()[0]) > 0 for row in table.values())
    assert table["netdesc, event-driven"][3] == "**1 (1 to 1)**"
    assert abs(float(table["netdesc, event-driven"][1].split()[1]) - 96) < 10
    assert (tmp_path / "page_recurrent.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_simulator_that_is_not_installed_is_reported_with_the_reason(contest: Any) -> None:
    case = make_case(contest, contest.Entry("missing", "missing", "netdesc_training"))
    environments = {"missing": contest.Environment("missing", Path("python"), "no such release")}
    (result,) = contest.compete(case, environments, rounds=1, limit=10.0, budget=1.0)
    assert result.fault == "not installed: no such release"
    assert result.wall == []


def test_a_worker_that_ends_is_reported_with_its_last_error(contest: Any) -> None:
    case = make_case(contest, contest.Entry("broken", "python", "netdesc_training"))
    environments = {"python": contest.Environment("python", Path(sys.executable))}
    (result,) = contest.compete(case, environments, rounds=1, limit=60.0, budget=1.0)
    assert result.fault == "ended: KeyError: 'samples'"


def test_a_worker_that_does_not_answer_is_ended(contest: Any) -> None:
    case = make_case(contest, contest.Entry("slow", "python", "netdesc_training"))
    environments = {"python": contest.Environment("python", Path(sys.executable))}
    (result,) = contest.compete(case, environments, rounds=1, limit=0.01, budget=1.0)
    assert result.fault == "no answer within 0.01 s"


def test_the_last_error_of_an_output_is_its_reason(contest: Any) -> None:
    assert contest.find_reason("a note\nERROR: no release\nof hints\n") == "ERROR: no release"
    assert contest.find_reason("a note\nanother\n") == "another"
    assert contest.find_reason("") == "no output"
