"""``netdesc test`` and ``netdesc plot``."""

import json

import numpy as np
import pytest

from netdesc.cli import main

TEXT = """
netdesc: 1
name: small
simulation: {{duration: 40 ms}}
populations:
  input: {{size: 2, source: {{spike_times: {{times: [[1 ms, 6 ms], [4 ms]]}}}}}}
  output: {{size: 2, neuron: {{LIF: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}}}
projections:
  drive: {{pre: input, post: output, weight: {{init: [[2.4, 2.6], [2.0, 3.1]], train: true}}, delay: 1 ms}}
losses:
  goal: {{time_to_first_spike: {{population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003, target: 0}}}}
record:
  output: [spikes, {{v: {{every: 1 ms}}}}]
expect: {expect}
"""


@pytest.fixture
def run(tmp_path, capsys):
    """Write a file with expectations, run a command on it, and return status and JSON."""

    def go(expect, command="test", *more):
        path = tmp_path / "small.yaml"
        path.write_text(TEXT.format(expect=expect), encoding="utf-8")
        status = main([command, str(path), *more, "--json"])
        return status, json.loads(capsys.readouterr().out)

    return go


@pytest.mark.parametrize(
    ("expect", "met"),
    [
        ("{output: {spikes: {between: [2, 2]}}}", True),
        ("{output: {spikes: {min: 3}}}", False),
        ("{output: {rate: {between: [20 Hz, 30 Hz]}}}", True),
        ("{output: {rate: {max: 24 Hz}}}", False),
        ("{input: {spike_times: {times: [[1 ms, 6 ms], [4 ms]], tolerance: 1 us}}}", True),
        ("{input: {spike_times: {times: [[1 ms, 6.1 ms], [4 ms]], tolerance: 50 us}}}", False),
        ("{input: {spike_times: {times: [[1 ms], [4 ms]], tolerance: 1 ms}}}", False),
        ("{gradient_deviation: {max: 1e-6}}", True),
        ("{loss: {min: 1e3}}", False),
    ],
)
def test_an_expectation_is_met_or_not(run, expect, met):
    status, result = run(expect)
    assert status == (0 if met else 1)
    assert result["passed"] is met
    assert all(item["met"] is met for found in result["files"].values() for item in found)


def test_the_rate_is_told_in_hertz(run):
    _, result = run("{output: {rate: {min: 1 Hz}}}")
    ((found,),) = result["files"].values()
    assert found["value"] == pytest.approx(2 / 2 / 0.04)
    assert found["found"].endswith("Hz")


def test_an_accuracy_without_data_is_told(run):
    status, result = run("{test_accuracy: {min: 0.9}}")
    assert status == 2
    assert "training" in result["errors"][0]["message"]


def test_a_file_that_expects_nothing_is_told(run):
    status, result = run("{}")
    assert status == 2
    assert "expected a section expect, got none" in result["errors"][0]["message"]


def test_spike_times_of_other_neurons_are_told(run):
    status, result = run("{output: {spike_times: {times: [[1 ms]], tolerance: 1 ms}}}")
    assert status == 2
    assert "the population has 2" in result["errors"][0]["message"]


def test_one_wrong_file_does_not_hide_the_others(run, tmp_path, capsys):
    other = tmp_path / "other.yaml"
    other.write_text("netdesc: 1\n", encoding="utf-8")
    status, result = run("{output: {spikes: {min: 1}}}", "test", str(other))
    assert status == 1
    assert len(result["files"]) == 1
    assert str(other) in result["errors"]


def test_overrides_hold_for_every_file(run, tmp_path):
    status, result = run("{output: {spikes: {between: [2, 2]}}}", "test", "projections.drive.weight.init=0.1")
    assert status == 1
    ((found,),) = result["files"].values()
    assert found["value"] == 0.0


def test_overrides_without_a_file_are_told(capsys):
    assert main(["test", "training.epochs=3"]) == 2
    assert "no file to test" in capsys.readouterr().err


