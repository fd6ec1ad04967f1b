"""Yin-Yang learned with the emulated chip in the loop, with the benchmark's script and settings."""

import json
import runpy
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "brainscales2_yin_yang.py"))
TINY = (
    "parameters.hidden=12",
    "data.dataset.yin_yang={train: 60, validation: 20, test: 20}",
    "training.epochs=1",
)
SHORT = ("data.dataset.yin_yang={train: 1200, validation: 200, test: 400}", "training.epochs=3")


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["yin_yang", *TINY, "--chips", "1", "2", "--seeds", "5", *arguments])
    SCRIPT["main"]()


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Return outcomes of short trainings: with the chip as it is, and without deviations and transferred."""
    found = {}
    for profile in ("calibrated", "uncalibrated"):
        key = ("loop", profile, 2, 1)
        found["loop", profile] = SCRIPT["learn"](key, SHORT, tmp_path_factory.mktemp("run") / "run")
    for outcome in SCRIPT["transfer"](SHORT, [2], 1):
        found[outcome.kind, outcome.profile] = outcome
    return found


def test_every_chip_learns_with_every_seed_and_profile():
    keys = SCRIPT["plan"]([1, 2, 3], [1, 2, 3], True)
    assert len(keys) == len(set(keys)) == 18 + 3 + 3
    assert {key for key in keys if key[0] == "loop"} == {
        ("loop", profile, chip, seed)
        for profile in ("calibrated", "uncalibrated")
        for chip in (1, 2, 3)
        for seed in (1, 2, 3)
    }
    assert not any(key[0] == "coarse" for key in SCRIPT["plan"]([1], [1], False))


def test_a_few_samples_are_learned_on_a_calibrated_chip(short):
    assert short["loop", "calibrated"].accuracy >= 80.0


def test_a_few_samples_are_learned_on_a_chip_that_was_never_calibrated(short):
    assert short["loop", "uncalibrated"].accuracy >= 75.0


def test_weights_learned_with_a_chip_suit_it_better_than_transferred_ones(short):
    for profile in ("calibrated", "uncalibrated"):
        assert short["loop", profile].accuracy > short["transfer", profile].accuracy + 3.0


def test_hidden_neurons_spike_about_once(short):
    assert all(0.1 < outcome.hidden_spikes / 120 < 2.0 for outcome in short.values())


def test_the_page_has_every_result_and_what_is_kept_is_not_done_again(tmp_path, monkeypatch, capsys):
    keep, page = tmp_path / "kept.jsonl", tmp_path / "page.md"
    run(monkeypatch, "--keep", str(keep), "-o", str(page))
    first = page.read_text(encoding="utf-8")
    kept = [json.loads(line) for line in keep.read_text(encoding="utf-8").splitlines()]
    kinds = [(item["kind"], item["profile"], item["chip"]) for item in kept]
    assert sorted(kinds) == sorted(
        [
            *(
                (kind, profile, chip)
                for kind in ("loop", "transfer")
                for profile in ("calibrated", "uncalibrated")
                for chip in (1, 2)
            ),
            ("ideal", "ideal", 0),
            ("coarse", "ideal", 0),
        ]
    )
    for item in kept:
        cells = (item["kind"], item["profile"], item["chip"] or "", 5, f"{item['accuracy']:.2f}")
        assert f"| {' | '.join(map(str, cells))} |" in first
    capsys.readouterr()
    monkeypatch.setitem(SCRIPT["run_all"].__globals__, "work", lambda *_: pytest.fail("was done"))
    run(monkeypatch, "--keep", str(keep), "-o", str(page))
    assert page.read_text(encoding="utf-8") == first


def test_a_summary_is_of_one_kind_and_profile_alone():
    outcomes = [
        SCRIPT["Outcome"]("loop", profile, chip, 1, accuracy, accuracy, 0, 60.0, 3.0, 1, 1.0)
        for profile, chip, accuracy in (
            ("calibrated", 1, 95.0),
            ("calibrated", 2, 97.0),
            ("uncalibrated", 1, 90.0),
        )
    ]
    assert SCRIPT["summarize"](outcomes, "loop", "calibrated") == "96.00 ± 1.41 % (95.0 to 97.0, 2)"
    assert SCRIPT["summarize"](outcomes, "loop", "uncalibrated") == "90.00 %"
    assert SCRIPT["summarize"](outcomes, "transfer", "calibrated") == "not run"
