import os
import socket
import stat

import pytest

from netdesc.errors import OutputError
from netdesc.files import replace_text
from netdesc.targets import find_place, require_apart


def make_fifo(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(path))


def make_device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes device nodes")


def make_folder(path):
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_fifo, "a named pipe"),
        (make_socket, "a socket"),
        (make_device, "a device"),
        (make_folder, "a folder"),
    ],
)
@pytest.mark.parametrize("linked", [False, True])
def test_only_regular_files_are_replaced(tmp_path, make, kind, linked):
    odd = tmp_path / "odd"
    make(odd)
    before = odd.stat().st_mode
    target = odd
    if linked:
        target = tmp_path / "link"
        target.symlink_to(odd)
    with pytest.raises(OutputError, match=f"{target} is {kind}; name a file"):
        replace_text(target, "text")
    assert odd.stat().st_mode == before


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError, match="symbolic links form a loop"):
        find_place(tmp_path / "a")


def test_a_link_into_a_folder_that_is_not_there_names_that_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "absent" / "file")
    with pytest.raises(OutputError, match=f"there is no folder {tmp_path}/absent; create it first"):
        find_place(tmp_path / "link")


def test_a_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(OutputError, match="a part of the path is a file"):
        find_place(tmp_path / "file" / "out.h5")


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(OutputError, match="the name is too long"):
        find_place(tmp_path / ("n" * 300))


def test_what_is_write_protected_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "out.h5"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda place, mode: str(place) != str(path))
    with pytest.raises(OutputError, match=r"out\.h5 is write-protected"):
        find_place(path)
    monkeypatch.setattr(os, "access", lambda place, mode: str(place) != str(tmp_path))
    with pytest.raises(OutputError, match=f"the folder {tmp_path} is write-protected"):
        find_place(path)


def alias(path, way):
    other = path.parent / "other"
    if way == "hard link":
        other.hardlink_to(path)
    elif way == "symbolic link":
        other.symlink_to(path)
    elif way == "detour":
        other.mkdir()
        return other / ".." / path.name
    return path if way == "same" else other


@pytest.mark.parametrize("way", ["same", "hard link", "symbolic link", "detour"])
def test_a_file_that_is_read_is_no_target_by_any_name(tmp_path, way):
    model = tmp_path / "model.yaml"
    model.write_text("netdesc: 1")
    with pytest.raises(OutputError, match=r"is read by this command.*give -o another place"):
        require_apart({"-o": alias(model, way)}, [model])


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("way", ["same", "symbolic link", "detour"])
def test_two_targets_are_two_files(tmp_path, way, there):
    path = tmp_path / "out"
    if there:
        path.write_text("old")
    with pytest.raises(OutputError, match="is the target of both -o and --csv"):
        require_apart({"-o": path, "--csv": alias(path, way)})


def test_every_fault_of_the_targets_is_reported_at_once(tmp_path):
    with pytest.raises(OutputError) as caught:
        require_apart({"-o": tmp_path, "--csv": tmp_path / "absent" / "a.csv"})
    assert len(caught.value.diagnostics) == 2


def test_what_is_absent_or_regular_and_apart_is_accepted(tmp_path):
    (tmp_path / "model.yaml").write_text("netdesc: 1")
    (tmp_path / "old.h5").write_text("old")
    require_apart(
        {"-o": tmp_path / "old.h5", "--csv": tmp_path / "new.csv", "--plot": None}, [tmp_path / "model.yaml"]
    )
