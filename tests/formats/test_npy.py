"""Arrays in NPY and NPZ files."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from netdesc.errors import DescriptionError
from netdesc.formats.npy import read_npy, read_npz
from netdesc.formats.numbers import as_floats, as_integers


def npy_bytes(values: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(values))
    return stream.getvalue()


def header(text: str) -> bytes:
    padded = text.ljust(118) + "\n"
    return b"\x93NUMPY\x01\0" + len(padded).to_bytes(2, "little") + padded.encode()


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.array(5.0),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.arange(3, dtype=np.float16),
    ],
)
def test_an_array_comes_back_as_it_was_written(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)
    found = read_npy(tmp_path / "a.npy")
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got an empty file"),
        (npy_bytes([1j]), r"got complex numbers \(type complex128\)"),
        (npy_bytes(np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])), "got records"),
        (npy_bytes(["a"]), "got texts"),
        (npy_bytes([1.0, 2.0])[:-3], "got 13 bytes; it is cut off"),
        (npy_bytes([1.0, 2.0]) + b"\0", "got 17 bytes"),
        (npy_bytes([1.0])[:20], "damaged"),
        (npy_bytes([1.0])[:7], "header of version 1 or 2"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"), "got 0 bytes"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), "at least 0"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }"), "expected"),
        (header("{'descr': '<f8', 'fortran_order': False}"), "damaged"),
        (header("((((((((((((((((((((((((((((((("), "damaged"),
        (b"1,2\n", "got something else"),
        (b"\x89HDF\r\n\x1a\n", "got an HDF5 file"),
    ],
)
def test_what_is_not_an_array_of_real_numbers_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(content)
    with pytest.raises(DescriptionError, match=message) as caught:
        read_npy(file)
    assert str(file) in str(caught.value)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(np.zeros(3)))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(DescriptionError, match=r"got Python objects|got something else"):
            read_npy(tmp_path / name)


def test_a_sparse_file_beyond_the_limit_is_refused_by_its_header(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    start = header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({20 * 2**30},), }}")
    file.write_bytes(start)
    os.truncate(file, len(start) + 20 * 2**30)
    with pytest.raises(DescriptionError, match="expected at most 16 GiB in memory, got 21474836480 values"):
        read_npy(file)


@pytest.mark.parametrize("kind", ["folder", "pipe", "absent"])
def test_only_a_regular_file_is_opened(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "a.npy"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    with pytest.raises(
        DescriptionError,
        match={"folder": "got a folder", "pipe": "got a named pipe", "absent": "there is no such file"}[kind],
    ):
        read_npy(file)


def test_the_arrays_of_an_archive_come_back_by_name(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(3), y=np.eye(2), s=np.array(["ab", "c"]))
    found = read_npz(tmp_path / "a.npz", text=True)
    assert {name: array.tolist() for name, array in found.items()} == {
        "x": [0, 1, 2],
        "y": [[1.0, 0.0], [0.0, 1.0]],
        "s": ["ab", "c"],
    }
    with pytest.raises(DescriptionError, match="the array 's': expected real numbers, got texts"):
        read_npz(tmp_path / "a.npz")


def test_an_archive_that_expands_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(1_000_000))
    with pytest.raises(DescriptionError, match=r"at most 1 MiB in memory, got 1 arrays, 7\.63 MiB"):
        read_npz(tmp_path / "a.npz", limit=2**20)


def test_a_flipped_bit_in_an_archive_is_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(100.0))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[500] ^= 4
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DescriptionError, match="cut off or damaged"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["notes.txt"], "got the member 'notes.txt'"),
        ([], "empty NPZ"),
    ],
)
def test_an_archive_of_other_things_is_refused(tmp_path: Path, names: list[str], message: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    with pytest.raises(DescriptionError, match=message):
        read_npz(tmp_path / "a.npz")


def test_a_number_that_is_not_finite_is_reported_with_its_index(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    with pytest.raises(DescriptionError, match=r"got nan at index \[1, 0\], counted from 0"):
        as_floats(file, np.array([[1.0, 2.0], [np.nan, 3.0]]))
    assert np.isnan(as_floats(file, np.array([np.nan]), missing=True)).all()
    with pytest.raises(DescriptionError, match=r"got inf at index \[1\]"):
        as_floats(file, np.array([np.nan, np.inf]), missing=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([0.5]), r"got 0.5 at index \[0\]"),
        (np.array([1, -1]), r"got -1 at index \[1\]"),
        (np.array([2**63], dtype=np.uint64), "got 9223372036854775808"),
        (np.array([np.nan]), "got nan"),
        (np.array([1e30]), "got 1e"),
    ],
)
def test_a_number_that_is_not_whole_is_reported_with_its_index(
    tmp_path: Path, values: np.ndarray, message: str
) -> None:
    with pytest.raises(DescriptionError, match=message):
        as_integers(tmp_path / "a.npy", values)
