"""From the section ``data`` of a file to encoded samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from netdesc.budget import PER_SPIKE, Item, find_excess
from netdesc.datasets.encoders import Place, encode
from netdesc.datasets.placement import find_sources, require_features, require_in_time, require_size
from netdesc.datasets.records import Dataset, Prepared, Split, Table
from netdesc.description.model import Choice, Data
from netdesc.description.sections.data import find_data_faults, require_dataset
from netdesc.errors import DescriptionError, Diagnostic, LimitError
from netdesc.goals import Goals
from netdesc.program import PopulationSlice, Program

if TYPE_CHECKING:
    from netdesc.datasets.samples import Samples

YIN_YANG_SEEDS: Mapping[str, int] = MappingProxyType({"train": 42, "validation": 41, "test": 40})
"""Seeds of the published Yin-Yang sets."""


def draw_yin_yang(options: Mapping[str, Any], directory: Path, seed: int) -> dict[str, Table]:
    """Draw the parts of the Yin-Yang set that a file asks for, 0 or None for none.

    The set has no files, and the seeds are the published ones, so that every model sees the same points.
    """
    from netdesc.datasets.yin_yang import yin_yang

    sizes = {name: int(options.get(name) or 0) for name in YIN_YANG_SEEDS}
    return {name: yin_yang(size, YIN_YANG_SEEDS[name]) for name, size in sizes.items() if size}


def read_mnist(options: Mapping[str, Any], directory: Path, seed: int) -> dict[str, Table]:
    """Read the MNIST set; see ``netdesc.datasets.mnist``, which is imported only where it is needed."""
    from netdesc.datasets.mnist import mnist

    return mnist(options, directory, seed)


TABLES: Mapping[str, Callable[[Mapping[str, Any], Path, int], dict[str, Table]]] = MappingProxyType(
    {
        "yin_yang": draw_yin_yang,
        "mnist": read_mnist,
    }
)
"""Datasets of numbers, which need an encoder."""

DATASETS = (*TABLES, "shd", "spikes", "table")
"""Names of the datasets that can be loaded."""


def load(data: Data | Samples, program: Program, *, seed: int, defaults: Data | None = None) -> Dataset:
    """Load a dataset and encode all of it as spikes of the program's sources.

    Parameters
    ----------
    data : Data or Samples
        Section ``data`` of the file, or samples of the caller.
    program : Program
        Must have exactly one population whose source is ``dataset``.
    seed : int
        Root of what is drawn to split, encode or augment samples. The Yin-Yang set is drawn by the published
        seeds, whatever this seed is, so that every model sees the same points.
    defaults : Data or None
        Section whose encoder and augmentation hold for samples of the caller.

    Raises
    ------
    DescriptionError
        If dataset, encoder and augmentation do not go together, files are missing or damaged, or the
        population does not fit the samples.
    """
    if isinstance(data, Data):
        require_consistent(data)
        sources = find_sources(program)
        splits, notes = load_section(data, program, sources, seed=seed)
        changes = data.augmentation
    else:
        sources = find_sources(program)
        splits, notes = load_samples(data, defaults, program, seed=seed)
        changes = defaults.augmentation if defaults is not None else ()
    train = splits["train"]
    if changes:
        from netdesc.datasets.augmentation import Augmentation

        change = Augmentation(changes, seed, sources.start, sources.stop, program.duration)
        train = replace(train, augmentation=change)
    return Dataset(train, splits.get("validation"), splits.get("test"), notes)


Loaded = tuple[dict[str, Split], tuple[str, ...]]
"""Splits by name, and notes."""


def load_section(data: Data, program: Program, sources: PopulationSlice, *, seed: int) -> Loaded:
    """Load the dataset that a file names.

    Returns
    -------
    splits : dict of str to Split
    notes : tuple of str

    Raises
    ------
    DescriptionError
        If files are missing or damaged, or the population does not fit.
    """
    dataset = require_dataset(data)
    kind, options = dataset.kind, dataset.options
    if kind == "spikes":
        from netdesc.datasets.spikes import load_spikes

        return load_spikes(options, data.directory, seed, duration=program.duration, sources=sources)
    if kind == "shd" or data.encoder is None:
        from netdesc.datasets.shd import CHANNELS, shd

        require_size(sources, CHANNELS, f"shd has {CHANNELS} channels; set size: {CHANNELS}")
        return shd(options, data.directory, seed, duration=program.duration, first_source=sources.start)
    notes: tuple[str, ...] = ()
    if kind == "table":
        from netdesc.datasets.preparation import divide_rows, prepare
        from netdesc.datasets.table import PATH as TABLE
        from netdesc.datasets.table import read_rows

        rows, read_notes = read_rows(options, data.directory)
        prepared, more = prepare(divide_rows(rows, options, seed, TABLE), options, TABLE)
        notes = (*read_notes, *more)
    else:
        tables = TABLES[kind](options, data.directory, seed)
        prepared = {name: Prepared(table.values, Goals(table.labels)) for name, table in tables.items()}
    splits = encode_all(prepared, data.encoder, (program, sources), seed=seed, kind=kind)
    return splits, (*notes, *note_all(splits, program.duration))


def load_samples(data: Samples, defaults: Data | None, program: Program, *, seed: int) -> Loaded:
    """Divide, scale and encode samples of the caller.

    Parameters
    ----------
    data : Samples
    defaults : Data or None
        With the encoder; latency where there is none.
    program : Program
    seed : int

    Returns
    -------
    splits : dict of str to Split
    notes : tuple of str

    Raises
    ------
    DescriptionError
        If the samples do not fit the population or each other.
    """
    from netdesc.datasets.preparation import divide_rows, prepare, shares_of
    from netdesc.datasets.recorded import keep_inside, require_channels
    from netdesc.datasets.samples import PATH as SAMPLES

    sources = find_sources(program)
    recorded, options = data.recorded(), data.options()
    if recorded:
        from netdesc.datasets.spikes import divide_recorded

        kept = {}
        for name, part in recorded.items():
            require_channels(part, sources.size, SAMPLES)
            kept[name], _ = keep_inside(part, program.duration, drop=False, unit=data.unit, path=SAMPLES)
        splits, more = divide_recorded(kept, shares_of(options), seed, sources.start, SAMPLES)
        return splits, (*more, *note_all(splits, program.duration))
    rows = data.rows()
    prepared, notes = prepare(divide_rows(rows, options, seed, SAMPLES), options, SAMPLES)
    encoder = (
        defaults.encoder
        if defaults is not None and defaults.encoder is not None
        else (default_encoder(rows["train"].values.shape[1], sources, program.duration))
    )
    splits = encode_all(prepared, encoder, (program, sources), seed=seed, kind="data")
    return splits, (*notes, *note_all(splits, program.duration))


def default_encoder(features: int, sources: PopulationSlice, duration: float) -> Choice:
    """Return the encoder of arrays where the file has none: latency, over at most 30 ms.

    It has a bias neuron where the population has one neuron more than there are features.
    """
    bias = 0.0 if sources.size == features + 1 else None
    return Choice(
        "latency",
        {"t_early": 0.0, "t_late": min(30.0, duration), "first": "small", "threshold": None, "bias": bias},
    )


def encode_all(
    prepared: Mapping[str, Prepared],
    encoder: Choice,
    place: tuple[Program, PopulationSlice],
    *,
    seed: int,
    kind: str,
) -> dict[str, Split]:
    """Encode all splits of a dataset of numbers.

    Parameters
    ----------
    prepared : mapping of str to Prepared
    encoder : Choice
    place : tuple of Program and PopulationSlice
        Where the samples go.
    seed : int
    kind : str
        Of the dataset, for messages.

    Raises
    ------
    DescriptionError
        If the population does not fit, or spikes or targets are outside of the sample.
    """
    program, sources = place
    require_features(sources, prepared["train"].values.shape[1], encoder, kind)
    require_room(prepared, encoder, program.duration, kind)
    at = Place(sources.start, program.duration, seed)
    splits = {
        name: Split(
            item.goals.labels,
            encode(item.values, encoder, at, split=name),
            None,
            item.goals.times,
            item.goals.traces,
        )
        for name, item in prepared.items()
    }
    require_in_time(splits.values(), program.duration)
    return splits


def require_room(prepared: Mapping[str, Prepared], encoder: Choice, duration: float, kind: str) -> None:
    """Refuse samples of a dataset of a kind whose spikes would take more memory than the machine has.

    Raises
    ------
    LimitError
        With the number of samples that would fit.
    """
    each, words = 1.0, "values"
    if encoder.kind == "rate":
        each, words = max(float(encoder.options["max_rate"]) * duration, 1.0), "values, as spikes"
    elif encoder.kind == "population":
        each, words = float(encoder.options["neurons"]), "values, as spikes"
    path = "data" if kind == "data" else f"data.dataset.{kind}"
    number = float(sum(item.values.size for item in prepared.values()))
    excess = find_excess([Item(path, number * each, words, PER_SPIKE, "use fewer samples")], float("inf"))
    if excess is not None:
        raise LimitError(excess)


def note_all(splits: Mapping[str, Split], duration: float) -> tuple[str, ...]:
    """Return notes about samples without spikes, and about targets outside of the sample."""
    notes: list[str] = []
    for name, split in splits.items():
        notes += note_silent(name, split)
        times = split.times
        late = 0 if times is None else int(np.count_nonzero((times < 0.0) | (times > duration)))
        if late:
            notes.append(
                f"{late} target times of {name} are outside of the sample, 0 ms to "
                f"{duration:g} ms, and cannot be reached"
            )
    return tuple(notes)


def require_consistent(data: Data) -> None:
    """Refuse what does not go together, all at once.

    Raises
    ------
    DescriptionError
        With one diagnostic per fault.
    """
    kind, wrong = require_dataset(data).kind, list(find_data_faults(data))
    if kind in TABLES and int(data.option("train") or 0) < 1:
        wrong.append(
            Diagnostic(
                "there are no samples to train on; set train to 1 or more", path=f"data.dataset.{kind}.train"
            )
        )
    if wrong:
        raise DescriptionError(wrong)


def note_silent(name: str, split: Split) -> tuple[str, ...]:
    """Tell how many samples of a split have no spike at all, where there are any."""
    silent = int(np.count_nonzero(np.diff(split.events.offsets) == 0))
    return (f"{silent} of {len(split)} {name} samples have no spike; lower the threshold of the encoder",)[
        :silent
    ]