def test_the_table_sums_up(run, tmp_path, capsys):
    run("{output: {spikes: {min: 1}, rate: {max: 1 Hz}}}")
    assert main(["test", str(tmp_path / "small.yaml")]) == 1
    assert capsys.readouterr().out.rstrip().endswith("1 of 2 expectations met")


def test_an_expected_accuracy_is_trained_for(tmp_path, capsys):
    path = tmp_path / "points.yaml"
    path.write_text(
        """
netdesc: 1
simulation: {duration: 40 ms, seed: 3}
data:
  dataset: {yin_yang: {train: 8, validation: 4, test: 6}}
  encoder: {latency: {t_early: 0 ms, t_late: 30 ms, bias: 0 ms}}
populations:
  input: {size: 5, source: dataset}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  drive: {pre: input, post: output, weight: {init: {normal: {mu: 2.0, sigma: 0.8}}, train: true}}
losses:
  goal: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}
training: {epochs: 1, batch_size: 4}
expect: {test_accuracy: {min: 0.0}, train_accuracy: {max: 1.0}, loss: {max: 100}}
""",
        encoding="utf-8",
    )
    assert main(["test", str(path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["files"][str(path)]) == 3


def test_a_run_is_drawn_as_raster_and_traces(run, tmp_path, capsys):
    run("{}", "run", "-o", str(tmp_path / "out.h5"))
    assert main(["plot", str(tmp_path / "out.h5"), "--json"]) == 0
    pictures = json.loads(capsys.readouterr().out)["pictures"]
    assert set(pictures) == {"raster", "traces"}
    assert (tmp_path / "out-raster.png").stat().st_size > 1000
    assert (tmp_path / "out-traces.png").stat().st_size > 1000


def test_recorded_adjoints_are_drawn(run, tmp_path, capsys):
    record = "record.output=[{v: {every: 1 ms}}, {lam_v: {every: 1 ms}}, {lam_i: {every: 1 ms}}]"
    status, _ = run("{}", "gradient", record, "-o", str(tmp_path / "out.h5"))
    assert status == 0
    assert main(["plot", str(tmp_path / "out.h5"), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["pictures"]) == {"raster", "traces", "adjoints"}
    assert (tmp_path / "out-adjoints.png").stat().st_size > 1000


def test_adjoints_in_a_file_are_those_of_the_gradient(run, tmp_path):
    from netdesc.results import read

    record = "record.output=[{lam_v: {every: 1 ms}}]"
    _, result = run("{}", "gradient", record, "-o", str(tmp_path / "out.h5"))
    kept = read(tmp_path / "out.h5").recordings["output.lam_v"]
    assert kept.values[0].tolist() == result["recordings"]["output.lam_v"]["values"]
    assert np.any(kept.values != 0.0)


def test_one_picture_of_several_kinds_tells_of_the_others(run, tmp_path, capsys):
    run("{}", "run", "-o", str(tmp_path / "out.h5"))
    assert main(["plot", str(tmp_path / "out.h5"), "-o", str(tmp_path / "one.png")]) == 0
    assert "also holds traces" in capsys.readouterr().err


def test_a_file_without_weights_has_none_to_draw(run, tmp_path, capsys):
    run("{}", "run", "-o", str(tmp_path / "out.h5"))
    assert main(["plot", str(tmp_path / "out.h5"), "--kind", "weights"]) == 2
    assert "it holds raster, traces" in capsys.readouterr().err


def test_weights_are_drawn(tmp_path):
    import h5py

    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["weights/drive.weight"] = [0.1, 0.5, 0.2]
    assert main(["plot", str(tmp_path / "weights.h5"), "-o", str(tmp_path / "w.svg")]) == 0
    assert (tmp_path / "w.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_file_that_is_no_result_is_told(tmp_path, capsys, content):
    path = tmp_path / "x.h5"
    if content is not None:
        path.write_bytes(content)
    assert main(["plot", str(path)]) == 2
    assert "x.h5" in capsys.readouterr().err
