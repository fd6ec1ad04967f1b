"""What a backend returns or raises is checked where it is called."""

import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest
from stranger import StrangerBackend
from stranger.faults import planted
from stranger.machine import StrangerMachine

import netdesc
from benchmarks.attacks import wrong_returns
from netdesc import registry
from netdesc.border import FAULT
from netdesc.border.findings import Findings
from netdesc.border.traces import Checked, check_parameters
from netdesc.cli import main
from netdesc.errors import BackendError, Diagnostic, LimitError
from netdesc.events import Events

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
  goal: {time_to_first_spike: {population: output, target: 0}}
training: {optimizer: adam, epochs: 1}
"""

BACKENDS = {}
"""Classes that the entry points of a test name."""


def __getattr__(name):
    if name in BACKENDS:
        return BACKENDS[name]
    raise AttributeError(name)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "strange.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def door(monkeypatch):
    """Offer backends under names, beside what is installed."""
    real, points = registry.entry_points, []

    def offer(**classes):
        for name, value in classes.items():
            if not isinstance(value, str):
                BACKENDS[name] = value
                value = f"{__name__}:{name}"
            points.append(EntryPoint(name, value, registry.GROUP))

    monkeypatch.setattr(registry, "entry_points", lambda group: [*real(group=group), *points])
    yield offer
    BACKENDS.clear()


def with_forward(change):
    """Return the stranger with other traces."""

    class Changed(StrangerMachine):
        def forward(self, stimulus, *, seed):
            return change(super().forward(stimulus, seed=seed))

    return planted(Changed)


def with_times(trace, *times):
    """Return a trace with other spike times of the first neuron of the output."""
    count = np.zeros(len(times), dtype=np.int64)
    events = Events(np.array(times), count, [0, len(times)])
    residuals = {"output": dict.fromkeys(("current", "release_current"), np.zeros(len(times)))}
    return replace(trace, spikes={**trace.spikes, "output": events}, residuals=residuals)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ((1.0, np.nan), "spikes of output, times in ms: expected 0 to 30, got nan at index 1"),
        ((-0.5, 1.0), "spikes of output, times in ms: expected 0 to 30, got -0.5 at index 0"),
        ((1.0, 30.1), "spikes of output, times in ms: expected 0 to 30, got 30.1 at index 1"),
        (
            (5.0, 3.0),
            "expected spikes of a sample ordered by time, then neuron, got neuron 0 at 3.0 ms after "
            "neuron 0 at 5.0 ms, at index 1 in sample 0",
        ),
    ],
)
def test_a_wrong_spike_time_is_named_with_backend_and_population(door, file, capsys, times, told):
    door(stray=with_forward(lambda trace: with_times(trace, *times)))
    assert main(["run", str(file), "--backend", "stray"]) == 3
    message = capsys.readouterr().err
    assert told in message
    assert "FAULT backends.stranger: forward returned" in message
    assert "report it to its authors" in message


def test_spikes_on_both_ends_of_a_run_and_ties_of_neurons_are_right(door, file):
    def change(trace):
        residuals = {"current": np.zeros(4), "release_current": np.array([0.0, 0.0, np.nan, np.nan])}
        events = Events([0.0, 0.0, 30.0, 30.0], [0, 1, 0, 1], [0, 4])
        return replace(
            trace,
            spikes={**trace.spikes, "output": events},
            residuals={"output": residuals},
        )

    door(stray=with_forward(change))
    trace = netdesc.compile(netdesc.load(file), "stray").forward()
    assert trace.spikes["output"].times[-1] == 30.0


def test_all_faults_of_a_trace_are_told_at_once(door, file):
    door(stray=with_forward(lambda trace: replace(trace, health={"arrivals": -1}, costs=None)))
    with pytest.raises(BackendError) as caught:
        netdesc.compile(netdesc.load(file), "stray").forward()
    assert [item.code for item in caught.value.diagnostics] == [FAULT, FAULT]
    assert "health['arrivals']: expected a count, got -1" in str(caught.value)
    assert "costs: expected a mapping, got None" in str(caught.value)


@pytest.mark.parametrize("command", ["gradient", "train"])
def test_a_gradient_that_is_not_finite_is_named(door, file, tmp_path, capsys, command):
    class Endless(StrangerMachine):
        def adjoint(self, trace, cotangent):
            gradient = super().adjoint(trace, cotangent)
            return replace(gradient, parameters={"drive.weight": np.array([0.0, 0.0, np.inf, 0.0])})

    door(endless=planted(Endless))
    output = ["-o", str(tmp_path / "run")] if command == "train" else []
    assert main([command, str(file), "--backend", "endless", *output]) == 3
    message = capsys.readouterr().err
    assert "parameters of drive.weight: expected finite numbers, got inf at index 2" in message
    assert ("epoch 1, step 1" in message) == (command == "train")


@pytest.mark.parametrize("error", [ValueError("a\nb"), SystemExit(0), BackendError([3]), StopIteration()])
def test_an_exception_of_a_stranger_is_a_message(door, file, capsys, error):
    def fail(trace):
        raise error

    door(stray=with_forward(fail))
    assert main(["run", str(file), "--backend", "stray"]) == 3
    message = capsys.readouterr().err
    assert f"forward raised {type(error).__name__}" in message
    assert message.count("\n") == 1


def test_an_interruption_stays_one(door, file):
    def interrupt(trace):
        raise KeyboardInterrupt

    door(stray=with_forward(interrupt))
    assert main(["run", str(file), "--backend", "stray"]) == 130


def test_an_error_of_the_contract_is_left_as_it_is(door, file):
    def refuse(trace):
        raise LimitError(Diagnostic("too hot", "populations.output", "ST-HEAT"))

    door(stray=with_forward(refuse))
    with pytest.raises(LimitError) as caught:
        netdesc.compile(netdesc.load(file), "stray").forward()
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("ST-HEAT", "too hot")
    assert found.location is not None


def test_a_comparison_goes_on_without_a_backend_that_fails(door, file, capsys):
    door(stray=with_forward(lambda trace: None), honest=StrangerBackend)
    assert (
        main(
            [
                "compare",
                str(file),
                "--backends",
                "honest,stray,absent,other=honest:look=0.2",
                "--json",
                "--no-attribute",
            ]
        )
        == 3
    )
    text = capsys.readouterr().out
    assert "a wrong result: expected Trace, got None" in text
    assert "there is no backend 'absent'" in text
    assert json.loads(text)


@pytest.mark.parametrize("attack", list(wrong_returns.list_attacks())[::71], ids=str)
def test_a_wrong_result_is_refused(monkeypatch, tmp_path, attack):
    model = tmp_path / "wrong.yaml"
    model.write_text(wrong_returns.MODEL, encoding="utf-8")
    monkeypatch.setattr(registry, "entry_points", wrong_returns.offer)
    assert wrong_returns.judge(attack, model) == ""


def test_nothing_is_refused_of_a_backend_that_is_right(monkeypatch, tmp_path):
    model = tmp_path / "wrong.yaml"
    model.write_text(wrong_returns.MODEL, encoding="utf-8")
    monkeypatch.setattr(registry, "entry_points", wrong_returns.offer)
    for words in (
        ["run"],
        ["gradient"],
        ["train", "-o", str(tmp_path / "host")],
        ["train", "training.on_device=true", "-o", str(tmp_path / "device")],
    ):
        assert main([words[0], str(model), *words[1:], "--backend", "wrong", "--json"]) == 0


def test_effective_parameters_are_checked_again_unless_they_cannot_have_changed(file):
    program = netdesc.compile(netdesc.load(file), "numba").program
    known = Checked(program.declared())
    good = {key: np.array(item.values) for key, item in program.declared().items()}

    def faults(values):
        findings = Findings("numba", "forward")
        check_parameters(findings, values, known)
        return len(findings.diagnostics)

    assert faults(good) == 0
    good["drive.weight"][0] = np.nan
    assert faults(good) == 1
    good["drive.weight"][0] = 1.0
    good["drive.weight"].flags.writeable = False
    assert faults(good) == 0
    assert known.arrays == {"drive.weight": good["drive.weight"]}
    bad = np.full(4, np.inf)
    bad.flags.writeable = False
    assert faults({**good, "drive.weight": bad}) == 1
    assert faults({**good, "drive.weight": bad}) == 1
