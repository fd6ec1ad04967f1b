"""The section ``data``: its record, and what must hold between dataset, encoder and augmentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netdesc.description.model import Choice, Data
from netdesc.description.reading.context import Reading
from netdesc.errors import DescriptionError, Diagnostic

SPIKE_DATASETS = frozenset(("shd", "spikes"))
"""Datasets whose samples are spikes on channels; the others hold numbers."""

TARGET_DATASETS = frozenset(("spikes", "table"))
"""Datasets whose samples may have target times or voltages."""

WITHOUT_DATA = (
    "the source is a dataset, but the file has no data.dataset; add for example "
    "data: {dataset: yin_yang, encoder: latency}, or pass data=netdesc.Samples(...) in Python"
)
"""What is wrong with a file whose samples come from nowhere."""


def data_of(data: dict[str, Any] | None, directory: Path) -> Data | None:
    """Return the record of the section ``data``, with the folder of the file; None where there is none."""
    if data is None:
        return None
    return Data(data.get("dataset"), data.get("encoder"), tuple(data["augmentation"]), directory)


def with_dataset(data: Data | None) -> Data | None:
    """Return the section ``data`` where it names a dataset; None where a program passes the samples."""
    return None if data is None or data.dataset is None else data


def require_dataset(data: Data) -> Choice:
    """Return the dataset that a section names.

    Raises
    ------
    DescriptionError
        If it names none.
    """
    if data.dataset is None:
        raise DescriptionError(
            "expected dataset, got none; add one, or pass data=netdesc.Samples(...) in Python", path="data"
        )
    return data.dataset


def check_data(data: dict[str, Any] | None, reading: Reading) -> None:
    """Note what does not go together.

    Parameters
    ----------
    data : dict or None
        The section, as read.
    reading : Reading
        Receives the faults.
    """
    if data is not None and reading.sound("data"):
        record = data_of(data, reading.directory)
        for fault in find_data_faults(record) if record is not None else ():
            reading.fail(fault.message, fault.path)


def is_fed(populations: Mapping[str, dict[str, Any] | None]) -> bool:
    """Return whether a population gets its spikes from a dataset, of the file or of the caller."""
    sources = [(population or {}).get("source") for population in populations.values()]
    return any(isinstance(source, Choice) and source.kind == "dataset" for source in sources)


def find_data_faults(data: Data) -> Iterator[Diagnostic]:
    """Yield what does not go together in the section ``data``."""
    if data.dataset is None:
        if data.encoder is not None:
            yield from _find_encoder_faults(data.encoder)
        return
    kind, options = data.dataset.kind, data.dataset.options
    if kind == "spikes":
        yield from _find_spike_faults(options)
    if kind == "table":
        yield from _find_table_faults(options)
    if kind in SPIKE_DATASETS:
        if data.encoder is not None:
            yield Diagnostic(f"the dataset {kind} holds spikes already; remove encoder", "data.encoder")
        if options.get("speaker") is not None and options.get("validation") == "none":
            yield Diagnostic(
                "no speaker is held out with validation: none; remove speaker, or validation",
                f"data.dataset.{kind}.speaker",
            )
        return
    if data.encoder is None:
        yield Diagnostic(
            f"{kind} needs an encoder; add encoder: {{latency: {{t_early: 0 ms, t_late: 30 ms}}}}", "data"
        )
    else:
        yield from _find_encoder_faults(data.encoder)
    for index, change in enumerate(data.augmentation):
        if change.kind == "channel_shift":
            yield Diagnostic(
                f"channel_shift moves spikes to other channels, and the features of {kind} are not channels "
                "in a row; remove it",
                f"data.augmentation.{index}",
            )


def _find_encoder_faults(encoder: Choice) -> Iterator[Diagnostic]:
    options, path = encoder.options, f"data.encoder.{encoder.kind}"
    if "t_late" in options and float(options["t_late"]) <= float(options["t_early"]):
        fix = "; to make large values spike first, set first: large" if encoder.kind == "latency" else ""
        yield Diagnostic(f"t_late is not after t_early{fix}", f"{path}.t_late")
    if encoder.kind == "rate":
        if float(options["max_rate"]) <= float(options["min_rate"]):
            yield Diagnostic("max_rate is not larger than min_rate", f"{path}.max_rate")
        if options["stop"] is not None and float(options["stop"]) <= float(options["start"]):
            yield Diagnostic("stop is not after start", f"{path}.stop")


def _find_spike_faults(options: Mapping[str, Any]) -> Iterator[Diagnostic]:
    path = "data.dataset.spikes"
    yield from _find_share_faults(options, path)
    for name in ("validation", "test"):
        if options.get(f"{name}_labels") is not None and not isinstance(options.get(name), str):
            yield Diagnostic(
                f"expected a file as {name} beside {name}_labels, got none; remove {name}_labels; "
                "a fraction of train keeps the labels of its samples",
                f"{path}.{name}_labels",
            )


def _find_table_faults(options: Mapping[str, Any]) -> Iterator[Diagnostic]:
    path, train = "data.dataset.table", options.get("train")
    if options.get("file") is None and not isinstance(train, str):
        yield Diagnostic("expected a file, got none; add for example file: flowers.csv", path)
    elif options.get("file") is not None and isinstance(train, str):
        yield Diagnostic("expected either file or a file as train, got both; remove one", f"{path}.train")
    yield from _find_share_faults(options, path)
    yield from _find_trace_faults(options, path)
    target = options.get("target")
    if options.get("label") is not None and target is not None:
        yield Diagnostic("expected either label or target, got both; remove one", f"{path}.target")
    if options.get("target_time") is not None and options.get("target_unit") is not None:
        yield Diagnostic(
            "expected either target_time or target_unit, got both; with target_unit the targets "
            "are times already; remove one",
            f"{path}.target_unit",
        )
    for name in ("target_time", "target_unit"):
        if options.get(name) is not None and options.get("label") is not None:
            yield Diagnostic(
                f"{name} applies to targets, but label is a class; remove {name}", f"{path}.{name}"
            )
    window = options.get("target_time")
    if window is not None and window[1] <= window[0]:
        yield Diagnostic(
            f"expected the later time second, got [{window[0]:g} ms, {window[1]:g} ms]; swap them",
            f"{path}.target_time",
        )
    chosen = options.get("features") or ()
    for name in (options.get("label"), *(target or ())):
        if name is not None and name in chosen:
            yield Diagnostic(
                f"expected features without the target, got {name}, which is to be learned; "
                "remove it from features",
                f"{path}.features",
            )


def _find_trace_faults(options: Mapping[str, Any], path: str) -> Iterator[Diagnostic]:
    target, interval, file = options.get("target"), options.get("target_interval"), options.get("target_file")
    if file is not None and interval is None:
        yield Diagnostic(
            "expected target_interval beside target_file, got none; write for example target_interval: 1 ms",
            f"{path}.target_file",
        )
    if file is not None and target is not None:
        yield Diagnostic("expected either target or target_file, got both; remove one", f"{path}.target_file")
    splits = (options.get(name) for name in ("train", "validation", "test"))
    if file is not None and any(isinstance(split, str) for split in splits):
        yield Diagnostic(
            "expected fractions as validation and test beside target_file, got files; write the target "
            "voltages as targets into each NPZ file, or use fractions",
            f"{path}.target_file",
        )
    for name in ("target_time", "target_unit"):
        if options.get(name) is not None and interval is not None:
            yield Diagnostic(
                f"{name} applies to times, but with target_interval the targets are voltages; remove {name}",
                f"{path}.{name}",
            )


def _find_share_faults(options: Mapping[str, Any], path: str) -> Iterator[Diagnostic]:
    shares = {
        name: float(options[name])
        for name in ("train", "validation", "test")
        if isinstance(options.get(name), int | float)
    }
    held = {name: share for name, share in shares.items() if name != "train"}
    words = " + ".join(f"{name}: {share:g}" for name, share in shares.items())
    if "train" in shares and sum(shares.values()) > 1.0 + 1e-9:
        yield Diagnostic(
            f"expected fractions that sum to at most 1, got {words}; lower them", f"{path}.train"
        )
    elif "train" not in shares and sum(held.values()) >= 1.0:
        yield Diagnostic(
            f"expected fractions below 1 together, got {words}, which leaves no samples to "
            "train on; lower them",
            f"{path}.{next(iter(held))}",
        )
    if shares.get("train") == 0.0:
        yield Diagnostic(
            "expected a fraction above 0, got 0; there would be no samples to train on", f"{path}.train"
        )
