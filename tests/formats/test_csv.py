"""Tables of numbers and texts."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from netdesc.errors import DescriptionError
from netdesc.formats import csv
from netdesc.formats.csv import read_matrix, read_table


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1,2\n3,4\n",
        "1;2\n3;4\n",
        "1\t2\n3\t4\n",
        "1 2\n3 4\n",
        " 1   2\n 3   4",
        "1, 2\r\n3, 4\r\n",
        "\ufeff1,2\n3,4\n",
        "a,b\n1,2\n3,4\n",
        "a b\tc d\n1\t2\n3\t4\n",
        "neuron;time (ms)\n1;2\n3;4\n",
        "# of numpy\n1 2\n3 4\n",
        '"1","2"\n"3","4"\n',
        "\n1,2\n\n3,4\n\n",
        "time,neuron\r\n1,2\r\n3,4",
    ],
)
def test_every_usual_separator_and_a_line_of_names_are_read(tmp_path: Path, text: str) -> None:
    np.testing.assert_array_equal(read_matrix(written(tmp_path, text)), [[1.0, 2.0], [3.0, 4.0]])


def test_a_compressed_table_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, gzip.compress(b"1,2\n3,4\n", mtime=0), "table.csv.gz")
    np.testing.assert_array_equal(read_matrix(file), [[1.0, 2.0], [3.0, 4.0]])


def test_one_column_is_a_table_of_one_column(tmp_path: Path) -> None:
    assert read_matrix(written(tmp_path, "time of spike\n1\n2.5\n")).tolist() == [[1.0], [2.5]]


def test_an_empty_cell_is_a_missing_number_only_where_that_is_accepted(tmp_path: Path) -> None:
    file = written(tmp_path, "1,\n3,4\n")
    np.testing.assert_array_equal(read_matrix(file, missing=True), [[1.0, np.nan], [3.0, 4.0]])
    with pytest.raises(DescriptionError, match="line 1, column 2, got an empty cell"):
        read_matrix(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3\n", "expected 2 cells in every line, got 1 in line 2"),
        ("1,2\n3,4,5\n", "expected 2 cells in every line, got 3 in line 2"),
        ("a,b\n1,2\n3,x\n", r"line 3, column 2 \(b\), got 'x'"),
        ("1,2\n\n3,inf\n", "line 3, column 2, got 'inf'"),
        ("1,2\n1_000,4\n", "line 2, column 1, got '1_000'"),
        ("1,5;2,5\n3,5;4,5\n", "got '1,5'; write a decimal point, not a comma"),
        ("a,a\n1,2\n", "got 'a' twice"),
        ("a,b\n", "below the header line, got nothing"),
        ("\n \n", "got no line that holds any"),
        ("", "got an empty file"),
        ("1,2\n".encode("utf-16"), "got text in UTF-16; save the file with the encoding UTF-8"),
        ("1,2\n".encode("utf-16-le"), "got text in UTF-16"),
        ("1,2\n".encode("utf-16-be"), "got text in UTF-16"),
        ("1,2\n3,4 µ\n".encode("latin-1"), "got byte 0xb5 in line 2"),
        (b"1,2\n3,\x004\n", "got a binary file"),
        (b"\x89HDF\r\n\x1a\n", "got an HDF5 file"),
        (b"PK\x03\x04abcd", "got a ZIP archive, as NPZ and spreadsheets are"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused_with_its_place(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    file = written(tmp_path, content)
    with pytest.raises(DescriptionError, match=message) as caught:
        read_matrix(file)
    assert str(file) in str(caught.value)


def test_a_table_beyond_the_limit_or_with_too_many_lines_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "1,2\n" * 1000)
    with pytest.raises(DescriptionError, match="expected at most 1000 bytes in memory, got 1000 x 2 numbers"):
        read_matrix(file, limit=1000)
    monkeypatch.setattr(csv, "MOST_LINES", 100)
    with pytest.raises(DescriptionError, match="expected at most 100 lines, got more; use an NPY"):
        read_matrix(file)


def test_blocks_are_joined_and_lines_counted_across_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv, "BLOCK_LINES", 7)
    numbers = np.arange(200.0).reshape(100, 2)
    file = written(tmp_path, "\n".join(f"{a},{b}" for a, b in numbers.tolist()))
    np.testing.assert_array_equal(read_matrix(file), numbers)
    file = written(tmp_path, "1,2\n" * 50 + "1,b\n" + "1,2\n" * 50)
    with pytest.raises(DescriptionError, match="line 51, column 2, got 'b'"):
        read_matrix(file)


def test_a_table_has_columns_of_numbers_and_of_texts(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'length,species\n5.1,"Iris, setosa"\n,virginica\n'))
    assert [column.name for column in table.columns] == ["length", "species"]
    assert (table.rows, table.named) == (2, True)
    np.testing.assert_array_equal(table.columns[0].numbers, [5.1, np.nan])
    assert table.columns[1].texts == ("Iris, setosa", "virginica")
    assert table.columns[1].numbers is None


def test_without_a_line_of_names_columns_are_numbered(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "5.1,3.5,setosa\n4.9,3.0,virginica\n"))
    assert [column.name for column in table.columns] == ["1", "2", "3"]
    assert table.rows == 2
    assert table.columns[2].texts == ("setosa", "virginica")
