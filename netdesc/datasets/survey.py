"""The samples of a model, checked against its network and its losses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from netdesc.datasets.catalogue import load
from netdesc.datasets.records import Dataset
from netdesc.description.model import Choice, Data, Description
from netdesc.description.sections.data import with_dataset
from netdesc.graph.ir import NetworkGraph
from netdesc.losses.requirements import require_goals
from netdesc.lower import lay_out
from netdesc.program import Program
from netdesc.stimulus import require_data

if TYPE_CHECKING:
    from netdesc.datasets.samples import Samples


def survey_samples(description: Description, graph: NetworkGraph) -> Dataset | None:
    """Load the dataset of a description for its network alone, whatever cells and backends it has.

    The graph is that after the passes that every network goes through; see `load_samples`.
    """
    settings = graph.settings
    program = Program(settings.name, settings.duration, settings.seed, lay_out(graph), (), {}, ())
    return load_samples(replace(description, data=shorten(description.data)), program)


DRAWN = 8
"""Samples of a split that are drawn for a survey."""


def shorten(data: Data | None) -> Data | None:
    """Return data with few samples for each split where these are drawn, not read: there all are alike."""
    if data is None or data.dataset is None or not data.drawn():
        return data
    few = {name: min(int(count or 0), DRAWN) for name, count in data.dataset.options.items()}
    return replace(data, dataset=Choice(data.dataset.kind, few))


def load_samples(description: Description, program: Program, data: Samples | None = None) -> Dataset | None:
    """Load the dataset of a description, or ``data`` in its place; None where no population is fed from one.

    Raises
    ------
    DescriptionError
        If data are missing or do not fit, or lack what a loss needs.
    """
    given = with_dataset(description.data) if data is None else data
    if given is None:
        require_data(program)
        return None
    dataset = load(given, program, seed=program.seed, defaults=description.data)
    for split, part in (("train", dataset.train), ("validation", dataset.validation), ("test", dataset.test)):
        if part is not None:
            require_goals(description.losses.values(), part.goals, program, split=split)
    return dataset
