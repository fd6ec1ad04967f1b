"""The runner that compares netdesc with other simulators, without any of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_benchmarks import read_table, run_script

PEERS = Path(__file__).resolve().parents[1] / "benchmarks" / "peers"


@pytest.fixture
def contest(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PEERS))
    import contest

    return contest


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(PEERS))
    import page

    return page


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    monkeypatch.syspath_prepend(str(PEERS / "workers"))
    import protocol
    import samples

    return protocol, samples


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


def test_weights_are_scaled_until_spikes_are_met_to_two_per_cent(workers: Any) -> None:
    protocol, _ = workers
    for target in (1.0, 40.0, 5000.0):
        gain = protocol.calibrate(lambda gain: 10.0 * gain**1.5, target)
        assert abs(10.0 * gain**1.5 - target) <= 0.02 * target
    # A count that jumps over the target ends where it jumps.
    assert abs(protocol.calibrate(lambda gain: 100.0 * (gain > 3.0), 50.0) - 3.0) < 1e-3


def test_every_input_spike_is_in_one_bin_of_its_batch(workers: Any) -> None:
    _, samples = workers
    times, channels = np.array([0.0, 0.99, 1.0, 3.9, 4.0]), np.array([0, 0, 1, 2, 2])
    data = samples.Samples(times, channels, np.array([0, 0, 1, 2, 3]), np.array([5, 6, 7, 8]), 2, 3, 4.0)
    bins = data.bins(1.0)
    assert bins.shape == (2, 4, 2, 3)
    assert bins[0, 0, 0, 0] == 2
    assert bins[0, 1, 1, 1] == bins[1, 3, 0, 2] == 1
    # A spike at the end of a sample is in its last bin.
    assert bins[1, 3, 1, 2] == 1
    assert bins.sum() == 5
    assert data.targets().tolist() == [[5, 6], [7, 8]]


def test_a_contestant_is_compared_in_the_same_round(contest: Any, page: Any) -> None:
    results = [
        contest.Result(
            "netdesc, event-driven", "netdesc", 1.0, {"spikes": {"hidden": 9.0}, "precision": "float64"}
        ),
        contest.Result("peer", "peer", 1.0, {"spikes": {"hidden": 9.1}, "precision": "float32"}),
        contest.Result("absent", "absent", fault="not installed: a | b"),
    ]
    results[0].processor, results[1].processor = [1.0, 2.0, 4.0], [3.0, 4.0, 4.0]
    results[0].wall = results[1].wall = [5.0, 5.0, 5.0]
    record = contest.as_record(make_case(contest), results)
    table = read_table("\n".join([*page.write_case(record), ""]), "| contestant")
    assert table["peer"][2] == "4000 (3000 to 4000)"
    assert table["peer"][3] == "**2 (1 to 3)**"
    assert table["absent"][2:] == ["not installed: a / b", "", "", ""]
    assert find_lengths(table) == {6}


def test_times_have_no_ratio_where_netdesc_did_not_finish(contest: Any, page: Any) -> None:
    results = [contest.Result("netdesc, event-driven", "netdesc", fault="no answer within 1 s")]
    results += [
        contest.Result("peer", "peer", 1.0, {"spikes": {"hidden": 9.1}, "precision": "float32"}, [1.0], [1.0])
    ]
    record = contest.as_record(make_case(contest), results)
    table = read_table("\n".join([*page.write_case(record), ""]), "| contestant")
    assert table["peer"][2:4] == ["1000 (1000 to 1000)", ""]
    assert find_lengths(table) == {6}


def find_lengths(table: dict[str, list[str]]) -> set[int]:
    return {len(row) for row in table.values()}


def test_the_last_error_of_an_output_is_its_reason(contest: Any) -> None:
    assert contest.find_reason("a note\nERROR: no release\nof hints\n") == "ERROR: no release"
    assert contest.find_reason("a note\nanother\n") == "another"
    assert contest.find_reason("") == "no output"
