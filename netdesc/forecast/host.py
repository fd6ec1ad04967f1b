"""The forecast of a training or a run: time from counts of work, memory from the items that are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from netdesc.backend import Backend
from netdesc.budget import PER_FOUND_SPIKE, PER_SPIKE, Item
from netdesc.datasets.records import Dataset, Split
from netdesc.description.model import Description
from netdesc.events import Events
from netdesc.forecast.probe import slowness
from netdesc.forecast.remedies import Case, Remedy, list_remedies
from netdesc.forecast.sketch import assume_spikes, sketch_spikes
from netdesc.memory import ASSUMED_RATE, expect_memory, list_items
from netdesc.program import Program
from netdesc.stimulus import stimulus
from netdesc.workload import Timed, Workload

HOUR = 3600.0
"""Seconds of an epoch above which it is said what would help."""

CHUNK = 1000
"""Samples that are validated at once."""


SKETCHED = 8
"""Samples whose spikes are counted for a sketch."""


class Samples(NamedTuple):
    """How many samples there are to learn from and to validate with."""

    train: int
    validation: int = 0


@dataclass(frozen=True, slots=True)
class HostForecast:
    """What a training or a run takes on the machine that computes it.

    Parameters
    ----------
    backend : str
        Name.
    seconds : float
        Of an epoch with its validation, or of a run.
    epochs : int
        Of a training; 0 for a run.
    memory : float
        Largest resident memory of the process in bytes.
    spikes : mapping of str to float
        Of a sample, by population, that the time was computed from.
    basis : str
        ``sketch``: spikes of the initial weights, counted on a coarse grid; ``assumed``: spikes at 10 Hz;
        ``measured``: time and memory of the first batches.
    remedies : tuple of Remedy
        What would help, where an epoch or a run takes more than an hour.
    """

    backend: str
    seconds: float
    epochs: int
    memory: float
    spikes: Mapping[str, float]
    basis: str
    remedies: tuple[Remedy, ...] = ()

    def measured(self, ratio: float, memory: float, remedies: tuple[Remedy, ...]) -> HostForecast:
        """Return the forecast once the first batches took ``ratio`` times as long as expected."""
        return replace(
            self, seconds=self.seconds * ratio, memory=memory, basis="measured", remedies=remedies
        )

    @property
    def long(self) -> bool:
        """Whether an epoch or a run takes more than an hour."""
        return self.seconds > HOUR


def forecast_host(
    program: Program,
    description: Description,
    backend: Backend,
    *,
    entering: Events,
    samples: Samples,
    learns: bool = True,
) -> HostForecast | None:
    """Forecast time and memory of a training, or of a run where the model has no section ``training``.

    Parameters
    ----------
    program : Program
    description : Description
        It comes from.
    backend : Backend
        Configured.
    entering : Events
        Spikes of all sources in a few samples.
    samples : Samples
    learns : bool
        False for a run forward of a model that could be trained.

    Returns
    -------
    HostForecast or None
        None where the backend is no `netdesc.workload.Timed`.
    """
    if not isinstance(backend, Timed):
        return None
    sketched = sketch_spikes(program, entering)
    spikes = sketched if sketched is not None else assume_spikes(program, entering, ASSUMED_RATE)
    case = make_case(program, description, backend, samples, spikes, learns=learns)
    training = description.training if learns else None
    seconds = slowness() * spend(case, learns=training is not None)
    found = HostForecast(
        backend.name,
        seconds,
        training.epochs if training is not None else 0,
        _memory(program, description, backend, case, spikes),
        spikes,
        "assumed" if sketched is None else "sketch",
    )
    return propose(found, case, description) if found.long else found


def make_case(
    program: Program,
    description: Description,
    backend: Timed,
    samples: Samples,
    spikes: Mapping[str, float],
    *,
    learns: bool = True,
) -> Case:
    """Return what an epoch, or a run, is made of."""
    trained = description.training if learns else None
    size = min(trained.batch_size, samples.train) if trained is not None else samples.train
    work = Workload.of(program if trained is None else program.without_sampling(), spikes, max(size, 1))
    return Case(work, backend, samples.train, samples.validation, max(size, 1))


def propose(found: HostForecast, case: Case, description: Description) -> HostForecast:
    """Return a forecast with what would help."""
    learns = found.epochs > 0
    remedies = list_remedies(case, description, lambda other: spend(other, learns=learns))
    return replace(found, remedies=remedies)


def spend(case: Case, *, learns: bool) -> float:
    """Return the seconds of an epoch, or of a run, on the machine of the constants."""
    spell = case.backend.spell(replace(case.work, batch=case.batch))
    if not learns:
        return spell.run(case.train)
    steps = -(-case.train // case.batch)
    checks = -(-case.validation // CHUNK)
    return (
        spell.step(case.train)
        + (steps - 1) * spell.batch
        + case.validation * spell.forward
        + checks * spell.batch
    )


def _memory(
    program: Program, description: Description, backend: Backend, case: Case, spikes: Mapping[str, float]
) -> float:
    found = sum(spikes[item.name] for item in program.populations if item.kind == "spiking")
    entered = sum(spikes[item.name] for item in program.populations if item.kind == "source")
    items = list_items(
        program, description, step=backend.limits.step, backend=backend.name, batch=case.batch
    )
    kept = float(case.train + case.validation) if description.data is not None else float(case.batch)
    items.append(Item("data", kept * entered, "spikes of samples", PER_SPIKE, "use fewer samples"))
    chunk = float(max(min(CHUNK, case.validation), case.batch))
    items.append(Item("training", chunk * found, "spikes", PER_FOUND_SPIKE, "use fewer samples"))
    return expect_memory(program, items)


def sample_stimulus(
    program: Program, description: Description, dataset: Dataset | None
) -> tuple[Events, Samples]:
    """Return the spikes of all sources in a few samples, and how many samples there are.

    Parameters
    ----------
    program : Program
    description : Description
    dataset : Dataset or None
        As read, or a few samples of one that is drawn.
    """
    chosen = np.arange(min(len(dataset.train), SKETCHED)) if dataset is not None else np.arange(1)
    drawn = None if dataset is None else dataset.train.batch(chosen)
    events = stimulus(program, dataset_events=drawn, batch=len(chosen), seed=program.seed)
    return events, count_samples(description, dataset)


def count_samples(description: Description, dataset: Dataset | None) -> Samples:
    """Return how many samples there are: as the description says where they are drawn, otherwise as read."""
    data = description.data
    if data is not None and data.drawn():
        return Samples(int(data.option("train") or 0), int(data.option("validation") or 0))
    return Samples(*(_count(part) for part in (dataset.train, dataset.validation))) if dataset else Samples(1)


def _count(part: Split | None) -> int:
    return len(part) if part is not None else 0
