"""Bits that are read from the chip for a gradient, and how good it is, with the benchmark's settings."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import netdesc

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "brainscales2_information.py"))
SAMPLES, FEW = 30, ["data.dataset.yin_yang.train=200", "data.dataset.yin_yang.test=20"]
READINGS = int(42 / 1.7) + 1


@pytest.fixture(scope="module")
def outcomes():
    methods = SCRIPT["list_methods"]((1, 4), 1.0)
    return {
        method.name: SCRIPT["measure"](
            method, SCRIPT["load"](method, 1, FEW), state="initial", chip=1, weights=None, samples=SAMPLES
        )
        for method in methods
    }


def bits(outcome):
    return outcome.events + outcome.readings


def median(outcome, projection):
    return float(
        np.nanmedian(
            [
                SCRIPT["cosine"](mine, true)
                for mine, true in zip(outcome.found[projection], outcome.exact[projection], strict=True)
            ]
        )
    )


def test_eventprop_reads_a_tenth_of_the_bits_of_the_surrogate_gradient_for_a_better_gradient(outcomes):
    ours, theirs = outcomes["EventProp, voltages"], outcomes["surrogate, every 1.7 us"]
    assert bits(theirs) > 10.0 * bits(ours)
    for projection in SCRIPT["PROJECTIONS"]:
        assert median(ours, projection) >= median(theirs, projection)


def test_spike_times_alone_are_enough_for_a_gradient(outcomes):
    spikes = outcomes["EventProp, first spikes"]
    # `pull` reads one sample of each output
    assert spikes.readings == 3 * 8
    assert bits(spikes) < bits(outcomes["EventProp, voltages"])
    for projection in SCRIPT["PROJECTIONS"]:
        assert median(spikes, projection) > 0.7


def test_bits_of_readings_are_those_of_the_neurons_that_a_gradient_needs(outcomes):
    assert outcomes["EventProp, voltages"].readings == 8 * 3 * READINGS
    assert outcomes["surrogate, every 1.7 us"].readings == 8 * 123 * READINGS
    assert outcomes["surrogate, every 6.8 us"].readings == 8 * 123 * (int(42 / 6.8) + 1)


def test_a_run_tells_bits_of_events_and_of_readings():
    model = SCRIPT["load"](SCRIPT["Method"](""), 1, FEW)
    trace = netdesc.run(model, backend="brainscales2")
    assert trace.costs["bits_of_events"] == 32 * len(trace.spikes["hidden"]) > 0
    assert trace.costs["bits_of_readings"] == 8 * 3 * READINGS * trace.batch
    assert trace.costs["bits_read"] == trace.costs["bits_of_events"] + trace.costs["bits_of_readings"]


def test_the_page_has_a_row_of_each_method_at_both_weights(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    monkeypatch.setattr(
        "sys.argv",
        [
            "information",
            *FEW,
            "training.epochs=1",
            "--chips",
            "1",
            "--samples",
            "60",
            "--decimations",
            "1",
            "-o",
            str(page),
        ],
    )
    SCRIPT["main"]()
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    assert [row.split("|")[1].strip() for row in rows] == ["initial"] * 3 + ["trained"] * 3
    assert page.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")
    assert "times the bits of EventProp" in capsys.readouterr().out
