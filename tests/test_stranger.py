"""A backend from elsewhere enters by the same door as ours."""

import json
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from stranger import StrangerBackend

import netdesc
from netdesc import registry
from netdesc.cli import main
from netdesc.errors import BackendError, LimitError

TEXT = """
netdesc: 1
name: strange
simulation: {duration: 30 ms}
populations:
  input: {size: 2, source: {spike_times: {times: [[1 ms, 6 ms], [4 ms]]}}}
  output: {size: 2, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  drive: {pre: input, post: output, weight: {init: [[2.4, 2.6], [2.0, 3.1]], train: true}, delay: 1 ms}
losses:
  goal: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003, target: 0}}
"""


@pytest.fixture
def door(monkeypatch):
    """Offer the stranger beside what is installed."""
    real = registry.entry_points

    def offered(group):
        return [*real(group=group), EntryPoint("stranger", "stranger:StrangerBackend", registry.GROUP)]

    monkeypatch.setattr(registry, "entry_points", offered)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "strange.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_registry_finds_a_stranger(door):
    assert "stranger" in registry.names()
    assert registry.backend_class("stranger") is StrangerBackend


def test_a_model_compiles_for_a_stranger_and_runs_like_ours(door, file):
    model = netdesc.load(file)
    theirs, ours = (netdesc.compile(model, name).forward() for name in ("stranger", "numba"))
    assert theirs.provenance["backend"] == "stranger"
    assert np.allclose(theirs.spikes["output"].times, ours.spikes["output"].times, rtol=0, atol=1e-9)


def test_a_stranger_s_gradient_is_ours(door, file):
    model = netdesc.load(file)
    theirs, ours = (netdesc.grad(model, backend=name) for name in ("stranger", "numba"))
    assert theirs.loss == pytest.approx(ours.loss, rel=1e-9)
    key = "drive.weight"
    assert np.allclose(theirs.gradient.parameters[key], ours.gradient.parameters[key], rtol=1e-6, atol=0)


def test_options_of_a_stranger_stand_in_the_file(door, file):
    model = netdesc.load(file, {"backends.stranger.look": "0.05 ms"})
    assert "0.05 ms" in netdesc.compile(model, "stranger").forward().provenance["solver"]


def test_declared_options_of_a_stranger_are_validated_with_their_places(door, file):
    file.write_text(f"{TEXT}backends:\n  stranger: {{look: 5, lok: 1 ms}}\n", encoding="utf-8")
    with pytest.raises(BackendError) as caught:
        netdesc.compile(netdesc.load(file), "stranger")
    assert [str(item).partition("strange.yaml:")[2] for item in caught.value.diagnostics] == [
        "13:20 OPTION backends.stranger.look: 5 has no unit; look needs a time, for example 5 ms",
        "13:28 OPTION backends.stranger.lok: there is no key 'lok' here; did you mean 'look'?",
    ]


def test_declared_options_of_a_stranger_are_shown_and_completed(door, capsys):
    assert main(["backends"]) == 0
    assert (
        "look    0.1 ms   Longest step between two looks (time, for example in ms)" in capsys.readouterr().out
    )
    assert main(["backends", "--json"]) == 0
    look = json.loads(capsys.readouterr().out)["stranger"]["options"]["look"]
    assert (look["default"], look["x-unit"]) == ("0.1 ms", "ms")
    assert main(["schema"]) == 0
    section = json.loads(capsys.readouterr().out)["properties"]["backends"]["properties"]["stranger"]
    assert section["properties"]["look"] == look
    assert section["additionalProperties"] is False


def test_what_a_stranger_declares_must_be_options(door, file, monkeypatch):
    monkeypatch.setattr(StrangerBackend, "declared_options", ("look",))
    with pytest.raises(BackendError, match="expected a tuple of Option as declared_options"):
        netdesc.compile(netdesc.load(file), "stranger")


def test_what_a_stranger_refuses_is_told_with_its_place(door, file):
    file.write_text(TEXT.replace("delay: 1 ms", "delay: {init: 1 ms, train: true}"), encoding="utf-8")
    with pytest.raises(LimitError) as caught:
        netdesc.compile(netdesc.load(file), "stranger")
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.path) == ("ST-TRAIN", "projections.drive.delay")
    assert fault.location is not None


def test_commands_know_a_stranger(door, file, capsys):
    assert main(["backends", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["stranger"]["models"] == ["LIF", "dataset", "spike_times"]
    assert main(["check", str(file), "--backend", "stranger"]) == 0
    assert "stranger: can run it" in capsys.readouterr().out
    assert main(["run", str(file), "--backend", "stranger", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["spikes"]["output"]) == 2
    assert main(["gradient", str(file), "--backend", "stranger", "--json"]) == 0
    assert np.array(json.loads(capsys.readouterr().out)["gradients"]["drive"]["weight"]).shape == (2, 2)


def test_a_command_refuses_what_a_stranger_refuses(door, file, capsys):
    text = TEXT.replace("LIF: {tau_mem", "LI: {tau_mem").partition("losses:")[0]
    file.write_text(text, encoding="utf-8")
    assert main(["check", str(file), "--backend", "stranger"]) == 3
    assert "ST-MODEL" in capsys.readouterr().out
