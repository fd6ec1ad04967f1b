import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from netdesc.datasets.mnist import average, cover, mnist
from netdesc.errors import DescriptionError

FOLDER = Path(os.environ.get("NETDESC_MNIST", Path(__file__).parents[3] / "shared/data/mnist"))
COUNTS = {"train": 6, "validation": 2, "test": 3, "size": None}


def pack(array):
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + shape + array.astype(np.uint8).tobytes()


def write_set(folder, *, names=("-", ""), pack_it=gzip.compress, side=4):
    link, ending = names
    for part, samples in (("train", 8), ("t10k", 3)):
        images = np.arange(samples)[:, None, None] * 10 + np.arange(side * side).reshape(side, side)
        for what, axes, array in (("images", 3, images), ("labels", 1, np.arange(samples))):
            (folder / f"{part}-{what}{link}idx{axes}-ubyte{ending}").write_bytes(pack_it(pack(array)))
    return {"path": str(folder), **COUNTS}


@pytest.mark.parametrize("names", [("-", ".gz"), (".", ""), ("-", ""), (".", ".gz")])
@pytest.mark.parametrize("pack_it", [gzip.compress, bytes])
def test_every_usual_name_is_found_and_content_tells_whether_it_is_compressed(tmp_path, names, pack_it):
    tables = mnist(write_set(tmp_path, names=names, pack_it=pack_it), Path(), 0)
    np.testing.assert_array_equal(tables["test"].values[1], (10 + np.arange(16)) / 255.0)
    assert tables["test"].labels.tolist() == [0, 1, 2]


def test_held_out_samples_are_not_trained_on_and_none_is_lost(tmp_path):
    tables = mnist(write_set(tmp_path), Path(), 3)
    train, validation = tables["train"].labels.tolist(), tables["validation"].labels.tolist()
    assert sorted(train + validation) == list(range(8))
    assert len(validation) == 2


def test_another_seed_holds_out_other_samples_and_the_same_seed_the_same(tmp_path):
    options = write_set(tmp_path)
    held = [tuple(mnist(options, Path(), seed)["validation"].labels.tolist()) for seed in (*range(6), 0)]
    assert len(set(held)) > 1
    assert held[0] == held[-1]


def test_a_relative_path_begins_at_the_given_directory(tmp_path):
    (tmp_path / "images").mkdir()
    options = {**write_set(tmp_path / "images"), "path": "images"}
    assert len(mnist(options, tmp_path, 0)["train"].labels) == 6


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(DescriptionError, match="nowhere is not a folder; use the files of the"):
        mnist({"path": "nowhere", **COUNTS}, tmp_path, 0)
    options = write_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DescriptionError, match=r"none of t10k-labels-idx1-ubyte\.gz, t10k") as caught:
        mnist(options, Path(), 0)
    assert caught.value.diagnostics[0].path == "data.dataset.mnist.path"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got an empty file"),
        (b"PK\x03\x04", "expected an IDX file"),
        (bytes([0, 0, 13, 3]), "got type 0x0d"),
        (bytes([0, 0, 8, 1]), "expected an array of 3 axes, got 1"),
        (bytes([0, 0, 8, 3, 0, 0]), "a header of 16 bytes, got 6"),
        (pack(np.zeros((8, 4, 4)))[:-1], "expected 8 x 4 x 4 bytes after the header, got 127 bytes"),
        (pack(np.zeros((8, 4, 4))) + b"x", "got 129 bytes"),
        (pack(np.zeros((0, 4, 4))), "got an array of 0 x 4 x 4"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "at most 16 GiB in memory, got 4294967295 x"),
        (gzip.compress(pack(np.zeros((8, 4, 4))), mtime=0)[:-12], "it ends too early"),
        (b"\x1f\x8bnonsense", "it is damaged"),
        (pack(np.zeros((7, 4, 4))), "has 7 images but 8 labels of train"),
    ],
)
def test_a_damaged_file_is_reported_with_what_is_wrong(tmp_path, content, message):
    options = write_set(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DescriptionError, match=message):
        mnist(options, Path(), 0)


def test_more_samples_than_there_are_is_told_with_the_number_that_fits(tmp_path):
    options = write_set(tmp_path)
    with pytest.raises(DescriptionError, match=r"train: 7 and validation: 2 need 9 .* 8; set train to 6"):
        mnist({**options, "train": 7}, Path(), 0)
    with pytest.raises(DescriptionError, match=r"test: 4 need 4 .* holds 3; set test to 3"):
        mnist({**options, "test": 4}, Path(), 0)


def test_every_old_pixel_is_shared_out_by_the_area_it_covers():
    np.testing.assert_allclose(cover(3, 2), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])
    for old, new in ((28, 16), (28, 28), (4, 7)):
        np.testing.assert_allclose(cover(old, new).sum(axis=1), 1.0)


def test_averaging_is_that_of_a_finer_grid_that_both_sizes_divide():
    image = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    fine = image.repeat(4, axis=1).repeat(4, axis=2).astype(float)
    expected = fine.reshape(2, 16, 7, 16, 7).mean(axis=(2, 4)).reshape(2, 256) / 255.0
    np.testing.assert_allclose(average(image, (16, 16)), expected, rtol=1e-13)


def test_a_white_image_stays_white():
    white = np.full((1, 28, 28), 255, dtype=np.uint8)
    for size in (None, (16, 16), (11, 13)):
        values = average(white, size)
        assert values.max() <= 1.0
        assert values == pytest.approx(1.0)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no MNIST files here; set NETDESC_MNIST to their folder")
def test_the_original_set_has_its_published_numbers_of_digits():
    options = {"path": str(FOLDER), "train": 10, "validation": 0, "test": 10000, "size": [16, 16]}
    tables = mnist(options, Path(), 0)
    published = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(tables["test"].labels).tolist() == published
    assert tables["test"].values.shape == (10000, 256)
    assert tables["test"].values.mean() == pytest.approx(0.1325, abs=1e-3)
