"""A starting file for a user's own data: the sizes, times and weights that fit them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10
from pathlib import Path
from typing import Any

import numpy as np

from netdesc.cli.sketch import Sketch, compose, section_of, text_of
from netdesc.datasets.recorded import Recorded
from netdesc.datasets.sheet import read_sheet
from netdesc.datasets.spike_files import read_spikes
from netdesc.datasets.table import PLAIN, choose_columns, find_traces, take_rows
from netdesc.datasets.trace_files import ENDINGS
from netdesc.display import counted
from netdesc.errors import DescriptionError
from netdesc.formats.npy import read_npz
from netdesc.formats.source import fault, shape_text, size_of
from netdesc.goals import Traces
from netdesc.units import UNITS_OF_TIME, format_quantity

NEURONS = 8
"""Neurons per feature of a table with few features."""

FEW = 32
"""Features up to which each gets several neurons."""

SHARES = {"validation": "0.1    # fractions of the samples, drawn with simulation.seed", "test": "0.2"}
"""How the samples are divided, in YAML."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants to be learned.

    Parameters
    ----------
    label : str or None
        Column of the class.
    targets : sequence of str
        Columns of numbers.
    interval : float or None
        Of target voltages, in ms; None where there are none.
    """

    label: str | None = None
    targets: Sequence[str] = ()
    interval: float | None = None


def draft(source: Path, target: Path, *, wanted: Wanted, unit: str | None) -> str:
    """Write a description of a model for a file of data.

    Parameters
    ----------
    source : Path
        A table (CSV, NPZ, NPY, Parquet), or recorded spikes (HDF5, NPZ, CSV).
    target : Path
        Where the description will be, for relative paths.
    wanted : Wanted
    unit : str or None
        Of the times of spikes; guessed from the last spike where there is none.

    Returns
    -------
    str
        YAML.

    Raises
    ------
    DescriptionError
        If the file cannot be read, has nothing to be learned, or the unit is not known.
    """
    path = os.path.relpath(str(source), str(target.parent)).replace(os.sep, "/")
    if unit is not None and unit not in UNITS_OF_TIME:
        known = ", ".join(UNITS_OF_TIME)
        raise DescriptionError(f"expected one of {known} as unit, got {unit}")
    sketch = (
        sketch_spikes(source, path, unit, wanted.interval)
        if holds_spikes(source)
        else sketch_table(source, path, wanted)
    )
    return compose(sketch, target.stem)


def holds_spikes(source: Path) -> bool:
    """Return whether a file holds recorded spikes, not a table."""
    ending = source.suffix.lower()
    if ending in ENDINGS:
        return True
    if ending == ".npz":
        return {"times", "neurons", "offsets"} <= set(read_npz(source, text=True))
    size_of(source, "a file of data")
    return ending not in (".npy", ".parquet") and {"sample", "time", "neuron"} <= set(
        read_sheet(source).names
    )


def sketch_table(source: Path, path: str, wanted: Wanted) -> Sketch:
    """Decide about a model of a table.

    Raises
    ------
    DescriptionError
        If a column is missing, or target voltages or their interval are.
    """
    sheet = read_sheet(source)
    if sheet.targets is not None and wanted.interval is None:
        raise fault(
            source,
            f"expected the interval of the target voltages in the array targets, of the shape "
            f"{shape_text(sheet.targets.shape)}, got none; add it, for example --target-interval '1 ms'",
        )
    sought: dict[str, Any] = {
        "label": wanted.label,
        "target": tuple(wanted.targets) or None,
        "target_interval": wanted.interval,
    }
    roles, _ = choose_columns(sheet, {**PLAIN, **sought})
    traces = find_traces(sheet, roles, sought, source.parent)
    rows, dropped = take_rows(sheet, roles, traces, drop=True)
    features = len(roles.features)
    several, outputs, late, duration = features <= FEW, len(roles.targets), 0.0, 40.0
    if traces is not None:
        outputs, duration = traces.values.shape[2], duration_of(traces)
    elif rows.labels is not None:
        outputs = len(np.unique(rows.labels))
    else:
        late, duration = 30.0, 60.0
    options = {
        "file": text_of(path),
        "features": text_of(list(roles.features)) if several and not sheet.goals else None,
        "label": text_of(roles.label) if roles.label is not None and not sheet.goals else None,
        "target": text_of(list(roles.targets)) if roles.targets and not sheet.goals else None,
        "target_interval": format_quantity(traces.interval, "ms") if traces else None,
        "target_time": "[10 ms, 30 ms]    # of the smallest and the largest target" if late else None,
        "missing": "drop" if dropped else None,
        **SHARES,
    }
    plain = f"{outputs} to learn" if rows.labels is None else f"{outputs} classes"
    return Sketch(
        section_of("table", options),
        encoder_of(features, 20.0 if traces is None else duration),
        f"{len(rows)} samples of {features} features; {about_traces(traces) or plain}",
        len(rows),
        features * (NEURONS if several else 1) + 1,
        outputs,
        features * (4.5 if several else 0.5) + 1,
        duration,
        late,
        traces is not None,
    )


def duration_of(traces: Traces) -> float:
    """Return the time of the last target voltage in ms, at least one interval."""
    return float(max(traces.values.shape[1] - 1, 1) * traces.interval)


def about_traces(traces: Traces | None) -> str:
    """Return what target voltages are there, for a comment; empty for none."""
    if traces is None:
        return ""
    _, steps, outputs = traces.values.shape
    return f"{steps} target voltages of {counted(outputs, 'output')}"


def encoder_of(features: int, late: float) -> str:
    """Return the encoder for a number of features, in YAML, with its latest time in ms."""
    until = format_quantity(late, "ms")
    if features <= FEW:
        return f"{{population: {{neurons: {NEURONS}, t_late: {until}}}}}"
    return f"{{latency: {{t_late: {until}, first: large, threshold: 0.1}}}}"


def sketch_spikes(source: Path, path: str, unit: str | None, interval: float | None) -> Sketch:
    """Decide about a model of recorded spikes.

    Raises
    ------
    DescriptionError
        If the file has neither labels nor targets.
    """
    recorded = read_spikes(source, None, 1.0, interval=interval)
    last = float(recorded.events.times.max(initial=0.0))
    guessed = "" if unit else f", guessed from the last spike, at {last:g}"
    unit = unit or guess_unit(last)
    channels = int(recorded.events.sources.max(initial=0)) + 1
    outputs, late = goals_of(source, recorded)
    traces, until = recorded.traces, round_up(max(last, late) * UNITS_OF_TIME[unit])
    options = {
        "train": text_of(path),
        "unit": f"{unit}    # of the times in the file{guessed}",
        "target_interval": format_quantity(traces.interval, "ms") if traces else None,
        **SHARES,
    }
    about = f"{len(recorded)} samples on {channels} channels, the last spike at {last:g} {unit}"
    return Sketch(
        section_of("spikes", options),
        "",
        "; ".join(filter(None, (about, about_traces(traces)))),
        len(recorded),
        channels,
        outputs,
        max(len(recorded.events) / len(recorded), 1.0),
        until if traces is None else max(until, duration_of(traces)),
        late * UNITS_OF_TIME[unit],
        traces is not None,
    )


def goals_of(source: Path, recorded: Recorded) -> tuple[int, float]:
    """Return how many outputs there are, and the latest target time as in the file, 0 where none is."""
    if recorded.traces is not None:
        return recorded.traces.values.shape[2], 0.0
    if recorded.labels is not None:
        return len(np.unique(recorded.labels)), 0.0
    if recorded.times is not None:
        return recorded.times.shape[1], float(np.nanmax(recorded.times, initial=0.0))
    raise DescriptionError(f"{source}: expected labels or target times, got neither; add labels")


def guess_unit(last: float) -> str:
    """Return the unit in which the last spike of a recording probably comes."""
    return "s" if last <= 10.0 else "ms" if last <= 10_000.0 else "us"


def round_up(time: float) -> float:
    """Return a round time in ms after the last spike."""
    step = 0.5 * 10.0 ** int(log10(max(time, 10.0)))
    return max(ceil(1.1 * time / step) * step, 10.0)
