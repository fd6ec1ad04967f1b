"""Recorded spikes as rows of a table: sample, time, neuron, and the label in a column or a second file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.datasets.recorded import Recorded
from netdesc.datasets.sheet import Sheet, read_sheet, require_columns
from netdesc.datasets.trace_files import as_traces, join_columns
from netdesc.events import Events, Floats
from netdesc.formats.csv import Column
from netdesc.formats.numbers import as_floats, as_integers
from netdesc.formats.source import fault

COLUMNS = ("sample", "time", "neuron")

Names = NDArray[np.str_]
"""Names of the samples in a file, shape (samples,), in the order in which they first appear."""


def read_spike_table(file: Path, factor: float, *, listed: bool) -> tuple[Recorded, Names]:
    """Read spikes from the columns ``sample``, ``time``, ``neuron`` and, if it is there, ``label``.

    Parameters
    ----------
    file : Path
        With a header line, or with three or four columns in this order.
    factor : float
        Of the times in the file, to ms.
    listed : bool
        Whether another file lists the samples.

    Returns
    -------
    recorded : Recorded
        One sample for every name.
    names : ndarray of str
        Of the samples: any texts or numbers.

    Raises
    ------
    DescriptionError
        If a column is missing, a value is, or a sample has two labels.
    """
    sheet = named_columns(read_sheet(file))
    require_columns(sheet, COLUMNS if listed or "label" not in sheet.names else (*COLUMNS, "label"))
    columns = {item.name: item for item in sheet.columns}
    names, samples, firsts = number_samples(sheet, columns["sample"])
    times = numbers_of(sheet, columns["time"]) * factor
    neurons = as_integers(file, numbers_of(sheet, columns["neuron"]), "the column neuron: ")
    events = Events.from_arrays(times, neurons, samples, len(names))
    if "label" not in columns:
        return Recorded(events), names
    labels = labels_of(sheet, columns["label"])
    odd = labels != labels[firsts][samples]
    if odd.any():
        row = int(odd.argmax())
        raise fault(
            file,
            f"expected one label for sample {names[samples[row]]}, got {labels[row]} in row {row + 1} after "
            f"{labels[firsts][samples[row]]}; write the same label in all rows of a sample",
        )
    return Recorded(events, labels[firsts]), names


def read_labels_file(
    file: Path, recorded: Recorded, names: Names | None, factor: float, *, interval: float | None
) -> Recorded:
    """Add the labels or targets of a second file.

    Parameters
    ----------
    file : Path
        Columns ``sample`` and ``label``, or ``sample`` and one column of target times per output, or of the
        target voltages of one output per step.
    recorded : Recorded
        Spikes without labels.
    names : ndarray of str, or None
        Of its samples; None where they are numbered from 0.
    factor : float
        Of the times in the file, to ms.
    interval : float or None
        Of target voltages in ms; None where targets are times.

    Returns
    -------
    Recorded
        One sample for every row of the file, in its order; samples without spikes are among them.

    Raises
    ------
    DescriptionError
        If a sample is there twice, or has spikes but no row.
    """
    sheet = read_sheet(file)
    require_columns(sheet, ("sample",))
    columns = {item.name: item for item in sheet.columns}
    rows, _, firsts = number_samples(sheet, columns["sample"])
    if len(rows) < sheet.rows:
        row = int(np.setdiff1d(np.arange(sheet.rows), firsts)[0])
        raise fault(
            file,
            f"expected every sample once, got {texts_of(columns['sample'])[row]} again in row "
            f"{row + 1}; keep one row for each sample",
        )
    known = np.arange(len(recorded)).astype(np.str_) if names is None else names
    spread = spread_over(recorded.events, known, rows, file)
    labels = labels_of(sheet, columns["label"]) if "label" in columns else None
    outputs = [item for item in sheet.columns if item.name not in ("sample", "label")]
    if labels is not None and (interval is None or not outputs):
        return Recorded(spread, labels)
    if not outputs:
        raise fault(file, "expected a column label, or columns of target times, got sample alone; add one")
    if interval is not None:
        steps = join_columns(file, tuple(outputs))
        return Recorded(spread, labels, None, as_traces(file, steps, interval, samples=spread.batch))
    targets = np.column_stack([numbers_of(sheet, item, missing=True) for item in outputs])
    return replace(Recorded(spread), times=targets[:, :, None] * factor)


def spread_over(events: Events, known: Names, rows: Names, file: Path) -> Events:
    """Return events with samples in the order of the rows of another file."""
    place = {name: number for number, name in enumerate(rows.tolist())}
    strange = [name for name in known.tolist() if name not in place]
    if strange:
        raise fault(
            file,
            f"expected a row for every sample, got none for {', '.join(strange[:6])}"
            f"{f' and {len(strange) - 6} more' if len(strange) > 6 else ''}; add them",
        )
    moved = np.array([place[name] for name in known.tolist()], dtype=np.int64)
    return Events.from_arrays(events.times, events.sources, moved[events.samples()], len(rows))


def named_columns(sheet: Sheet) -> Sheet:
    """Return a table with the usual names where its file has no header line."""
    wanted = (*COLUMNS, "label")
    numbered = tuple(str(number + 1) for number in range(len(sheet.columns)))
    if sheet.names != numbered or not 3 <= len(numbered) <= 4:
        return sheet
    return replace(
        sheet,
        columns=tuple(replace(item, name=name) for item, name in zip(sheet.columns, wanted, strict=False)),
    )


def number_samples(sheet: Sheet, column: Column) -> tuple[Names, NDArray[np.int64], NDArray[np.int64]]:
    """Return numbers for the samples of a column, by first appearance.

    Returns
    -------
    names : ndarray of str, shape (samples,)
    samples : ndarray of int64, shape (rows,)
        Number of the sample of every row.
    firsts : ndarray of int64, shape (samples,)
        First row of every sample.
    """
    texts = texts_of(column)
    empty = texts == ""
    if empty.any():
        raise sheet.fault(f"expected a sample in row {int(empty.argmax()) + 1}, got nothing; name one")
    sorted_names, firsts, inverse = np.unique(texts, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return sorted_names[order], ranks[inverse.ravel()], firsts[order].astype(np.int64)


def texts_of(column: Column) -> Names:
    """Return a column as texts; whole numbers without a point."""
    if column.numbers is None:
        return np.array(column.texts)
    return np.array(["" if np.isnan(number) else f"{number:.17g}" for number in column.numbers.tolist()])


def labels_of(sheet: Sheet, column: Column) -> NDArray[Any]:
    """Return a column of labels: texts, or whole numbers."""
    if column.numbers is not None:
        numbers = numbers_of(sheet, column)
        return as_integers(sheet.file, numbers, f"the column {column.name}: ", least=-(2**53))
    empty = [row for row, cell in enumerate(column.texts, 1) if not cell]
    if empty:
        raise sheet.fault(f"expected a label in row {empty[0]}, got nothing; complete it")
    return np.array(column.texts)


def numbers_of(sheet: Sheet, column: Column, *, missing: bool = False) -> Floats:
    """Return a column of finite numbers, NaN for empty cells where they are accepted."""
    if column.numbers is None:
        raise sheet.fault(
            f"expected numbers in the column {column.name:.60}, got '{column.texts[0]:.60}'; write numbers"
        )
    gap = np.isnan(column.numbers)
    if gap.any() and not missing:
        raise sheet.fault(
            f"expected a number in row {int(gap.argmax()) + 1}, column {column.name:.60}, "
            "got nothing; complete it"
        )
    return as_floats(sheet.file, column.numbers, f"the column {column.name}: ", missing=missing)
