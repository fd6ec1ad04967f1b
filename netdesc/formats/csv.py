"""Tables of numbers and texts: CSV and its relatives, whatever separates their cells.

Read are UTF-8 texts, with or without a byte-order mark, plain or gzip, whose cells are separated by commas,
semicolons, tabs or spaces, with or without a header line. Empty lines and lines that begin with
``#`` are skipped. A table is read in blocks, so memory follows the numbers, not the text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from netdesc.formats.compressed import Content, opened
from netdesc.formats.numbers import Floats
from netdesc.formats.source import LARGEST, fault, recognized, require_within

MOST_LINES = 5_000_000
"""Lines that a table may have; parsing more takes longer than anyone should wait."""

MOST_TEXT = 2**30
"""Bytes of text that a table may have."""

LONGEST_LINE = 64 * 2**20
BLOCK_LINES = 50_000
SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        From the header line; its number, counted from 1, where there is none.
    numbers : ndarray of float64, shape (rows,), or None
        None where a cell is not a number.
    texts : tuple of str
        The cells as written; empty where all are numbers.
    """

    name: str
    numbers: Floats | None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table by columns.

    Parameters
    ----------
    columns : tuple of Column
    rows : int
    named : bool
        Whether the file has a header line.
    """

    columns: tuple[Column, ...]
    rows: int
    named: bool


@dataclass(slots=True)
class _Lines:
    """Lines of cells still to be read."""

    file: Path
    lines: Iterator[tuple[int, str]]
    separator: str | None
    width: int
    names: tuple[str, ...]

    def cells(self, line: str, number: int) -> list[str]:
        """Split a line, and refuse it where it has not as many cells as the others."""
        cells = _split(line, self.separator)
        if len(cells) != self.width:
            raise fault(
                self.file,
                f"expected {self.width} cells in every line, got {len(cells)} in line {number}; complete the "
                f"line, or quote texts that hold {SEPARATORS.get(self.separator or '', 'spaces')}",
            )
        return cells


def read_matrix(file: Path, *, limit: float = LARGEST, missing: bool = False) -> Floats:
    """Read a table of finite numbers.

    Parameters
    ----------
    file : Path
    limit : float
        Bytes that the numbers may take.
    missing : bool
        Whether empty cells and NaN are accepted; both become NaN.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Without the header line, if there is one.

    Raises
    ------
    DescriptionError
        If the file cannot be read, is not text in UTF-8, is too large, has lines of different lengths, or
        a cell that is not a finite number; with line and column.
    """
    with opened(file, "a CSV file", limit=MOST_TEXT) as content:
        table = _begin(content, file)
        blocks, rows = [], 0
        while block := list(islice(table.lines, BLOCK_LINES)):
            blocks.append(_numbers(block, table, missing=missing))
            rows += len(block)
            require_within(file, rows * table.width * 16.0, limit, f"{rows} x {table.width} numbers")
    if not blocks:
        raise fault(file, "expected numbers below the header line, got nothing; add rows")
    return np.concatenate(blocks)


def read_table(file: Path, *, limit: float = LARGEST) -> Table:
    """Read a table whose columns hold numbers or texts.

    Parameters
    ----------
    file : Path
    limit : float
        Bytes that the cells may take.

    Returns
    -------
    Table
        A column of which every cell is a number has ``numbers``; NaN for an empty cell beside numbers.

    Raises
    ------
    DescriptionError
        As `read_matrix`; a cell that is not a number makes its column a column of texts.
    """
    with opened(file, "a CSV file", limit=MOST_TEXT) as content:
        table = _begin(content, file)
        cells: list[list[str]] = [[] for _ in range(table.width)]
        rows = 0
        for number, line in table.lines:
            for column, cell in zip(cells, table.cells(line, number), strict=True):
                column.append(cell)
            rows += 1
            if rows % 1000 == 0:
                require_within(file, rows * table.width * 80.0, limit, f"{rows} x {table.width} cells")
    if not rows:
        raise fault(file, "expected rows below the header line, got none; add rows")
    names = table.names or tuple(str(number + 1) for number in range(table.width))
    columns = tuple(_column(name, column) for name, column in zip(names, cells, strict=True))
    return Table(columns, rows, bool(table.names))


def _column(name: str, cells: list[str]) -> Column:
    numbers = [number_of(cell) for cell in cells]
    if any(number is None for number in numbers) or not any(cells):
        return Column(name, None, tuple(cells))
    return Column(name, np.array(numbers, dtype=np.float64))


def _begin(content: Content, file: Path) -> _Lines:
    """Read as many lines as decide what separates cells and whether the first line holds names."""
    lines = _lines(content, file)
    first = list(islice(lines, 20))
    if not first:
        raise fault(file, "expected a table of numbers, got no line that holds any; write the file again")
    separator = _separator([line for _, line in first])
    head = _split(first[0][1], separator)
    names: tuple[str, ...] = ()
    if any(head) and all(not cell or _is_name(cell) for cell in head):
        names = tuple(head)
        first = first[1:]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise fault(
                file, f"expected every name once in the header line, got '{twice:.60}' twice; rename a column"
            )
    return _Lines(file, chain(first, lines), separator, len(head), names)


def _lines(content: Content, file: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and text of every line that is neither empty nor a comment."""
    for number, raw in enumerate(_raw_lines(content, file), 1):
        if number > MOST_LINES:
            raise fault(file, f"expected at most {MOST_LINES} lines, got more; use an NPY or HDF5 file")
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n ")
        except UnicodeDecodeError as error:
            raise fault(
                file,
                f"expected text in UTF-8, got byte 0x{raw[error.start]:02x} in line {number}; "
                "save the file with the encoding UTF-8",
            ) from None
        if text.strip() and not text.startswith("#"):
            yield number, text


