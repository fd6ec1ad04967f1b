import logging
import shutil

import h5py
import numpy as np
import pytest
from linear_machine import TEXT, describe_linear, prepare, train_linear

from netdesc.api import Model, compile
from netdesc.description import describe_text
from netdesc.formats.hdf5 import opened
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.training import RunDirectoryError, train
from netdesc.training.weights import load_weights

SPARSE = TEXT.replace("connector: all_to_all", "connector: {fixed_number_pre: {n: 3}}")
FIXED = TEXT.replace(
    "projections:\n",
    """projections:
  fixed:
    pre: input
    post: output
    connector: all_to_all
    weight: {normal: {mu: 0, sigma: 0.1}}
""",
)


def load(path, text, *overrides):
    description = describe_text(text, overrides=list(overrides))
    return load_weights(path, lower(compile_graph(description)), description)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    train_linear(folder / "dense", "training.epochs=1")
    for name, text in (("sparse", SPARSE), ("fixed", FIXED)):
        model = Model(describe_text(text, overrides=["training.epochs=1"]))
        train(model, output=folder / name)
    return folder


def test_weights_of_the_same_model_are_read_without_a_word(runs, caplog):
    values = load(runs / "dense", TEXT, "training.epochs=1")
    assert (values["only.weight"].shape, caplog.messages) == ((15,), [])


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=9",
        "record={output: [spikes]}",
        "name=other",
        "backends.numba.threads=1",
        "projections.only.weight.max=99",
        "simulation.max_memory=1 GiB",
    ],
)
def test_what_does_not_change_the_network_is_no_difference(runs, caplog, override):
    assert load(runs / "dense", TEXT, override)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("simulation.duration=50 ms", 'simulation.duration was "40 ms", now it is "50 ms"'),
        ("simulation.seed=6", "simulation.seed was 5, now it is 6"),
        (
            "populations.output.neuron={LIF: {tau_mem: 11 ms}}",
            'populations.output.neuron.LIF.tau_mem was "20 ms", now it is "11 ms"',
        ),
    ],
)
def test_weights_of_a_changed_network_are_read_with_a_warning(runs, caplog, override, words):
    with caplog.at_level(logging.WARNING, "netdesc.training"):
        assert load(runs / "dense", TEXT, override)
    (message,) = caplog.messages
    assert message.endswith(f"was trained with another network: {words}")


@pytest.mark.parametrize(
    ("name", "text", "overrides", "words"),
    [
        ("sparse", SPARSE, ["simulation.seed=40"], "projection only connects different neurons"),
        ("fixed", FIXED, ["simulation.seed=6"], "projections.fixed.weight is drawn with another seed"),
        ("fixed", FIXED, ["simulation.seed=6"], "simulation.seed was 5, now it is 6"),
        ("dense", FIXED, [], "projection fixed is new"),
        ("fixed", TEXT, [], "projection fixed is missing"),
        (
            "dense",
            TEXT.replace("  input:", "  other:").replace("pre: input", "pre: other"),
            [],
            "projection only was from input to output, now it is from other to output",
        ),
    ],
)
def test_weights_of_a_network_with_other_synapses_are_refused(runs, name, text, overrides, words):
    with pytest.raises(RunDirectoryError) as caught:
        load(runs / name, text, *overrides)
    assert words in str(caught.value)


def test_a_sparse_network_takes_back_its_own_weights(runs):
    assert load(runs / "sparse", SPARSE)["only.weight"].size == 9


@pytest.mark.parametrize("name", ["weights.h5", "checkpoint.h5"])
def test_no_flipped_bit_is_accepted(runs, tmp_path, name):
    run = shutil.copytree(runs / "dense", tmp_path / "run")
    whole = (run / name).read_bytes()
    random = np.random.default_rng(1)
    places = [*range(80), *random.integers(0, len(whole), 120).tolist()]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        (run / name).write_bytes(damaged)
        refuse(run, name)


@pytest.mark.parametrize("name", ["weights.h5", "checkpoint.h5"])
def test_no_file_that_is_cut_off_or_something_else_is_accepted(runs, tmp_path, name):
    run = shutil.copytree(runs / "dense", tmp_path / "run")
    whole = (run / name).read_bytes()
    for content in (
        b"",
        b"x",
        whole[:8],
        whole[:512],
        whole[:700],
        whole[:-1],
        whole + b"x",
        whole[512:],
        b"netdesc sha256 ",
        b"\x89HDF\r\n\x1a\n",
    ):
        (run / name).write_bytes(content)
        refuse(run, name)


def refuse(run, name):
    def use():
        if name == "weights.h5":
            load(run, TEXT)
        else:
            train_linear(run, "training.epochs=2", resume=True)

    with pytest.raises(RunDirectoryError, match=name):
        use()


CRAFTED = {
    "a dataset that is not stored": lambda file: file.create_dataset("weights/only.weight", (10**12,), "f8"),
    "another file": lambda file: file.update({"weights": h5py.ExternalLink("other.h5", "/weights")}),
    "values in another file": lambda file: file.create_dataset(
        "weights/only.weight", (15,), "f8", external=[("/etc/passwd", 0, 120)]
    ),
    "a circle": lambda file: file.update({"weights": h5py.SoftLink("/weights")}),
    "a group in itself": lambda file: file.create_group("weights").update({"again": file["weights"]}),
    "text": lambda file: file.update({"weights/only.weight": "text"}),
    "a number": lambda file: file.update({"weights/only.weight": 1.0}),
    "no values": lambda file: file.update({"weights/only.weight": h5py.Empty("f8")}),
    "NaN": lambda file: file.update({"weights/only.weight": np.full(15, np.nan)}),
    "nothing": lambda file: None,
    "a dataset": lambda file: file.update({"weights": np.zeros(15)}),
    "another format": lambda file: file.attrs.update({"format": 9}),
}


@pytest.mark.parametrize("craft", CRAFTED.values(), ids=CRAFTED)
def test_crafted_weights_are_refused_with_a_message(tmp_path, craft):
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        craft(file)
    with pytest.raises(RunDirectoryError, match=r"weights\.h5"):
        load(tmp_path, TEXT)


def test_weights_without_a_checksum_are_read_with_a_note(tmp_path, caplog):
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file.attrs["format"] = 1
        file["weights/only.weight"] = np.arange(15.0)
    assert load(tmp_path, TEXT)["only.weight"].tolist() == list(range(15))
    assert "weights.h5 has no checksum" in caplog.text


def test_other_programs_and_our_own_readers_open_the_files(runs):
    task, _ = prepare()
    for name, group in (("weights.h5", "weights"), ("checkpoint.h5", "parameters")):
        with h5py.File(runs / "dense" / name) as file:
            assert file[f"{group}/only.weight"].shape == (15,)
        with opened(runs / "dense" / name) as root:
            assert root.floats(f"{group}/only.weight").size == task.flat.offsets[-1]


def test_a_backend_that_rounds_takes_weights_of_another_without_a_warning(runs, caplog):
    model = Model(describe_linear("training.epochs=1"))
    compiled = compile(model, "spinnaker2")
    assert load_weights(runs / "dense", compiled.program, model.description)
    assert caplog.messages == []
