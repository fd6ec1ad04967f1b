"""HDF5 files: nothing outside of them, nothing that is not stored."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from netdesc.errors import DescriptionError
from netdesc.formats.hdf5 import opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as content:
        content["numbers"] = np.arange(6.0).reshape(2, 3)
        content.create_dataset("packed", data=np.zeros(10_000), compression="gzip")
        content["deep/whole"] = np.arange(3)
        content["deep/link"] = h5py.SoftLink("/numbers")
        content["deep/near"] = h5py.SoftLink("whole")
        content["circle"] = h5py.SoftLink("/round")
        content["round"] = h5py.SoftLink("/circle")
        content["far"] = h5py.ExternalLink("/etc/passwd", "/")
        content["complex"] = np.array([1j])
        content["texts"] = ["a", "b"]
        content["text"] = "words"
        content["nan"] = np.array([1.0, np.nan])
        content.create_dataset("huge", shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000))
        content.create_dataset("unwritten", shape=(4000,), dtype="f8", chunks=(1000,))
        content["unwritten"][:1500] = 1.0
        content.create_dataset("absent", shape=(4000,), dtype="f8")
        content.create_dataset("outside", shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])
        layout = h5py.VirtualLayout(shape=(6,), dtype="f8")
        layout[:] = h5py.VirtualSource("other.h5", "x", shape=(6,))
        content.create_virtual_dataset("virtual", layout)
        rows = content.create_dataset("rows", (3,), dtype=h5py.vlen_dtype(np.float32))
        for index in range(3):
            rows[index] = np.arange(index)
        content["empty"] = h5py.Empty("f8")
        content.attrs.update(duration=2.5, batch=3, name="abc", row=[1, 2], wrong=np.nan)
    return path


def test_datasets_links_and_attributes_are_read(file: Path) -> None:
    with opened(file) as content:
        assert content.floats("numbers", (2, 3)).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
        assert content.floats("numbers", (None, 3)).shape == (2, 3)
        assert content.floats("/deep/link").shape == (2, 3)
        assert content.group("deep").integers("near").tolist() == [0, 1, 2]
        assert content.group("deep").integers("/link").shape == (2, 3)
        assert content.floats("packed").sum() == 0.0
        assert [row.tolist() for row in content.ragged("rows")] == [[], [0.0], [0.0, 1.0]]
        assert content.text("text") == "words"
        assert (content.number("duration"), content.integer("batch")) == (2.5, 3)
        assert content.attributes()["name"] == "abc"
        assert "numbers" in content
        assert "nothing" not in content
        assert content.is_group("deep")
        assert np.isnan(content.floats("nan", missing=True)[1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("circle", "got more than 16 links"),
        ("far", "got a link to another file, '/etc/passwd'"),
        ("complex", "got complex numbers"),
        ("texts", "expected real numbers"),
        ("nan", r"got nan at index \[1\]"),
        ("huge", "in memory, got /huge with 1000000 x 1000000 values, 7.276 TiB"),
        ("unwritten", "got 15.62 KiB on the disk; some of it was never written"),
        ("absent", "got 0 bytes on the disk"),
        ("outside", "got values in another file"),
        ("virtual", "got a virtual dataset"),
        ("rows", "expected real numbers"),
        ("empty", "got no values"),
        ("deep", "got a group"),
        ("nothing", "expected /nothing, but / holds"),
    ],
)
def test_what_cannot_be_read_as_numbers_is_refused(file: Path, name: str, message: str) -> None:
    with opened(file) as content, pytest.raises(DescriptionError, match=message) as caught:
        content.floats(name)
    assert str(file) in str(caught.value)


def test_a_shape_is_compared_before_anything_is_read(file: Path) -> None:
    with opened(file) as content, pytest.raises(DescriptionError, match="3 x any, got 1000000 x 1000000"):
        content.floats("huge", (3, None))


def test_attributes_of_another_kind_are_refused(file: Path) -> None:
    with opened(file) as content:
        for name in ("name", "row", "wrong", "nothing"):
            with pytest.raises(DescriptionError, match=f"the attribute {name} of / to be a finite number"):
                content.number(name)
        with pytest.raises(DescriptionError, match=r"a whole number of at least 0, got 2\.5"):
            content.integer("duration")


def test_rows_that_share_their_values_are_counted_as_they_come(file: Path) -> None:
    with opened(file, limit=250) as content, pytest.raises(DescriptionError, match="at most 250 bytes"):
        content.ragged("rows")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got an empty file"),
        (b"PK\x03\x04", "got a ZIP archive"),
        (b"\x89HDF\r\n\x1a\n1234", "HDF5 file, but"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "b.h5").write_bytes(content)
    with pytest.raises(DescriptionError, match=message), opened(tmp_path / "b.h5"):
        pass


def test_a_file_that_is_cut_off_is_refused(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(DescriptionError, match="it is cut off; copy it again"), opened(file):
        pass