def _raw_lines(content: Content, file: Path) -> Iterator[bytes]:
    rest, start = b"", True
    while piece := content.read(1 << 20):
        if start:
            _require_text(piece, file)
            start = False
        if b"\0" in piece:
            raise fault(file, "expected text, got a binary file; name a table of numbers")
        # Old Macintosh programs and some instruments end lines with a carriage return alone.
        *whole, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise fault(
                file,
                f"expected lines of at most {LONGEST_LINE} bytes, got a longer one; use an NPY or HDF5 file",
            )
        yield from whole
    yield rest


def _require_text(head: bytes, file: Path) -> None:
    found = recognized(head)
    if "UTF-16" in found or head[1:2] == b"\0" or (head[:1] == b"\0" and head[1:2] != b"\0"):
        raise fault(file, "expected text in UTF-8, got text in UTF-16; save the file with the encoding UTF-8")
    if found != "something else":
        raise fault(
            file,
            f"expected a table of numbers, got {found}; give it the ending of its format, or "
            "export it as CSV",
        )


def _separator(lines: list[str]) -> str | None:
    """Return what separates cells; None for spaces, or where there is one column."""
    for separator in SEPARATORS:
        if 2 * sum(separator in line for line in lines) >= len(lines):
            return separator
    return None if len(lines[-1].split()) > 1 or len(lines[0].split()) == 1 else "\t"


def _split(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return [cell.strip('"') for cell in line.split()]
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        cells = line.split(separator)
    return [cell.strip() for cell in cells]


def _numbers(block: list[tuple[int, str]], table: _Lines, *, missing: bool) -> Floats:
    """Parse a block: quickly where it is flawless, cell by cell where the fault must be found."""
    try:
        values = np.loadtxt([line for _, line in block], delimiter=table.separator, comments=None, ndmin=2)
        sound = values.shape == (len(block), table.width) and bool(
            (~np.isinf(values) if missing else np.isfinite(values)).all()
        )
        if sound:
            return values
    except (ValueError, TypeError):
        pass
    rows = [
        [
            _cell(cell, table, number, column, missing=missing)
            for column, cell in enumerate(table.cells(line, number), 1)
        ]
        for number, line in block
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), table.width)


def _cell(cell: str, table: _Lines, line: int, column: int, *, missing: bool) -> float:
    number = number_of(cell)
    if number is not None and (np.isfinite(number) or (missing and np.isnan(number))):
        return number
    name = f" ({table.names[column - 1]:.60})" if table.names else ""
    found = f"'{cell:.60}'" if cell else "an empty cell"
    if _DECIMAL_COMMA.fullmatch(cell):
        fix = "write a decimal point, not a comma"
    elif number is None and cell and line > 1:
        fix = "write a number there, or leave the line out"
    else:
        fix = "write a finite number there"
    raise fault(table.file, f"expected a number in line {line}, column {column}{name}, got {found}; {fix}")


def _is_name(cell: str) -> bool:
    return number_of(cell) is None and not _DECIMAL_COMMA.fullmatch(cell)


def number_of(cell: str) -> float | None:
    """Return a cell as a number, NaN where it is empty, None where it is a text."""
    if not cell:
        return float("nan")
    if "_" in cell:  # Python reads 1_000 as a number
        return None
    try:
        return float(cell)
    except ValueError:
        return None
