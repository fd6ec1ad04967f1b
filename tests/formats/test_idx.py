"""Arrays of bytes in IDX and gzip files."""

import gzip
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from netdesc.errors import DescriptionError
from netdesc.formats.compressed import opened
from netdesc.formats.idx import read_idx
from netdesc.formats.source import at


def head(*shape: int, code: int = 8) -> bytes:
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)


SOUND = head(2, 3) + bytes(range(6))


@pytest.mark.parametrize("content", [SOUND, gzip.compress(SOUND, mtime=0)])
def test_a_plain_or_compressed_array_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    np.testing.assert_array_equal(read_idx(tmp_path / "a", 2), np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got an empty file"),
        (b"\0\0\x08", "begins with two zero bytes"),
        (b"PK\x03\x04", "got a ZIP archive"),
        (head(2, 3, code=0x0D) + bytes(24), "got type 0x0d"),
        (head(6) + bytes(6), "expected an array of 2 axes, got 1"),
        (SOUND[:9], "a header of 12 bytes, got 9"),
        (SOUND[:-1], "expected 2 x 3 bytes after the header, got 5 bytes"),
        (SOUND + b"\0", "got 7 bytes"),
        (head(0, 3), "at least one value"),
        (head(2**32 - 1, 2**32 - 1), "in memory"),
        (gzip.compress(SOUND[:-1], mtime=0), "got 5 bytes"),
        (gzip.compress(SOUND + b"\0" * 10_000_000, mtime=0), "got more bytes"),
        (gzip.compress(SOUND, mtime=0)[:-5], "it ends too early"),
        (gzip.compress(SOUND, mtime=0)[:-8] + bytes(8), "it is damaged"),
        (b"\x1f\x8b" + bytes(20), "it is damaged"),
    ],
)
def test_what_is_not_as_announced_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DescriptionError, match=re.escape(message)):
        read_idx(tmp_path / "a", 2)


def test_a_sparse_file_is_refused_by_its_header(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(head(20, 2**30))
    os.truncate(tmp_path / "a", 12 + 20 * 2**30)
    with pytest.raises(DescriptionError, match="at most 16 GiB in memory, got 20 x 1073741824 bytes"):
        read_idx(tmp_path / "a", 2)


def test_a_bomb_is_expanded_no_further_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(bytes(50_000_000)))
    too_much = pytest.raises(DescriptionError, match="expected at most 1 MiB of content, got more")
    with opened(tmp_path / "a", "a text", limit=2**20) as content, too_much:
        content.read(2**20 + 1)


def test_the_path_in_the_description_is_added(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError) as caught, at("data.dataset.mnist.path"):
        read_idx(tmp_path / "a", 2)
    assert caught.value.diagnostics[0].path == "data.dataset.mnist.path"
