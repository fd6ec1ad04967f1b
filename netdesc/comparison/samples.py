"""The samples that every substrate gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.api import located
from netdesc.compiled import CompiledProgram
from netdesc.datasets.survey import load_samples
from netdesc.events import Events, Floats, Integers
from netdesc.goals import Goals
from netdesc.trace import Cotangent, Trace
from netdesc.training.task import Feed, choose_split, list_feeds


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples with the spikes of all sources.

    Parameters
    ----------
    events : Events
        By program-wide neuron index.
    goals : Goals
        Labels and targets.
    split : str
        Of which part of the data; ``model`` for the model's own sources.
    places : tuple
        Neuron ranges of the populations in the program that ``events`` belong to.
    """

    events: Events
    goals: Goals
    split: str
    places: tuple[tuple[str, int, int], ...]

    @property
    def labels(self) -> Integers | None:
        """Class of each sample, shape (batch,); None where the samples have no class."""
        return self.goals.labels


def choose_batch(compiled: CompiledProgram, samples: int, known: Batch | None = None) -> Batch:
    """Return the first samples of the test split, or of the part of the data that there is.

    Parameters
    ----------
    compiled : CompiledProgram
    samples : int
    known : Batch or None
        Drawn before, for another substrate; it serves where neurons have the same indices.

    Raises
    ------
    DescriptionError
        If the data cannot be loaded.
    """
    places = tuple((item.name, item.start, item.stop) for item in compiled.program.populations)
    if known is not None and known.places == places:
        return known
    feed, split = choose_feed(compiled)
    with located(compiled.model):
        events, goals = feed.draw(np.arange(min(samples, len(feed))), 0)
    return Batch(events, goals, split if feed.split is not None else "model", places)


def choose_feed(compiled: CompiledProgram) -> tuple[Feed, str]:
    """Return the test samples, or those for validation or training where there are none, and which they are.

    Raises
    ------
    DescriptionError
        If the data cannot be loaded.
    """
    with located(compiled.model):
        dataset = load_samples(compiled.model.description, compiled.program)
    feeds = list_feeds(compiled.program, dataset)
    split = choose_split(feeds)
    return feeds[split], split


def single(cotangent: Cotangent, trace: Trace, sample: int) -> Cotangent:
    """Return the derivative of the loss of one sample alone.

    Parameters
    ----------
    cotangent : Cotangent
        Of the mean loss of a batch.
    trace : Trace
    sample : int

    Returns
    -------
    Cotangent
        Zero for all other samples.
    """

    def of_spikes(name: str, values: Floats) -> Floats:
        return np.where(trace.spikes[name].samples() == sample, values * trace.batch, 0.0)

    def of_rows(values: Floats) -> Floats:
        rows = np.zeros_like(values)
        rows[sample] = values[sample] * trace.batch
        return rows

    return Cotangent(
        {name: of_spikes(name, values) for name, values in cotangent.spikes.items()},
        {key: of_rows(values) for key, values in cotangent.readings.items()},
        {key: of_rows(values) for key, values in cotangent.recordings.items()},
        {key: of_rows(values) for key, values in cotangent.counts.items()},
    )
