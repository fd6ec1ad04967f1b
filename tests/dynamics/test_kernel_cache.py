"""The cache of compiled kernels: never stale, never trusted blindly, never in the way."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from netdesc.dynamics import kernel_cache
from netdesc.dynamics.kernel_cache import find_fault, read_checked, write_checked

EQUATION = "def decay(value):\n    return {factor} * value\n"

KERNEL = """
from netdesc.dynamics.jit import kernel
from toy.equations import decay as plain
from netdesc.dynamics.jit import inlined

decay = inlined(plain)


@kernel
def step(values):
    for k in range(len(values)):
        values[k] = decay(values[k])
"""

SCRIPT = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s")
import numpy as np
from toy.kernels import step
values = np.array([1.0])
step(values)
print(values[0])
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    package = tmp_path / "toy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "equations.py").write_text(EQUATION.format(factor=2.0))
    (package / "kernels.py").write_text(KERNEL)
    return tmp_path


def run(home: Path, cache: Path | str) -> tuple[float, str]:
    """Return what the toy kernel computes in a process of its own, and what that process reports."""
    paths = os.pathsep.join([str(home), *(entry for entry in sys.path if entry)])
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=home,
        env={**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(cache)},
    )
    assert found.returncode == 0, found.stderr
    return float(found.stdout), found.stderr


def files(cache: Path) -> list[Path]:
    return sorted((cache / "netdesc" / "kernels").glob("*"))


def test_the_second_process_compiles_nothing(toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert "compiling toy.kernels.step" in run(toy, cache)[1]
    value, messages = run(toy, cache)
    assert value == 2.0
    assert "compiling" not in messages
    assert [file.stat().st_mode & 0o777 for file in files(cache)] == [0o600]


def test_a_changed_equation_of_another_file_is_compiled_even_if_the_cache_is_read_only(
    toy: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    assert run(toy, cache)[0] == 2.0
    (toy / "toy" / "equations.py").write_text(EQUATION.format(factor=3.0))
    # a folder that takes no new file, for the superuser too
    block = (
        "import tempfile\ndef refuse(*a, **k):\n    raise OSError(30, 'Read-only file system')\n"
        "tempfile.mkstemp = refuse\n"
    )
    (toy / "sitecustomize.py").write_text(block)
    value, messages = run(toy, cache)
    assert value == 3.0
    assert messages.count("cannot write compiled kernels") == 1
    assert "Read-only file system" in messages
    (toy / "sitecustomize.py").unlink()
    assert run(toy, cache)[0] == 3.0
    (toy / "toy" / "equations.py").write_text(EQUATION.format(factor=2.0))
    value, messages = run(toy, cache)
    assert value == 2.0
    assert "compiling" not in messages


def test_a_cache_nowhere_means_compiling_without_one_and_one_message(toy: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    value, messages = run(toy, blocked)
    assert value == 2.0
    assert messages.count("no cache of compiled kernels") == 1
    assert not list(toy.rglob("*.nbi"))
    assert not list(toy.rglob("*.nbc"))


def test_damaged_files_are_compiled_again(toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(toy, cache)
    (file,) = files(cache)
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    foreign = kernel_cache.MAGIC + b"\0" * 32 + b"something else"
    for content in (b"", whole[:100], whole[:-1], bytes(flipped), foreign, b"\x80\x04N."):
        file.write_bytes(content)
        value, messages = run(toy, cache)
        assert value == 2.0
        assert "compiling toy.kernels.step" in messages
        assert "Error" not in messages
        # the damaged file was replaced by a whole one
        assert read_checked(file) is not None


def test_a_file_with_a_right_checksum_that_holds_no_kernel_is_compiled_again(
    toy: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    run(toy, cache)
    (file,) = files(cache)
    for content in (b"no pickle", b"\x80\x04N.", b"\x80\x04K\x01K\x02\x86."):
        write_checked(file, content)
        assert run(toy, cache)[0] == 2.0


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_read(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "one.kernel"
    write_checked(file, b"content")
    assert read_checked(file) == b"content"
    file.chmod(mode)
    assert read_checked(file) is None


def test_a_folder_that_others_may_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "netdesc" / "kernels"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kernel_cache._open_folder.cache_clear()
    with caplog.at_level(logging.WARNING, "netdesc.kernels"):
        assert kernel_cache.open_folder() is None
        assert kernel_cache.open_folder() is None
    assert [record.getMessage() for record in caplog.records] == [
        f"no cache of compiled kernels in {folder} (other users may write to it); kernels are compiled in "
        "every process. Set NUMBA_CACHE_DIR to a folder of your own"
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "one.kernel"
    write_checked(file, b"content")
    os.chown(file, 12345, 12345)
    assert read_checked(file) is None
    assert find_fault(file.stat()) == "it belongs to another user"


def test_a_pipe_in_place_of_a_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "one.kernel")
    assert read_checked(tmp_path / "one.kernel") is None


def test_one_file_in_place_of_another_is_not_read(tmp_path: Path) -> None:
    write_checked(tmp_path / "one.kernel", b"content")
    (tmp_path / "one.kernel").rename(tmp_path / "two.kernel")
    assert read_checked(tmp_path / "two.kernel") is None


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_checked(tmp_path / "one.kernel", b"content")
    assert not list(tmp_path.iterdir())


def test_only_old_unfinished_files_are_removed(tmp_path: Path) -> None:
    old, new = (tmp_path / f"{name}{kernel_cache.UNFINISHED}" for name in ("old", "new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    kernel_cache.remove_abandoned(tmp_path)
    assert not old.exists()
    assert new.exists()


def test_an_unfinished_file_that_vanishes_meanwhile_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter([tmp_path / f"gone{kernel_cache.UNFINISHED}"]))
    kernel_cache.remove_abandoned(tmp_path)
    assert not any(tmp_path.iterdir())


def test_mutated_cache_files_never_reach_the_unpickler(tmp_path: Path) -> None:
    random.seed(1)
    file = tmp_path / "one.kernel"
    write_checked(file, bytes(range(256)) * 4)
    whole = file.read_bytes()
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        file.write_bytes(content)
        found = read_checked(file)
        assert found is None or bytes(content) == whole


def test_processes_that_start_cold_at_the_same_time_share_one_whole_file(toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: run(toy, cache), range(3)))
    assert [value for value, _ in found] == [2.0] * 3
    (file,) = files(cache)
    assert read_checked(file) is not None
    assert "compiling" not in run(toy, cache)[1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_means_one_message_and_no_half_file(toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    full = (
        "import os, tempfile\nmake = tempfile.mkstemp\n"
        "def fill(*a, **k):\n    made, name = make(*a, **k)\n    os.close(made)\n"
        "    return os.open('/dev/full', os.O_WRONLY), name\n"
        "tempfile.mkstemp = fill\n"
    )
    (toy / "sitecustomize.py").write_text(full)
    value, messages = run(toy, cache)
    assert value == 2.0
    assert messages.count("cannot write compiled kernels") == 1
    assert "No space left on device" in messages
    assert not files(cache)


def test_a_folder_in_place_of_a_file_is_no_reason_to_fail(toy: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(toy, cache)
    (file,) = files(cache)
    file.unlink()
    file.mkdir()
    value, messages = run(toy, cache)
    assert value == 2.0
    assert messages.count("cannot write compiled kernels") == 1


def test_a_kernel_says_before_it_is_compiled_how_many_functions_it_has(toy: Path, tmp_path: Path) -> None:
    messages = run(toy, tmp_path / "cache")[1]
    assert "compiling toy.kernels.step: 2 functions" in messages
