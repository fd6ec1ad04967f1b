"""A user's table of numbers: which columns, which rows for what, scaled by the training samples alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from netdesc.datasets.classes import Labels
from netdesc.datasets.preparation import Rows
from netdesc.datasets.sheet import Sheet, read_sheet, require_columns
from netdesc.datasets.trace_files import as_traces, join_columns, read_traces
from netdesc.errors import DescriptionError
from netdesc.events import Floats
from netdesc.formats.csv import Column, number_of
from netdesc.formats.source import at
from netdesc.goals import Traces

PATH = "data.dataset.table"

PLAIN: Mapping[str, Any] = {"features": None, "label": None, "target": None, "target_interval": None}
"""Options of a table of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table are for.

    Parameters
    ----------
    features : tuple of str
    label : str or None
    targets : tuple of str
        Empty where there is a label.
    interval : float or None
        In ms, where the targets are the voltages of one output, a column for each step.
    """

    features: tuple[str, ...]
    label: str | None
    targets: tuple[str, ...]
    interval: float | None = None

    @property
    def complete(self) -> tuple[str, ...]:
        """Columns that must have a value in every row."""
        return self.all if self.interval is None else self.all[: len(self.all) - len(self.targets)]

    @property
    def all(self) -> tuple[str, ...]:
        """All columns that are read."""
        return (*self.features, *((self.label,) if self.label is not None else ()), *self.targets)


def read_rows(options: Mapping[str, Any], directory: Path) -> tuple[dict[str, Rows], tuple[str, ...]]:
    """Read the files of a table.

    Parameters
    ----------
    options : mapping
        Of the dataset ``table``.
    directory : Path
        Where relative paths begin.

    Returns
    -------
    rows : dict of str to Rows
        ``train``, still to be divided where ``validation`` or ``test`` is a fraction; and every split that
        has a file of its own.
    notes : tuple of str

    Raises
    ------
    DescriptionError
        If a file is missing or damaged, or its columns do not fit.
    """
    named = "train" if isinstance(options.get("train"), str) else "file"
    with at(f"{PATH}.{named}"):
        main = read_sheet(directory / str(options[named]))
    roles, notes = choose_columns(main, options)
    drop, rows = options["missing"] == "drop", dict[str, Rows]()
    for name in ("train", "validation", "test"):
        place = named if name == "train" else name
        if name != "train" and not isinstance(options.get(name), str):
            continue
        with at(f"{PATH}.{place}"):
            sheet = main if name == "train" else read_sheet(directory / str(options[name]))
            require_columns(sheet, roles.all)
            traces = find_traces(sheet, roles, options, directory)
            rows[name], dropped = take_rows(sheet, roles, traces, drop=drop)
        if dropped:
            notes.append(
                f"{dropped} of {sheet.rows} rows of {sheet.file.name} have a missing value and are dropped"
            )
    return rows, tuple(notes)


def find_traces(sheet: Sheet, roles: Roles, options: Mapping[str, Any], directory: Path) -> Traces | None:
    """Return the target voltages of a table: from its columns, its file or a second one; None where none.

    Raises
    ------
    DescriptionError
        If they are missing or do not fit.
    """
    if roles.interval is None:
        if sheet.targets is not None:
            raise sheet.fault(
                "expected the arrays x and y, got targets, too; for target voltages write target_interval, "
                "for example target_interval: 1 ms"
            )
        return None
    if options.get("target_file") is not None:
        with at(f"{PATH}.target_file"):
            return read_traces(directory / str(options["target_file"]), roles.interval, sheet.rows)
    if roles.targets:
        columns = {item.name: item for item in sheet.columns}
        steps = join_columns(sheet.file, tuple(columns[name] for name in roles.targets))
        return as_traces(sheet.file, steps, roles.interval, samples=sheet.rows)
    if sheet.targets is None:
        raise sheet.fault(
            "expected target voltages beside target_interval, got none; name the columns of the steps as "
            "target, a file as target_file, or write the array targets into an NPZ file"
        )
    return as_traces(sheet.file, sheet.targets, roles.interval, samples=sheet.rows)


def choose_columns(sheet: Sheet, options: Mapping[str, Any]) -> tuple[Roles, list[str]]:
    """Find out which columns are features, label and targets.

    Parameters
    ----------
    sheet : Sheet
        Of the training samples.
    options : mapping

    Returns
    -------
    roles : Roles
    notes : list of str
        Which columns are left out.

    Raises
    ------
    DescriptionError
        If a column is missing, no column is to be learned, or none is left to learn from.
    """
    label, targets = choose_goals(sheet, options)
    interval = options.get("target_interval")
    goals = {label, *targets, *sheet.goals}
    chosen, notes = options.get("features"), list[str]()
    with at(f"{PATH}.features" if chosen else PATH):
        require_columns(sheet, [*(chosen or ()), *((label,) if label is not None else ()), *targets])
    if chosen is None:
        usable = [item.name for item in sheet.columns if item.name not in goals and item.numbers is not None]
        others = [item.name for item in sheet.columns if item.name not in goals and item.numbers is None]
        if others:
            notes.append(f"columns of texts are left out: {', '.join(others[:12])}")
        if not usable:
            raise DescriptionError(
                f"expected a column of numbers to learn from, got none in {sheet.file.name} beside "
                f"{', '.join(sorted(map(str, goals - {None})))}; add one",
                path=PATH,
            )
        chosen = usable
    return Roles(tuple(chosen), label, targets, interval), notes


def choose_goals(sheet: Sheet, options: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """Return the columns of the label and of the targets.

    Raises
    ------
    DescriptionError
        If no column is to be learned, and no voltages are.
    """
    label, targets = options.get("label"), tuple(options.get("target") or ())
    interval = options.get("target_interval")
    elsewhere = interval is not None and (sheet.targets is not None or options.get("target_file") is not None)
    if label is None and not targets and (sheet.goals or not elsewhere):
        if not sheet.goals and interval is None:
            raise DescriptionError(
                f"expected a column to learn, got none; add label, or target for numbers; "
                f"{sheet.file.name} has the columns {', '.join(sheet.names[:20])}",
                path=PATH,
            )
        label = sheet.goals[0] if sheet.labelled else None
        targets = () if sheet.labelled or elsewhere else sheet.goals
    # The name of the array in an NPZ file stands for all of its columns.
    targets = sheet.goals if targets == ("y",) and sheet.goals else targets
    return label, targets


def take_rows(sheet: Sheet, roles: Roles, traces: Traces | None, *, drop: bool) -> tuple[Rows, int]:
    """Return the samples of a table, without those that miss a value.

    Parameters
    ----------
    sheet : Sheet
    roles : Roles
    traces : Traces or None
        Target voltages of all rows.
    drop : bool
        Whether samples may miss a value; they are left out.

    Returns
    -------
    rows : Rows
    dropped : int

    Raises
    ------
    DescriptionError
        With row and column of the first value that is missing, infinite, or a text among numbers.
    """
    columns = {item.name: item for item in sheet.columns}
    gaps = [find_gaps(columns[name]) for name in roles.complete]
    for name in (*roles.features, *(roles.targets if traces is None else ())):
        require_finite(sheet, columns[name])
    if not drop:
        for name, gap in zip(roles.complete, gaps, strict=True):
            if gap.any():
                row = int(gap.argmax()) + 1
                raise sheet.fault(
                    f"expected a value in row {row}, column {name:.60}, got none; complete "
                    "it, or set missing: drop"
                )
    kept = ~np.any(gaps, axis=0)
    if not kept.any():
        raise sheet.fault(
            "expected a row without missing values, got none; complete some, or leave columns out of features"
        )
    features = stack([columns[name] for name in roles.features])[kept]
    labels = None if roles.label is None else read_labels(sheet, columns[roles.label], kept)
    lost, chosen = int(np.count_nonzero(~kept)), np.flatnonzero(kept)
    if traces is not None:
        return Rows(features, labels, None, roles.features, traces=traces[chosen]), lost
    targets = stack([columns[name] for name in roles.targets])[kept] if roles.targets else None
    return Rows(features, labels, targets, roles.features, roles.targets), lost


def find_gaps(column: Column) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which cells of a column are empty or NaN, shape (rows,)."""
    if column.numbers is None:
        return np.array([not cell for cell in column.texts])
    return np.isnan(column.numbers)


