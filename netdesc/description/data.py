"""The section ``data``: its record, and what must hold between dataset, encoder and augmentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netdesc.description.model import Choice, Data
from netdesc.description.reading import Reading
from netdesc.errors import Diagnostic

SPIKE_DATASETS = frozenset(("shd",))
"""Datasets whose samples are spikes on channels; the others hold numbers."""


def data_of(data: dict[str, Any] | None, directory: Path) -> Data | None:
    """Return the record of the section ``data``, with the folder of the file; None where there is none."""
    if data is None:
        return None
    return Data(data["dataset"], data.get("encoder"), tuple(data["augmentation"]), directory)


def check_data(
    data: dict[str, Any] | None, populations: Mapping[str, dict[str, Any] | None], reading: Reading
) -> None:
    """Note what does not go together, and where a population needs a dataset and there is none.

    Parameters
    ----------
    data : dict or None
        The section, as read.
    populations : mapping of str to dict or None
    reading : Reading
        Receives the faults.
    """
    for name, population in populations.items():
        source = (population or {}).get("source")
        if isinstance(source, Choice) and source.kind == "dataset" and data is None and reading.sound("data"):
            reading.fail(
                "the source is a dataset, but the file has no data; add for example "
                "data: {dataset: yin_yang, encoder: latency}",
                f"populations.{name}.source",
            )
    if data is not None and reading.sound("data"):
        record = data_of(data, reading.directory)
        for fault in find_data_faults(record) if record is not None else ():
            reading.fail(fault.message, fault.path)


def find_data_faults(data: Data) -> Iterator[Diagnostic]:
    """Yield what does not go together in the section ``data``.

    Parameters
    ----------
    data : Data

    Yields
    ------
    Diagnostic
    """
    kind, options = data.dataset.kind, data.dataset.options
    if kind in SPIKE_DATASETS:
        if data.encoder is not None:
            yield Diagnostic(f"{kind} holds spikes already; remove encoder", "data.encoder")
        if options.get("speaker") is not None and options.get("validation") == "none":
            yield Diagnostic(
                "nobody is held out with validation: none; remove speaker, or validation",
                f"data.dataset.{kind}.speaker",
            )
        return
    if data.encoder is None:
        yield Diagnostic(
            f"{kind} needs an encoder; add encoder: {{latency: {{t_early: 0 ms, t_late: 30 ms}}}}", "data"
        )
    elif float(data.encoder.options["t_late"]) <= float(data.encoder.options["t_early"]):
        yield Diagnostic(
            "t_late is not after t_early; to make large values spike first, set first: large",
            f"data.encoder.{data.encoder.kind}.t_late",
        )
    for index, change in enumerate(data.augmentation):
        if change.kind == "channel_shift":
            yield Diagnostic(
                f"channel_shift moves spikes to other channels, and the features of {kind} are no row of "
                "channels; remove it",
                f"data.augmentation.{index}",
            )
