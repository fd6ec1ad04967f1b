"""Recorded spikes from HDF5, NPZ and CSV files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.datasets.recorded import Recorded
from netdesc.datasets.spike_tables import read_labels_file, read_spike_table
from netdesc.datasets.trace_files import ENDINGS, as_traces, read_traces
from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.formats import hdf5, npy
from netdesc.formats.numbers import as_floats, as_integers
from netdesc.formats.source import fault, shape_text

ARRAYS = ("times", "neurons", "offsets")
GOALS = ("labels", "targets")


def read_spikes(file: Path, labels: Path | None, factor: float, *, interval: float | None = None) -> Recorded:
    """Read spikes with labels or targets.

    Parameters
    ----------
    file : Path
        ``.npz``; ``.h5``, ``.hdf5``; text with separators otherwise.
    labels : Path or None
        CSV file of labels or targets, or NPY file of target voltages, where the file has none.
    factor : float
        Of the times in the files, to ms.
    interval : float or None
        Of target voltages in ms, where targets are voltages; None where they are times.

    Raises
    ------
    DescriptionError
        If a file is missing or damaged, or its content does not fit together.
    """
    ending = file.suffix.lower()
    if ending in ENDINGS:
        recorded, names = read_hdf5(file, factor, interval=interval), None
    elif ending == ".npz":
        recorded, names = read_npz(file, factor, interval=interval), None
    else:
        recorded, names = read_spike_table(file, factor, listed=labels is not None)
    if labels is None:
        if recorded.labels is None and recorded.times is None and recorded.traces is None:
            raise fault(
                file,
                "expected labels or targets, got neither; add them to the file, or name a CSV "
                "file of them as train_labels, validation_labels or test_labels",
            )
        return recorded
    if interval is not None and labels.suffix.lower() == ".npy" and recorded.traces is None:
        return replace(recorded, traces=read_traces(labels, interval, len(recorded)))
    if recorded.labels is not None or recorded.times is not None or recorded.traces is not None:
        raise fault(
            labels, f"expected labels in one place, got them in {file.name} too; remove the labels file"
        )
    return read_labels_file(labels, recorded, names, factor, interval=interval)


def read_npz(file: Path, factor: float, *, interval: float | None) -> Recorded:
    """Read ``times``, ``neurons``, ``offsets`` and ``labels`` or ``targets``."""
    arrays = npy.read_npz(file, text=True)
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise fault(
            file,
            f"expected the arrays {', '.join(ARRAYS)} and labels or targets, got "
            f"{', '.join(arrays)}; add {', '.join(missing)}",
        )
    for name in ARRAYS:
        require_axes(file, name, arrays[name], (1,))
    times = as_floats(file, arrays["times"], "the array 'times': ") * factor
    neurons = as_integers(file, arrays["neurons"], "the array 'neurons': ")
    offsets = as_integers(file, arrays["offsets"], "the array 'offsets': ")
    if len(neurons) != len(times):
        raise fault(
            file,
            f"expected one neuron for each time, got {len(neurons)} neurons and {len(times)} "
            "times; write arrays of the same length",
        )
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(times) or (np.diff(offsets) < 0).any():
        raise fault(
            file,
            f"expected offsets that rise from 0 to {len(times)}, one more than samples, got "
            f"{len(offsets)} from {offsets[0] if len(offsets) else 'nothing'} to "
            f"{offsets[-1] if len(offsets) else 'nothing'}; sample i holds spikes offsets[i] to "
            "offsets[i + 1] - 1",
        )
    goals = {name: arrays[name] for name in GOALS if name in arrays}
    return with_goals(file, in_order(times, neurons, offsets), goals, factor, interval=interval)


def read_hdf5(file: Path, factor: float, *, interval: float | None) -> Recorded:
    """Read the layout of the Spiking Heidelberg Digits, or results of netdesc with one population."""
    with hdf5.opened(file) as content:
        if "spikes/times" not in content:
            return Recorded(read_results(content, file, factor))
        rows, units = content.ragged("spikes/times"), content.ragged("spikes/units")
        counts = [len(row) for row in rows]
        if [len(row) for row in units] != counts:
            raise fault(
                file,
                f"expected as many units as times in every sample, got {len(rows)} samples of "
                f"times and {len(units)} of units, or of different lengths; write it again",
            )
        if not counts:
            raise fault(file, "expected at least one sample, got none; write it again")
        goals: dict[str, NDArray[Any]] = {}
        if "labels" in content:
            goals["labels"] = content.integers("labels", (len(rows),))
        if "targets" in content:
            goals["targets"] = content.floats("targets", missing=True)
    times = as_floats(file, np.concatenate(rows), "/spikes/times: ") * factor
    neurons = as_integers(file, np.concatenate(units), "/spikes/units: ")
    offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    return with_goals(file, in_order(times, neurons, offsets), goals, factor, interval=interval)


def read_results(content: hdf5.Group, file: Path, factor: float) -> Events:
    """Read the spikes of the only population of a results file."""
    if "spikes" not in content or not content.is_group("spikes"):
        raise fault(
            file,
            f"expected spikes/times, spikes/units and labels, got {', '.join(content.names()) or 'nothing'}; "
            "write the file in the layout of the Spiking Heidelberg Digits",
        )
    spikes = content.group("spikes")
    if len(spikes.names()) != 1:
        raise fault(
            file,
            f"expected the spikes of one population, got {', '.join(spikes.names())}; "
            "write a file with one of them",
        )
    group = spikes.group(spikes.names()[0])
    times = group.floats("timestamps", (None,)) * factor
    neurons = group.integers("node_ids", (len(times),))
    samples = (
        group.integers("sample_ids", (len(times),))
        if "sample_ids" in group
        else np.zeros(len(times), dtype=np.int64)
    )
    named = "batch" in content.attributes()
    batch = content.integer("batch", least=1) if named else int(samples.max(initial=0)) + 1
    if len(samples) and samples.max() >= batch:
        raise fault(file, f"expected samples 0 to {batch - 1}, got {samples.max()}; write it again")
    return Events.from_arrays(times, neurons, samples, batch)


def in_order(times: Floats, neurons: Integers, offsets: Integers) -> Events:
    """Return spikes as events, sorted within each sample."""
    samples = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return Events.from_arrays(times, neurons, samples, len(offsets) - 1)


def with_goals(
    file: Path, events: Events, goals: dict[str, NDArray[Any]], factor: float, *, interval: float | None
) -> Recorded:
    """Add labels or targets to spikes.

    Parameters
    ----------
    file : Path
    events : Events
    goals : dict of str to ndarray
        ``labels``: texts or whole numbers, shape (samples,); ``targets``: times in the unit of the file, NaN
        for none, shape (samples, outputs) or (samples, outputs, k).
    factor : float
        Of the times in the file, to ms.
    interval : float or None
        In ms, where the targets are voltages, shape (samples, steps) or (samples, steps, outputs).

    Raises
    ------
    DescriptionError
        If a shape does not fit.
    """
    for name, values in goals.items():
        require_axes(file, name, values, (1,) if name == "labels" else (2, 3))
        if len(values) != events.batch:
            raise fault(
                file,
                f"expected one row of {name} for each of the {events.batch} samples, got "
                f"{len(values)}; write one for each",
            )
    labels = None if "labels" not in goals else as_labels(file, goals["labels"])
    if "targets" not in goals:
        return Recorded(events, labels)
    if interval is not None:
        traces = as_traces(file, goals["targets"], interval, samples=events.batch)
        return Recorded(events, labels, None, traces)
    times = cubed(as_floats(file, goals["targets"], "the array 'targets': ", missing=True))
    return Recorded(events, labels, times * factor)


def as_labels(file: Path, values: NDArray[Any]) -> NDArray[Any]:
    """Return labels as texts or int64."""
    if values.dtype.kind in "US":
        try:
            return np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
        except UnicodeDecodeError:
            raise fault(file, "expected labels in UTF-8, got other bytes; write them as str") from None
    return as_integers(file, values, "labels: ", least=-(2**63))


def cubed(values: Floats) -> Floats:
    """Return targets with three axes: one target per output where there are two."""
    return values[:, :, None] if values.ndim == 2 else values


def require_axes(file: Path, name: str, values: NDArray[Any], axes: tuple[int, ...]) -> None:
    """Refuse an array with another number of axes, or an empty one that must not be."""
    if values.ndim not in axes or (name in GOALS and not values.size):
        wanted = " or ".join(map(str, axes))
        raise DescriptionError(
            fault(
                file,
                f"expected the array '{name}' with {wanted} axes, got the shape {shape_text(values.shape)}; "
                "change its shape",
            ).diagnostics
        )