def require_finite(sheet: Sheet, column: Column) -> None:
    """Refuse a column of features or targets with a text or an infinite number."""
    if column.numbers is None:
        row, cell = next(
            ((row, cell) for row, cell in enumerate(column.texts, 1) if cell and number_of(cell) is None),
            (1, ""),
        )
        raise sheet.fault(
            f"expected numbers in the column {column.name:.60}, got '{cell:.60}' in row "
            f"{row}; choose another column, or write numbers"
        )
    wrong = np.isinf(column.numbers)
    if wrong.any():
        row = int(wrong.argmax())
        raise sheet.fault(
            f"expected a finite number in row {row + 1}, column {column.name:.60}, got "
            f"{column.numbers[row]}; correct it"
        )


def read_labels(sheet: Sheet, column: Column, kept: np.ndarray[Any, Any]) -> Labels:
    """Return the labels of some rows: texts, or whole numbers.

    Raises
    ------
    DescriptionError
        If a number is not whole.
    """
    if column.numbers is None:
        texts: Labels = np.array(column.texts)[kept]
        return texts
    numbers = column.numbers[kept]
    odd = np.abs(numbers) >= 2.0**53
    odd |= numbers != np.floor(numbers)
    if odd.any():
        row = int(np.flatnonzero(kept)[int(odd.argmax())])
        raise sheet.fault(
            f"expected a text or a whole number as label in row {row + 1}, column {column.name:.60}, got "
            f"{column.numbers[row]:g}; to learn numbers, use target: {column.name:.60}"
        )
    whole: Labels = numbers.astype(np.int64)
    return whole


def stack(columns: Sequence[Column]) -> Floats:
    """Return columns of numbers side by side, shape (rows, columns)."""
    return np.column_stack([item.numbers for item in columns if item.numbers is not None])
