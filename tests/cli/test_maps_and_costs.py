import json
import re
from pathlib import Path

import pytest

from netdesc.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
YIN_YANG = str(EXAMPLES / "yin_yang.yaml")
SMALL = (
    "data.dataset.yin_yang={train: 50, validation: 10, test: 10}",
    "populations.hidden.size=12",
    "training.epochs=1",
    "training.batch_size=20",
    "simulation.duration=27 ms",
    "data.encoder.latency.t_late=26 ms",
    "backends.spinnaker2={batch: 20, scheme: off_grid}",
)


@pytest.fixture
def command(capsys):
    def run(*words):
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def answer(command):
    def run(*words, status=0):
        found, out, err = command(*words, "--json")
        assert found == status, err
        return json.loads(out)

    return run


def test_check_tells_needs_limits_and_tags_of_the_chip(answer):
    verdict = answer("check", YIN_YANG, *SMALL, "--backend", "spinnaker2")["backends"]["spinnaker2"]
    estimate = verdict["estimate"]
    shares = {item["name"]: item for item in estimate["shares"]}
    assert shares["processing elements"]["need"] == 20 * 4 + 2
    assert shares["SRAM of the fullest PE"]["limit"] == 94208
    assert {item["tag"] for item in estimate["shares"]} <= set("VRDA")
    assert estimate["numbers"]["packet_energy"]["tag"] == "V"


def test_an_epoch_takes_its_steps(answer):
    verdict = answer("check", YIN_YANG, *SMALL, "--backend", "spinnaker2")["backends"]["spinnaker2"]
    estimate = verdict["estimate"]
    step, epoch = estimate["step"]["costs"], estimate["epoch"]
    assert epoch["steps"] == 3
    assert epoch["costs"]["energy_mJ"] == pytest.approx(3 * step["energy_mJ"])
    assert epoch["costs"]["peak_cycles"] == step["peak_cycles"]


def test_check_prints_the_estimate_for_people(command):
    status, out, _ = command("check", YIN_YANG, *SMALL, "--backend", "spinnaker2")
    assert status == 0
    assert "SRAM of the fullest PE" in out
    assert "epoch of 3 steps" in out
    assert "A assumed: synapse_cycles 50 cycles" in out


def test_check_of_a_backend_without_estimates_has_none(answer):
    assert answer("check", YIN_YANG, "--backend", "numba")["backends"]["numba"]["estimate"] is None


def test_a_run_has_its_estimate_beside_what_was_counted(answer):
    found = answer("run", YIN_YANG, *SMALL, "--backend", "spinnaker2")
    beside = found["estimate"]["per_sample"]
    assert beside["time_ms"]["ratio"] == 1.0
    assert beside["packets_spike"]["counted"] == found["costs"]["packets_spike"] / found["samples"]
    assert beside["packets_late"] == {"estimated": None, "counted": 0.0, "ratio": None}


def test_a_training_and_its_evaluation_have_their_costs(answer, command, tmp_path):
    on_device = (*SMALL, "training.on_device=true", "training.silent_neurons=ignore")
    trained = answer("train", YIN_YANG, *on_device, "--backend", "spinnaker2", "-o", tmp_path / "run")
    epoch = trained["last_epoch"]
    assert epoch["samples"] == 50
    assert trained["estimate"]["per_sample"]["packets_gradient"]["ratio"] == pytest.approx(1.0)
    energy = trained["estimate"]["per_sample"]["energy_mJ"]["counted"]
    assert energy == pytest.approx(epoch["costs"]["energy_mJ"] / 50)
    head = (tmp_path / "run" / "metrics.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "cost_energy_mJ" in head.split(",")
    status, out, _ = command(
        "evaluate",
        YIN_YANG,
        *on_device,
        "--backend",
        "spinnaker2",
        "--weights",
        tmp_path / "run",
        "expect.test_accuracy.min=0",
    )
    assert status == 0
    assert re.search(r"per sample +estimated +counted +ratio", out)


def test_show_prints_the_map_of_the_chip(command, answer):
    status, text, _ = command("show", YIN_YANG, *SMALL, "--backend", "spinnaker2")
    assert status == 0
    assert "layer hidden[0:12] copy 19 at chip 0,0 PE" in text
    found = answer("show", YIN_YANG, *SMALL, "--backend", "spinnaker2")["map"]
    assert found["copies"] == 20
    assert all(item["bytes"] == sum(item["memory"].values()) for item in found["slices"])


def test_show_says_that_a_backend_has_no_map(command):
    status, _, err = command("show", YIN_YANG, "--backend", "numba")
    assert status == 3
    assert "has no resource placement" in err


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_graph_draws_the_network_and_the_chip(answer, tmp_path, ending, start):
    picture = tmp_path / f"picture.{ending}"
    found = answer(
        "graph", YIN_YANG, *SMALL, "backends.spinnaker2.batch=2", "--backend", "spinnaker2", "-o", picture
    )
    assert picture.read_bytes().startswith(start)
    assert found["panels"] == ["memory of 10 PEs on 1 chip", "work of 10 PEs on 1 chip"]


def test_graph_refuses_what_is_no_picture(command, tmp_path):
    status, _, err = command("graph", YIN_YANG, "-o", tmp_path / "picture.txt")
    assert status == 2
    assert ".png, .svg, .pdf" in err


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("backends.spinnaker2.scheme=papr", "did you mean 'paper'?"),
        ("backends.spinnaker2.schem=paper", "did you mean 'scheme'?"),
        ("backends.spinnaker2.profile={synapse_cycle: 30}", "did you mean 'synapse_cycles'?"),
        ("backends.spinnaker2.slices={hidden: 0}", "must be at least 1"),
        ("backends.spinnaker2.rates={hidden: 0.05}", "for example 0.05 Hz"),
        ("backends.spinnaker2.tick=1", "for example 1 ms"),
    ],
)
def test_a_wrong_option_of_the_chip_is_told_by_the_reader(command, option, told):
    status, _, err = command("check", YIN_YANG, option)
    assert status == 2
    assert told in err
