"""From rows of numbers with labels or targets to encoded splits: divided, scaled, classes numbered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netdesc.datasets.classes import Classes, Labels, number_classes
from netdesc.datasets.partition import HELD, divide
from netdesc.datasets.records import Prepared
from netdesc.datasets.scaling import Scale
from netdesc.errors import DescriptionError
from netdesc.events import Floats, Integers
from netdesc.goals import Goals, Traces
from netdesc.units import UNITS_OF_TIME


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples as numbers, before anything is done to them.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
    labels : ndarray of texts or int64, shape (samples,), or None
    targets : ndarray of float64, shape (samples, outputs), or None
    names, target_names : tuple of str
        Of the features and the targets.
    times : ndarray of float64, shape (samples, outputs, k), or None
        Target times in ms, where these are known already.
    traces : Traces or None
        Target voltages.
    """

    values: Floats
    labels: Labels | None
    targets: Floats | None
    names: tuple[str, ...]
    target_names: tuple[str, ...] = ()
    times: Floats | None = None
    traces: Traces | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, which: Integers) -> Rows:
        """Return some of the samples."""
        labels, targets, times = (
            None if item is None else item[which] for item in (self.labels, self.targets, self.times)
        )
        traces = None if self.traces is None else self.traces[which]
        return Rows(self.values[which], labels, targets, self.names, self.target_names, times, traces)


def shares_of(options: Mapping[str, Any]) -> dict[str, float]:
    """Return the splits that are fractions."""
    return {
        name: float(options[name]) for name in ("train", *HELD) if isinstance(options.get(name), int | float)
    }


def divide_rows(
    rows: Mapping[str, Rows], options: Mapping[str, Any], seed: int, path: str
) -> dict[str, Rows]:
    """Take validation and test samples out of those for training, where the options give fractions for them.

    Raises
    ------
    DescriptionError
        If a split has no samples.
    """
    whole = rows["train"]
    classes = number_classes(whole.labels, path)
    parts = divide(len(whole), shares_of(options), seed, classes=classes, path=path)
    return {
        **{name: whole.take(which) for name, which in parts.items()},
        **{name: item for name, item in rows.items() if name != "train"},
    }


def prepare(
    rows: Mapping[str, Rows], options: Mapping[str, Any], path: str
) -> tuple[dict[str, Prepared], list[str]]:
    """Scale features and targets by the training samples.

    Parameters
    ----------
    rows : mapping of str to Rows
        With ``train``.
    options : mapping
        ``scale``, ``target_time`` and ``target_unit``, as of the dataset ``table``.
    path : str
        Dotted path of the dataset, for messages.

    Returns
    -------
    prepared : dict of str to Prepared
    notes : list of str

    Raises
    ------
    DescriptionError
        If values, labels or targets do not fit.
    """
    train = rows["train"]
    scale = Scale.fit(train.values, str(options.get("scale", "per_feature")), path)
    notes = list(scale.notes(train.names))
    classes = None if train.labels is None else Classes.find(train.labels)
    notes += classes.notes() if classes is not None else []
    window = Window.fit(train, options, path)
    notes += window.notes(train.target_names) if window is not None else []
    prepared = {}
    for name, item in rows.items():
        values, clipped = scale.apply(item.values)
        if clipped:
            notes.append(
                f"{clipped} of {item.values.size} values of {name} are outside of the range of the "
                "training samples and are clipped to it"
            )
        prepared[name] = Prepared(values, goals_of(item, classes, window, split=name, path=path))
    return prepared, notes


@dataclass(frozen=True, slots=True)
class Window:
    """How targets become times.

    Parameters
    ----------
    low, high : ndarray of float64, shape (outputs,)
        Targets at ``early`` and ``late``.
    early, late : float
        In ms.
    """

    low: Floats
    high: Floats
    early: float
    late: float

    @classmethod
    def fit(cls, train: Rows, options: Mapping[str, Any], path: str) -> Window | None:
        """Return the window of the training samples; None where there are no targets to scale."""
        if train.targets is None:
            return None
        outputs = train.targets.shape[1]
        if options.get("target_unit") is not None:
            factor = UNITS_OF_TIME[str(options["target_unit"])]
            return cls(np.zeros(outputs), np.ones(outputs), 0.0, factor)
        if options.get("target_time") is None:
            raise DescriptionError(
                "expected target_time or target_unit beside a target, got neither; write for example "
                "target_time: [10 ms, 30 ms], or target_unit: ms where the column holds times",
                path=path,
            )
        early, late = (float(time) for time in options["target_time"])
        return cls(train.targets.min(axis=0), train.targets.max(axis=0), early, late)

    def times(self, targets: Floats) -> Floats:
        """Return target times in ms, shape (samples, outputs, 1)."""
        span = np.where(self.high > self.low, self.high - self.low, 1.0)
        times: Floats = self.early + (targets - self.low) / span * (self.late - self.early)
        return times[:, :, None]

    def notes(self, names: Sequence[str]) -> Iterator[str]:
        """Yield how targets and times belong together."""
        for name, low, high in zip(names, self.low.tolist(), self.high.tolist(), strict=True):
            if (low, high, self.early) != (0.0, 1.0, 0.0):
                yield (
                    f"target {name}: {low:g} at {self.early:g} ms, {high:g} at {self.late:g} ms, linear "
                    "between and beyond"
                )


def goals_of(rows: Rows, classes: Classes | None, window: Window | None, *, split: str, path: str) -> Goals:
    """Return labels or targets of some samples.

    Raises
    ------
    DescriptionError
        If a label is not among the classes.
    """
    if rows.labels is not None and classes is not None:
        return Goals(classes.number(rows.labels, split=split, path=path), None, rows.traces)
    if rows.targets is None or window is None:
        return Goals(None, rows.times, rows.traces)
    times = window.times(rows.targets)
    if not np.isfinite(times).all():
        raise DescriptionError(
            f"expected finite target times in {split}, got {times[~np.isfinite(times)][0]}; "
            "rescale the targets",
            path=path,
        )
    return Goals(None, times, rows.traces)
