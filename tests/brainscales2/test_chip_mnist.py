"""Images learned with the emulated chip in the loop, by both gradients, with the benchmark's settings."""

import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest

import netdesc

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "brainscales2_mnist.py"))
FOLDER = Path(os.environ.get("NETDESC_MNIST", "mnist"))
TRAIN, TEST = 200, 40


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def draw_stripes(count, seed):
    """Draw a bright stripe on 16x16 pixels, at a place that is the label, with some other pixels lit."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = 90 * (random.random((count, 16, 16)) < 0.05)
    for image, label in zip(images, labels, strict=True):
        image[:, label + 2 : label + 4] = random.integers(120, 256, size=(16, 2))
    return images, labels


@pytest.fixture(scope="module")
def stripes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stripes")
    for name, count in (("train", TRAIN), ("t10k", TEST)):
        images, labels = draw_stripes(count, count)
        write_idx(folder / f"{name}-images-idx3-ubyte", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte", labels)
    return folder


def train(folder, gradient, *, epochs=5, images=(TRAIN, TEST), overrides=()):
    return SCRIPT["train"](SCRIPT["Case"](gradient, 1, epochs, *images, overrides), folder)


def test_the_network_fills_all_circuits_and_rows_of_one_instance(stripes):
    compiled = netdesc.compile(
        netdesc.load(
            SCRIPT["MODEL"],
            [
                f"data.dataset.mnist.path={stripes}",
                f"data.dataset.mnist.train={TRAIN}",
                f"data.dataset.mnist.test={TEST}",
            ],
        ),
        "brainscales2",
    )
    verdict = " ".join(note.message for note in compiled.graph.notes)
    assert "512 of 512 circuits and 512 of 512 rows in the fullest of 1 execution instance" in verdict


@pytest.mark.parametrize("gradient", ["surrogate", "eventprop"])
def test_images_are_learned_in_the_loop(stripes, gradient):
    outcome = train(
        stripes,
        gradient,
        epochs=12,
        overrides=("training.batch_size=10", "training.optimizer.adam.learning_rate=2e-3"),
    )
    assert outcome.accuracy >= 80.0
    assert 0.0 < outcome.hidden_spikes < 1.0


def test_a_surrogate_reads_samples_of_all_membranes_and_eventprop_those_of_the_read_outs(stripes):
    surrogate, eventprop = (train(stripes, name, epochs=1) for name in ("surrogate", "eventprop"))
    samples = int(20.4 / 1.7 + 1e-9) + 1
    for outcome, neurons in ((surrogate, 256), (eventprop, 10)):
        spikes = 246 * outcome.hidden_spikes
        assert outcome.kilobits == pytest.approx((32 * spikes + 8 * neurons * samples) * 1e-3)


def test_the_page_has_a_row_of_each_gradient_and_what_is_kept_is_not_done_again(
    stripes, tmp_path, monkeypatch, capsys
):
    keep, page = tmp_path / "kept.jsonl", tmp_path / "page.md"
    command = [
        "mnist",
        "--seeds",
        "1",
        "2",
        "--data",
        str(stripes),
        "--epochs",
        "1",
        "--train",
        str(TRAIN),
        "--test",
        str(TEST),
        "--keep",
        str(keep),
        "-o",
        str(page),
    ]
    monkeypatch.setattr("sys.argv", command)
    SCRIPT["main"]()
    first = page.read_text(encoding="utf-8")
    done = [json.loads(line)["gradient"] for line in keep.read_text(encoding="utf-8").splitlines()]
    assert done == ["surrogate", "surrogate", "eventprop", "eventprop"]
    assert f"| surrogate | 1 | 1 | {TRAIN} |" in first
    assert f"| eventprop | 2 | 1 | {TRAIN} |" in first
    capsys.readouterr()
    SCRIPT["main"]()
    assert "epoch 1," not in capsys.readouterr().out
    assert page.read_text(encoding="utf-8") == first


@pytest.mark.skipif(not FOLDER.is_dir(), reason="set NETDESC_MNIST to the folder of the four IDX files")
def test_handwritten_digits_are_learned_in_the_loop():
    outcome = train(FOLDER, "surrogate", epochs=2, images=(2000, 500))
    assert outcome.accuracy >= 70.0
    assert outcome.hidden_spikes < 1.0
