"""The spikes of all sources of a program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from netdesc.description.sections.data import WITHOUT_DATA
from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.events import Events, Floats, Integers
from netdesc.program import PopulationSlice, Program
from netdesc.streams import stream


def stimulus(
    program: Program,
    *,
    dataset_events: Events | None,
    batch: int,
    seed: int,
    identities: Integers | None = None,
) -> Events:
    """Return the spikes of all sources as one stimulus.

    Parameters
    ----------
    program : Program
    dataset_events : Events or None
        Spikes of the populations that are fed from a dataset, by program-wide neuron index. None where
        there are none.
    batch : int
        Number of samples; must agree with ``dataset_events``.
    seed : int
        Root of the streams of Poisson sources.
    identities : ndarray of int64, shape (batch,), or None
        Number of each sample, that of its stream: a sample is the same in whatever batch it comes. None for
        those of ``dataset_events``, or to number samples from 0.

    Returns
    -------
    Events
        Sorted, by program-wide neuron index. Written spike times are the same in every sample.

    Raises
    ------
    BackendError
        If a dataset population gets no data, or the batch sizes differ.
    """
    _check(program, dataset_events, batch)
    sources = [item for item in program.populations if item.model in ("spike_times", "poisson")]
    if identities is None:
        identities = np.arange(batch) if dataset_events is None else dataset_events.identities
    if dataset_events is not None and not sources:
        known = np.array_equal(identities, dataset_events.identities)
        return dataset_events if known else replace(dataset_events, identities=identities)
    parts = [_own(item, identities, (program, seed)) for item in sources]
    if dataset_events is not None:
        parts.append((dataset_events.times, dataset_events.sources, dataset_events.samples()))
    return _merged(parts, identities)


def needs_data(program: Program) -> bool:
    """Return whether a population of the program is fed from a dataset.

    Parameters
    ----------
    program : Program

    Returns
    -------
    bool
    """
    return any(item.kind == "source" and item.model == "dataset" for item in program.populations)


def require_data(program: Program) -> None:
    """Refuse a program whose samples come from nowhere.

    Parameters
    ----------
    program : Program

    Raises
    ------
    DescriptionError
        With the path of every population that is fed from a dataset.
    """
    if needs_data(program):
        raise DescriptionError(
            Diagnostic(WITHOUT_DATA, f"{item.path}.source")
            for item in program.populations
            if item.model == "dataset"
        )


Spikes = tuple[Floats, Integers, Integers]


def _check(program: Program, dataset_events: Events | None, batch: int) -> None:
    if dataset_events is None:
        fed = [item for item in program.populations if item.kind == "source" and item.model == "dataset"]
        if fed:
            raise BackendError(
                [
                    Diagnostic(
                        "its spikes come from a dataset; pass a batch, or give the population spike_times",
                        f"{item.path}.source",
                    )
                    for item in fed
                ]
            )
    elif dataset_events.batch != batch:
        raise BackendError(f"the data have {dataset_events.batch} samples, not {batch}; they must agree")


def _own(item: PopulationSlice, identities: Integers, context: tuple[Program, int]) -> Spikes:
    (program, seed), batch = context, len(identities)
    if item.model == "spike_times":
        times = item.source["times"]
        row = np.array([time for neuron in times for time in neuron], dtype=np.float64)
        sources = np.repeat(np.arange(len(times)), [len(neuron) for neuron in times]) + item.start
        return np.tile(row, batch), np.tile(sources, batch), np.repeat(np.arange(batch), len(row))
    drawn = [_poisson(item, program.duration, seed, number) for number in identities.tolist()]
    lengths = [len(times) for times, _ in drawn]
    return (
        np.concatenate([np.empty(0), *(times for times, _ in drawn)]),
        np.concatenate([np.empty(0, dtype=np.int64), *(sources for _, sources in drawn)]),
        np.repeat(np.arange(batch), lengths),
    )


BLOCK = 50.0
"""Length of the pieces of time, in ms, each of which has a stream of its own.

What a source emits in a piece depends on nothing outside of it: not on the end of the run, nor on its window.
"""


def _poisson(item: PopulationSlice, duration: float, seed: int, sample: int) -> tuple[Floats, Integers]:
    """Return the spikes of one sample: in every block a Poisson number of them, at uniform times."""
    start, stop = float(item.source.get("start") or 0.0), item.source.get("stop")
    end = duration if stop is None else min(float(stop), duration)
    times, sources = [np.empty(0)], [np.empty(0, dtype=np.int64)]
    for block in range(int(max(start, 0.0) // BLOCK), int(np.ceil(end / BLOCK))) if start < end else ():
        generator = stream(seed, f"{item.path}.source.{sample}.{block}")
        counts = generator.poisson(item.source["rate"] * BLOCK)
        drawn = (block + generator.random(int(counts.sum()))) * BLOCK
        inside = (drawn >= start) & (drawn < end)
        times.append(drawn[inside])
        sources.append(np.repeat(np.arange(item.start, item.stop), counts)[inside])
    return np.concatenate(times), np.concatenate(sources)


def _merged(parts: Iterable[Spikes], identities: Integers) -> Events:
    batch = len(identities)
    columns = list(zip(*parts, strict=True))
    if not columns:
        return Events(
            np.empty(0), np.empty(0, dtype=np.int64), np.zeros(batch + 1, dtype=np.int64), identities
        )
    times, sources, samples = (np.concatenate(column) for column in columns)
    return Events.from_arrays(
        times, sources.astype(np.int64), samples.astype(np.int64), batch, identities=identities
    )
