"""What a command does not use of a file is reported; what it cannot use is refused."""

import pytest

import netdesc
from netdesc.cli import main
from netdesc.errors import DescriptionError

TEXT = """
netdesc: 1
name: plain
simulation: {duration: 20 ms}
populations:
  a: {size: 1, source: {spike_times: {times: [[1 ms]]}}}
  b: {size: 1, neuron: {LIF: {tau_mem: 20 ms}}}
projections: {p: {pre: a, post: b, weight: {init: 1.5, train: true}}}
losses: {goal: {time_to_first_spike: {population: b, target: 0}}}
training: {optimizer: {adam: {learning_rate: 0.1}}, epochs: 1}
"""


@pytest.fixture
def write(tmp_path):
    def save(*lines, text=TEXT):
        path = tmp_path / "plain.yaml"
        path.write_text(text + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return save


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_sweep_is_reported_by_every_command_with_its_place(write, capsys, command):
    file = write("sweep: {matrix: {simulation.seed: [1, 2]}}")
    assert main([command, str(file)]) == 0
    captured = capsys.readouterr()
    assert f"{file}:11:1 sweep: warning: sweeps are not available yet" in captured.err + captured.out


def test_a_file_without_a_sweep_is_not_warned_about(write, capsys):
    assert main(["show", str(write())]) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_path_of_a_sweep_that_does_not_exist_is_an_error_with_its_place(write):
    file = write("sweep:", "  matrix: {simulation.sed: [1]}", "  exclude: [{populations.no.size: 1}]")
    with pytest.raises(DescriptionError) as caught:
        netdesc.load(file)
    assert [(item.path, item.location.line) for item in caught.value.diagnostics] == [
        ("sweep.matrix.simulation.sed", 12),
        ("sweep.exclude.0.populations.no.size", 13),
    ]


def test_options_of_a_backend_that_is_not_installed_are_reported(write, capsys):
    file = write("backends: {levitation: {height: 3}}")
    assert main(["check", str(file)]) == 0
    assert "backends.levitation: warning: the backend levitation is not installed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "right"),
    [
        ("populations.b.neuron.LI.tau_mem=10 ms", "use populations.b.neuron.LIF.tau_mem=..."),
        ("training.optimizer.sgd.learning_rate=1", "use training.optimizer.adam.learning_rate=..."),
        ("losses.goal.spike_time_mse.population=b", "use losses.goal.time_to_first_spike.population=..."),
        ("populations.a.source.poisson.rate=1 Hz", "use populations.a.source='{poisson: {rate: ...}}'"),
    ],
)
def test_an_option_of_another_kind_is_refused_with_the_right_path(write, override, right):
    with pytest.raises(DescriptionError) as caught:
        netdesc.load(write(), [override])
    assert right in str(caught.value)


def test_a_kind_can_be_replaced_whole_and_a_default_can_be_replaced(write):
    model = netdesc.load(
        write(),
        [
            "training.optimizer={sgd: {learning_rate: 1}}",
            "training.silent_neurons.weight_bump.amount=0.1",
            "backends.numba.solver.grid.timestep=1 ms",
        ],
    )
    assert model.description.training.optimizer.kind == "sgd"
    assert model.description.training.silent_neurons.kind == "weight_bump"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["training.forward_backend=spinnaker2"], "training.forward_backend"),
        (["training.on_device=true"], "training.on_device"),
    ],
)
def test_check_refuses_what_train_refuses(write, capsys, tmp_path, lines, told):
    file = write()
    assert main(["check", str(file), *lines, "--backend", "numba"]) == 3
    refusal = capsys.readouterr().out
    assert "numba: cannot run it" in refusal
    assert told in refusal
    assert main(["check", str(file), *lines]) == 3
    assert told in capsys.readouterr().out
    assert main(["train", str(file), *lines, "--backend", "numba", "-o", str(tmp_path / "run")]) == 3


def test_check_asks_all_backends_that_the_file_names(write, capsys):
    file = write("backends: {numba: {solver: event}, brainscales2: {}}")
    main(["check", str(file)])
    text = capsys.readouterr().out
    assert "numba: c" in text
    assert "brainscales2: c" in text


def test_check_looks_for_the_data(write, capsys):
    text = TEXT.replace("{spike_times: {times: [[1 ms]]}}", "dataset")
    text = text.replace("a: {size: 1", "a: {size: 700")
    file = write("data: {dataset: {shd: {train: absent.h5, test: absent.h5}}}", text=text)
    assert main(["check", str(file), "--backend", "numba"]) == 2
    assert "absent.h5: expected an HDF5 file" in capsys.readouterr().err
