"""What must hold between a loss of target voltages, the samples and the recordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netdesc.description.model import Choice, Recording
from netdesc.description.reading.context import Reading
from netdesc.description.sections.data import TARGET_DATASETS


def may_have_targets(samples: Mapping[str, Any] | None) -> bool:
    """Return whether samples may come with target times: the caller's own, or those of some datasets."""
    if samples is None:
        return False
    dataset = samples.get("dataset")
    return dataset is None or dataset.kind in TARGET_DATASETS


def check_interval(loss: Choice, samples: Mapping[str, Any] | None, path: str, reading: Reading) -> None:
    """Note what keeps a loss of target voltages from its targets.

    Parameters
    ----------
    loss : Choice
        ``voltage_mse``.
    samples : mapping or None
        As for `netdesc.description.sections.studies.check_loss`.
    path : str
        Dotted path of the loss.
    reading : Reading
        Receives the faults.
    """
    if samples is None or not may_have_targets(samples):
        found = "no data" if samples is None else f"the dataset {samples['dataset'].kind}"
        reading.fail(
            f"voltage_mse expected samples with target voltages, got {found}; use the dataset table or "
            "spikes with target_interval, or netdesc.Samples in Python",
            path,
        )
        return
    dataset, interval = samples.get("dataset"), loss.options.get("interval")
    if dataset is None:
        if interval is None and reading.sound(f"{path}.interval"):
            reading.fail(
                "expected interval, got none; write the interval of the target voltages, for example "
                "interval: 1 ms",
                path,
            )
        return
    given = dataset.options.get("target_interval")
    if given is None and reading.sound(f"data.dataset.{dataset.kind}"):
        reading.fail(
            f"voltage_mse expected target_interval in the dataset {dataset.kind}, got none; write for "
            "example target_interval: 1 ms, and target voltages as targets",
            f"data.dataset.{dataset.kind}",
        )
    elif given is not None and interval is not None and interval != given:
        reading.fail(
            f"expected the interval of the target voltages, {given:g} ms, got {interval:g} ms; remove "
            "interval",
            f"{path}.interval",
        )


def find_needed(
    sections: Mapping[str, Any], recordings: Iterable[Recording], reading: Reading
) -> list[Recording]:
    """Return what losses of target voltages record, and note recordings and gradients that do not go with it.

    Parameters
    ----------
    sections : mapping
        The sections of the file.
    recordings : iterable of Recording
    reading : Reading
        Receives the faults.
    """
    gradient = (sections.get("training") or {}).get("gradient")
    samples = ((sections.get("data") or {}).get("dataset") or Choice("", {})).options
    intervals: dict[Any, float] = {}
    for name, loss in (sections.get("losses") or {}).items():
        if loss is None or loss.kind != "voltage_mse":
            continue
        interval = loss.options.get("interval") or samples.get("target_interval")
        population, path = loss.options.get("population"), f"losses.{name}.voltage_mse"
        if isinstance(gradient, Choice) and gradient.kind == "surrogate":
            reading.fail(
                "voltage_mse has an exact gradient only; use gradient: eventprop, or the loss mean_voltage",
                path,
            )
        if interval is None:
            continue
        if intervals.setdefault(population, interval) != interval:
            reading.fail(
                f"expected one interval for all losses of '{population}', got {intervals[population]:g} ms "
                f"and {interval:g} ms; use the same interval",
                path,
            )
        for item in recordings:
            same = (item.population, item.variable) == (population, "v")
            if same and (item.every != interval or item.neurons is not None):
                reading.fail(
                    f"the loss {name} records v of all neurons every {interval:g} ms; set every: "
                    f"{interval:g} ms and neurons: all, or remove this recording",
                    f"record.{population}",
                )
    return [Recording(population, "v", None, interval) for population, interval in intervals.items()]
