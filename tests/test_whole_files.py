import os
import stat
import subprocess
import sys
import time

import h5py
import pytest

from netdesc.errors import OutputError
from netdesc.files import image_of, remove_drafts, replace_bytes, replace_text


@pytest.fixture
def umask():
    old = os.umask(0o022)
    yield os.umask
    os.umask(old)


def permissions(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_permissions_of_the_umask(tmp_path, umask, mask, expected):
    umask(mask)
    replace_text(tmp_path / "new.txt", "text")
    assert permissions(tmp_path / "new.txt") == expected


def test_an_existing_file_keeps_its_permissions(tmp_path, umask):
    path = tmp_path / "old.txt"
    path.write_text("old")
    path.chmod(0o640)
    replace_text(path, "new")
    assert (permissions(path), path.read_text()) == (0o640, "new")


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "deep").mkdir()
    target, link = tmp_path / "deep" / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    replace_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_the_target_of_a_dangling_link_is_made(tmp_path):
    link = tmp_path / "link.txt"
    link.symlink_to("target.txt")
    replace_text(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "target.txt").read_text() == "new"


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    def refuse(handle, content):
        raise OSError(28, "No space left on device")

    path = tmp_path / "out.h5"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(OutputError, match=r"out\.h5 cannot be written: no space is left on the device"):
        replace_bytes(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["out.h5"]


def test_a_write_that_is_taken_in_pieces_is_whole(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:3]))
    replace_bytes(tmp_path / "out", b"0123456789")
    monkeypatch.undo()
    assert (tmp_path / "out").read_bytes() == b"0123456789"


def test_drafts_of_the_dead_and_old_drafts_go_and_all_else_stays(tmp_path):
    program = "import os, sys; from netdesc import files; print(files._machine(), os.getpid())"
    machine, dead = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    left, alive, elsewhere = (
        f".netdesc-{host}-{process}-0123abcd.draft"
        for host, process in ((machine, dead), (machine, os.getpid()), ("00000000", dead))
    )
    old, foreign = ".netdesc-00000000-1-0123abcd.draft", ".other.draft.h5"
    for name in (left, alive, elsewhere, old, foreign):
        (tmp_path / name).write_text("half")
    os.utime(tmp_path / old, (0, time.time() - 25 * 3600))
    remove_drafts(tmp_path)
    assert {item.name for item in tmp_path.iterdir()} == {alive, elsewhere, foreign}


def test_writing_removes_what_the_dead_left(tmp_path, monkeypatch):
    monkeypatch.setattr("netdesc.files.is_alive", lambda process: process == os.getpid())
    from netdesc import files

    draft = tmp_path / f".netdesc-{files._machine()}-999-0123abcd.draft"
    draft.write_text("half")
    replace_text(tmp_path / "out.txt", "text")
    assert [item.name for item in tmp_path.iterdir()] == ["out.txt"]


def test_a_name_as_long_as_the_file_system_allows_can_be_written(tmp_path):
    path = tmp_path / ("n" * 251 + ".txt")
    replace_text(path, "text")
    assert path.read_text() == "text"


def test_an_image_in_memory_is_an_hdf5_file(tmp_path):
    def fill(file):
        file["numbers"] = [1, 2, 3]
        file.attrs["unit"] = "ms"

    replace_bytes(tmp_path / "out.h5", image_of(fill))
    with h5py.File(tmp_path / "out.h5", "r") as file:
        assert file["numbers"][()].tolist() == [1, 2, 3]
        assert file.attrs["unit"] == "ms"
