"""From the section ``data`` of a file to encoded samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from netdesc.datasets.augmentation import Augmentation
from netdesc.datasets.latency import latency, logarithmic_latency
from netdesc.datasets.mnist import mnist
from netdesc.datasets.placement import find_sources, require_features, require_in_time, require_size
from netdesc.datasets.records import Dataset, Split, Table
from netdesc.datasets.shd import CHANNELS, shd
from netdesc.datasets.yin_yang import yin_yang
from netdesc.description.data import find_data_faults
from netdesc.description.model import Choice, Data
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.events import Events, Floats
from netdesc.program import PopulationSlice, Program

YIN_YANG_SEEDS: Mapping[str, int] = MappingProxyType({"train": 42, "validation": 41, "test": 40})
"""Seeds of the published Yin-Yang sets."""


def draw_yin_yang(options: Mapping[str, Any], directory: Path, seed: int) -> dict[str, Table]:
    """Draw the parts of the Yin-Yang set that a file asks for.

    Parameters
    ----------
    options : mapping
        ``train``, ``validation``, ``test``: numbers of samples, 0 or None for none.
    directory : Path
        Unused: the set has no files.
    seed : int
        Unused: the seeds are the published ones, so that every model sees the same points.

    Returns
    -------
    dict of str to Table
    """
    sizes = {name: int(options.get(name) or 0) for name in YIN_YANG_SEEDS}
    return {name: yin_yang(size, YIN_YANG_SEEDS[name]) for name, size in sizes.items() if size}


TABLES: Mapping[str, Callable[[Mapping[str, Any], Path, int], dict[str, Table]]] = MappingProxyType({
    "yin_yang": draw_yin_yang,
    "mnist": mnist,
})
"""Datasets of numbers, which need an encoder."""

DATASETS = (*TABLES, "shd")
"""Names of the datasets that can be loaded."""

ENCODERS: Mapping[str, Callable[[Floats, Mapping[str, Any], int], Events]] = MappingProxyType({
    "latency": latency,
    "logarithmic_latency": logarithmic_latency,
})
"""Encoders by name."""


def load(data: Data, program: Program, *, seed: int) -> Dataset:
    """Load a dataset and encode all of it as spikes of the program's sources.

    Parameters
    ----------
    data : Data
        Section ``data`` of the file.
    program : Program
        Must have exactly one population whose source is ``dataset``.
    seed : int
        Root of what is drawn to split or augment samples. The Yin-Yang set is drawn by the published seeds,
        whatever this seed is, so that every model sees the same points.

    Returns
    -------
    Dataset

    Raises
    ------
    DescriptionError
        If dataset, encoder and augmentation do not go together, files are missing or damaged, or the
        population does not fit the samples.
    """
    require_consistent(data)
    sources = find_sources(program)
    if data.encoder is None:
        require_size(sources, CHANNELS, f"shd has {CHANNELS} channels; set size: {CHANNELS}")
        splits, notes = shd(data.dataset.options, data.directory, seed,
                            duration=program.duration, first_source=sources.start)
    else:
        splits = encode(data, data.encoder, sources, seed=seed)
        require_in_time(splits.values(), program.duration)
        notes = tuple(note for name, split in splits.items() for note in note_silent(name, split))
    train = splits["train"]
    if data.augmentation:
        change = Augmentation(data.augmentation, seed, sources.start, sources.stop, program.duration)
        train = replace(train, augmentation=change)
    return Dataset(train, splits.get("validation"), splits.get("test"), notes)


def require_consistent(data: Data) -> None:
    """Refuse what does not go together, all at once.

    Parameters
    ----------
    data : Data

    Raises
    ------
    DescriptionError
        With one diagnostic per fault.
    """
    kind, wrong = data.dataset.kind, list(find_data_faults(data))
    if kind in TABLES and int(data.dataset.options.get("train") or 0) < 1:
        wrong.append(Diagnostic("there are no samples to train on; set train to 1 or more",
                                path=f"data.dataset.{kind}.train"))
    if wrong:
        raise DescriptionError(wrong)


def encode(data: Data, encoder: Choice, sources: PopulationSlice, *, seed: int) -> dict[str, Split]:
    """Load a dataset of numbers and encode all of it.

    Parameters
    ----------
    data : Data
    encoder : Choice
    sources : PopulationSlice
    seed : int

    Returns
    -------
    dict of str to Split

    Raises
    ------
    DescriptionError
        If files are missing or damaged, or the population does not fit.
    """
    kind = data.dataset.kind
    tables = TABLES[kind](data.dataset.options, data.directory, seed)
    require_features(sources, tables["train"].values.shape[1], encoder.options, kind)
    code = ENCODERS[encoder.kind]
    return {name: Split(table.labels, code(table.values, encoder.options, sources.start))
            for name, table in tables.items()}


def note_silent(name: str, split: Split) -> tuple[str, ...]:
    """Tell how many samples of a split have no spike at all, where there are any."""
    silent = int(np.count_nonzero(np.diff(split.events.offsets) == 0))
    return (f"{silent} of {len(split)} {name} samples have no spike; lower the threshold of the encoder",
            )[:silent]
