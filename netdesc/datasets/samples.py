"""Samples that a Python program has in memory, to train on, to run or to evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netdesc.datasets.partition import HELD
from netdesc.datasets.preparation import Rows
from netdesc.datasets.recorded import Recorded
from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats
from netdesc.goals import Traces
from netdesc.units import UNITS_OF_TIME

PATH = "data"
SCALES = ("per_feature", "joint", "none")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Samples:
    """Samples with labels or targets, as arrays.

    Parameters
    ----------
    x : array_like, shape (samples, ...)
        Features, finite numbers; everything after the first axis is one row. They are scaled to 0 to 1 by the
        training samples and encoded by ``data.encoder`` of the model, or by latency where it has none. For
        spikes see `from_events`.
    y : array_like or None
        Texts, whole numbers or truth values, shape (samples,): the classes, numbered in sorted order. Floats,
        shape (samples,), (samples, outputs) or (samples, outputs, k): target times in ``unit`` of the first k
        spikes of every output; NaN where there is no target. None only for runs without a loss.
    validation, test : Samples, float or None
        Separate samples, or the fraction of these that is held out, drawn with the seed of the model.
    scale : str
        ``per_feature``: every feature by its range in the training samples; ``joint``: all by one range;
        ``none``: the values are from 0 to 1 already.
    unit : str
        Unit of times of events and targets, and of ``trace_interval``: ``s``, ``ms``, ``us`` or ``ns``.
    traces : array_like or None
        Target voltages for the loss ``voltage_mse``, shape (samples, steps) for one output or
        (samples, steps, outputs), in the voltage of the cell; NaN where there is no target.
    trace_interval : float or None
        Between two steps of the traces, the first of which is at 0.

    Raises
    ------
    DescriptionError
        If shapes do not fit, or a value is not a finite number.

    Examples
    --------
    ``netdesc.train(model, data=netdesc.Samples(x, y, validation=0.1, test=0.2))``
    """

    x: ArrayLike | Events
    y: ArrayLike | None = None
    validation: Samples | float | None = None
    test: Samples | float | None = None
    scale: str = "per_feature"
    unit: str = "ms"
    traces: ArrayLike | None = None
    trace_interval: float | None = None

    def __post_init__(self) -> None:
        require_words(self.scale, SCALES, "scale")
        require_words(self.unit, tuple(UNITS_OF_TIME), "unit")
        if not isinstance(self.x, Events):
            object.__setattr__(self, "x", read_features(self.x))
        if self.y is not None:
            object.__setattr__(self, "y", read_goals(self.y, len(self)))
        if self.traces is not None or self.trace_interval is not None:
            require_interval(self.trace_interval, self.traces)
            object.__setattr__(self, "traces", read_voltages(self.traces, len(self)))
        for name in HELD:
            require_held(getattr(self, name), name, isinstance(self.x, Events))

    @classmethod
    def from_events(
        cls,
        events: Events | Sequence[tuple[ArrayLike, ArrayLike]],
        y: ArrayLike | None = None,
        *,
        validation: Samples | float | None = None,
        test: Samples | float | None = None,
        unit: str = "ms",
        traces: ArrayLike | None = None,
        trace_interval: float | None = None,
    ) -> Samples:
        """Return samples that are spikes already.

        Parameters
        ----------
        events : Events, or sequence of (times, neurons)
            One pair of arrays of the same length for each sample: spike times in ``unit``, and channels from
            0 on, in any order. Or a batch of events, in ms.
        y, validation, test, traces, trace_interval
            As for `Samples`.
        unit : str
            ``s``, ``ms``, ``us`` or ``ns``; also of target times.

        Raises
        ------
        DescriptionError
            If a pair does not fit, or a value is not a finite number.
        """
        require_words(unit, tuple(UNITS_OF_TIME), "unit")
        read = events if isinstance(events, Events) else read_events(events, UNITS_OF_TIME[unit])
        return cls(read, y, validation, test, unit=unit, traces=traces, trace_interval=trace_interval)

    def __len__(self) -> int:
        return self.x.batch if isinstance(self.x, Events) else len(np.asarray(self.x))

    def __repr__(self) -> str:
        what = (
            f"{len(self.x)} spikes"
            if isinstance(self.x, Events)
            else (f"{np.asarray(self.x).shape[1]} features")
        )
        held = "".join(
            f", {name}={f'{len(part)} samples' if isinstance(part, Samples) else part}"
            for name in HELD
            if (part := getattr(self, name)) is not None
        )
        return f"Samples({len(self)} samples, {what}{held})"

    def options(self) -> Mapping[str, Any]:
        """Return how the samples are divided and scaled, by the names of the dataset ``table``."""
        held = {name: part for name in HELD if isinstance(part := getattr(self, name), float)}
        return {"scale": self.scale, "target_unit": self.unit, **held}

    def parts(self) -> dict[str, Samples]:
        """Return these samples as ``train``, and those of the splits that have samples of their own."""
        return {
            "train": self,
            **{name: part for name in HELD if isinstance(part := getattr(self, name), Samples)},
        }

    def rows(self) -> dict[str, Rows]:
        """Return features and labels or targets by split, if the samples are not spikes."""
        rows = {}
        for name, part in self.parts().items():
            values = np.asarray(part.x)
            if values.shape[1] != np.asarray(self.x).shape[1]:
                raise wrong(
                    f"expected {np.asarray(self.x).shape[1]} features in {name} as in train, got "
                    f"{values.shape[1]}; pass the same features"
                )
            labels, times = part.goals()
            names = tuple(f"x{number + 1}" for number in range(values.shape[1]))
            rows[name] = Rows(values, labels, None, names, times=times, traces=part.voltages())
        return rows

    def recorded(self) -> dict[str, Recorded]:
        """Return spikes and labels or targets by split; empty if the samples are not spikes."""
        if not isinstance(self.x, Events):
            return {}
        return {
            name: Recorded(part.x, *part.goals(), part.voltages())
            for name, part in self.parts().items()
            if isinstance(part.x, Events)
        }

    def goals(self) -> tuple[NDArray[Any] | None, Floats | None]:
        """Return labels, and target times in ms; None for what is absent."""
        if self.y is None:
            return None, None
        goals = np.asarray(self.y)
        if goals.dtype.kind != "f":
            return goals, None
        return None, goals * UNITS_OF_TIME[self.unit]

    def voltages(self) -> Traces | None:
        """Return the target voltages; None where there are none."""
        if self.traces is None or self.trace_interval is None:
            return None
        return Traces(np.asarray(self.traces), self.trace_interval * UNITS_OF_TIME[self.unit])

    def only(self) -> Samples:
        """Return the same without validation and test samples."""
        return replace(self, validation=None, test=None)


def wrong(message: str) -> DescriptionError:
    """Return the error about samples that do not fit."""
    return DescriptionError(message, path=PATH)


def require_words(word: str, known: tuple[str, ...], name: str) -> None:
    """Refuse a word that is not known."""
    if word not in known:
        raise wrong(f"expected one of {', '.join(known)} as {name}, got {word!r}")


def require_held(held: object, name: str, spikes: bool) -> None:
    """Refuse validation or test samples of another kind."""
    if isinstance(held, Samples):
        if isinstance(held.x, Events) != spikes:
            raise wrong(
                f"expected {name} to hold {'spikes' if spikes else 'features'} as the training samples "
                "do; pass samples of the same type"
            )
    elif held is not None and (isinstance(held, bool) or not isinstance(held, float) or not 0.0 < held < 1.0):
        raise wrong(
            f"expected a fraction between 0 and 1, or Samples, as {name}, got "
            f"{held if isinstance(held, int | float) else type(held).__name__}; pass for example {name}=0.1"
        )


def read_features(x: ArrayLike) -> Floats:
    """Return features as finite float64, shape (samples, features)."""
    values = as_array(x, "x")
    if values.ndim < 2 or not values.size:
        raise wrong(
            f"expected x of shape (samples, features), got the shape {values.shape}; for one feature "
            "use x.reshape(-1, 1)"
        )
    return finite(values, "x").reshape(len(values), -1)


def read_goals(y: ArrayLike, samples: int) -> NDArray[Any]:
    """Return labels as texts or int64, shape (samples,), or target times, shape (samples, outputs, k)."""
    values = np.asarray(y)
    if values.dtype.kind == "O":
        values = (
            np.array(
                [item if isinstance(item, str) else str(item) for item in values.ravel().tolist()]
            ).reshape(values.shape)
            if all(isinstance(item, str) for item in values.ravel())
            else values
        )
    if values.dtype.kind == "f":
        return read_targets(values, samples, "y")
    if values.dtype.kind not in "Uiub":
        raise wrong(
            f"expected labels or target times in y, got values of type {values.dtype}; pass texts, "
            "whole numbers or floats"
        )
    if values.shape != (samples,):
        raise wrong(
            f"expected one label for each of the {samples} samples in y, got the shape {values.shape}; "
            "pass target times as floats"
        )
    return values if values.dtype.kind == "U" else values.astype(np.int64)


def read_targets(targets: ArrayLike, samples: int, name: str) -> Floats:
    """Return targets as float64, NaN for none, shape (samples, outputs, k)."""
    values = as_array(targets, name)
    if not 1 <= values.ndim <= 3 or len(values) != samples or not values.size:
        raise wrong(
            f"expected {name} with one row of targets for each of the {samples} samples, got the shape "
            f"{values.shape}; pass the shape (samples, outputs)"
        )
    if np.isinf(values).any():
        raise wrong(f"expected finite targets in {name}, got an infinite one; use NaN for no target")
    return values.reshape(
        samples, -1 if values.ndim < 3 else values.shape[1], 1 if values.ndim < 3 else values.shape[2]
    )


def require_interval(interval: float | None, traces: ArrayLike | None) -> None:
    """Refuse traces without an interval, and an interval without traces or that is not positive."""
    if traces is None or interval is None:
        missing, given = ("traces", "trace_interval") if traces is None else ("trace_interval", "traces")
        raise wrong(f"expected {missing} beside {given}, got none; pass both")
    number = isinstance(interval, int | float | np.number) and not isinstance(interval, bool)
    if not number or not 0.0 < interval < np.inf:
        raise wrong(f"expected a positive number as trace_interval, got {interval!r}; pass for example 1.0")


def read_voltages(traces: ArrayLike | None, samples: int) -> Floats:
    """Return target voltages as float64, NaN for none, shape (samples, steps, outputs)."""
    values = as_array([] if traces is None else traces, "traces")
    if values.ndim not in (2, 3) or len(values) != samples or not values.size:
        raise wrong(
            f"expected traces of shape (samples, steps, outputs) for {samples} samples, got the shape "
            f"{values.shape}; pass one value for each step of each output"
        )
    if np.isinf(values).any():
        raise wrong("expected finite numbers in traces, got an infinite one; use NaN for no target")
    return values[:, :, None] if values.ndim == 2 else values


def read_events(pairs: Sequence[tuple[ArrayLike, ArrayLike]], factor: float) -> Events:
    """Return pairs of times and neurons as events in ms."""
    times, neurons, samples = [np.empty(0)], [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for sample, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise wrong(
                f"expected a pair (times, neurons) for sample {sample}, got {type(pair).__name__}; pass "
                "one pair of arrays for each sample"
            )
        when = finite(as_array(pair[0], f"the times of sample {sample}"), f"the times of sample {sample}")
        where = as_array(pair[1], f"the neurons of sample {sample}")
        if when.ndim != 1 or where.shape != when.shape:
            raise wrong(
                f"expected as many neurons as times in sample {sample}, got the shapes {when.shape} and "
                f"{where.shape}; pass two arrays of the same length"
            )
        if (where != np.floor(where)).any():
            raise wrong(f"expected whole numbers as neurons of sample {sample}, got others; pass indices")
        times.append(when * factor)
        neurons.append(where.astype(np.int64))
        samples.append(np.full(len(when), sample, dtype=np.int64))
    if len(times) == 1:
        raise wrong("expected at least one sample, got none; pass one pair (times, neurons) for each sample")
    return Events.from_arrays(
        np.concatenate(times), np.concatenate(neurons), np.concatenate(samples), len(times) - 1
    )


def as_array(values: ArrayLike, name: str) -> Floats:
    """Return values as float64, of any shape."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise wrong(
            f"expected rows of the same length in {name}, got rows of different lengths; for spikes use "
            "netdesc.Samples.from_events"
        ) from None
    if array.dtype.kind not in "iufb":
        raise wrong(f"expected numbers in {name}, got values of type {array.dtype}; pass an array of floats")
    return array.astype(np.float64)


def finite(values: Floats, name: str) -> Floats:
    """Return values that are all finite numbers."""
    bad = ~np.isfinite(values)
    if bad.any():
        index = tuple(int(side) for side in np.unravel_index(int(bad.argmax()), values.shape))
        raise wrong(
            f"expected finite numbers in {name}, got {values[index]} at index {list(index)}; replace it, "
            "or leave the sample out"
        )
    return values
