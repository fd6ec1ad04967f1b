"""The forecast of a training or a run: time from counts of work, memory from the items that are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from netdesc.backend import Backend
from netdesc.border.calls import guarded
from netdesc.budget import PER_FOUND_SPIKE, PER_SPIKE, Item
from netdesc.datasets.records import Dataset
from netdesc.description.model import Description
from netdesc.events import Events
from netdesc.forecast.probe import slowness
from netdesc.forecast.remedies import Case, Remedy, list_remedies
from netdesc.forecast.sketch import assume_spikes, sketch_spikes
from netdesc.memory import ASSUMED_RATE, expect_memory, list_items
from netdesc.program import Program
from netdesc.stimulus import stimulus
from netdesc.workload import Spell, Timed, Workload

HOUR = 3600.0
"""Seconds of an epoch above which it is said what would help."""

CHUNK = 1000
"""Samples that are validated at once."""

EPOCH = 1e-3
"""Seconds of an epoch that depend on nothing: its order, its report, signs of trouble."""

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


class Unmeasured:
    """Stands for a backend that does not know how fast it is: only ratios of its times mean anything."""

    def spell(self, work: Workload) -> Spell:
        """Return a second for a sample to learn from."""
        return Spell(0.4, 0.6, 0.0)

    def faster(self) -> Mapping[str, Mapping[str, Any]]:
        """Return nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class Outline:
    """What a forecast is computed from.

    Parameters
    ----------
    program : Program
    description : Description
        It comes from.
    backend : Backend
        Configured.
    case : Case
        An epoch, or a run.
    learns : bool
        Whether it is an epoch.
    spikes : mapping of str to float
        Expected in a sample, by population.
    basis : str
        Where they come from; see `HostForecast`.
    """

    program: Program
    description: Description
    backend: Backend
    case: Case
    learns: bool
    spikes: Mapping[str, float]
    basis: str

    @classmethod
    def of(
        cls,
        program: Program,
        description: Description,
        backend: Backend,
        *,
        dataset: Dataset | None,
        samples: Samples | None = None,
        learns: bool = True,
    ) -> Outline:
        """Return what is known before anything is run.

        Parameters
        ----------
        program : Program
        description : Description
            It comes from.
        backend : Backend
            Configured.
        dataset : Dataset or None
        samples : Samples or None
            How many there are; None for those of the dataset.
        learns : bool
            False for a run forward of a model that could be trained.
        """
        training = description.training if learns else None
        samples = samples or count_samples(dataset)
        entering = draw_samples(program, dataset)
        sketched = sketch_spikes(program, entering)
        spikes = sketched if sketched is not None else assume_spikes(program, entering, ASSUMED_RATE)
        most = training.batch_size if training is not None else BATCH
        size = max(min(most, samples.train), 1)
        work = Workload.of(program if training is None else program.without_sampling(), spikes, size)
        timed = backend if isinstance(backend, Timed) else Unmeasured()
        train = samples.train if training is not None else size
        case = Case(work, timed, train, samples.validation, size)
        basis = "assumed" if sketched is None else "sketch"
        return cls(program, description, backend, case, training is not None, spikes, basis)

    @property
    def timed(self) -> bool:
        """Whether the backend knows how fast it is."""
        return isinstance(self.backend, Timed)

    def step_seconds(self, batches: int, samples: int) -> float:
        """Return the seconds that batches with so many samples together are expected to take."""
        spell = self.case.backend.spell(self.case.work)
        return slowness() * (spell.step(samples) + (batches - 1) * spell.batch)

    def later_memory(self) -> float:
        """Return the bytes that the validation takes beyond what a batch takes."""
        more = max(min(CHUNK, self.case.validation) - self.case.batch, 0)
        return more * self._found() * PER_FOUND_SPIKE

    def forecast(self, *, ratio: float = 1.0, memory: float | None = None) -> HostForecast:
        """Return the forecast.

        Parameters
        ----------
        ratio : float
            How many times as long as expected what is measured took.
        memory : float or None
            Bytes, where they are measured.
        """
        training = self.description.training if self.learns else None
        with guarded(self.backend.name, "spell"):
            seconds = ratio * slowness() * spend(self.case, learns=self.learns)
            long = seconds > HOUR
            remedies = list_remedies(self.case, self.description, self._cost) if long else ()
        return HostForecast(
            self.backend.name,
            seconds,
            training.epochs if training is not None else 0,
            self._memory() if memory is None else memory,
            self.spikes,
            self.basis if memory is None else "measured",
            remedies,
        )

    def _cost(self, case: Case) -> float:
        return spend(case, learns=self.learns)

    def _found(self) -> float:
        return sum(self.spikes[item.name] for item in self.program.populations if item.kind == "spiking")

    def _memory(self) -> float:
        case, populations = self.case, self.program.populations
        items = list_items(
            self.program,
            self.description,
            step=self.backend.limits.step,
            backend=self.backend.name,
            batch=case.batch,
        )
        entered = sum(self.spikes[item.name] for item in populations if item.kind == "source")
        kept = float(case.train + case.validation if self.description.data is not None else case.batch)
        items.append(Item("data", kept * entered, "spikes of samples", PER_SPIKE, "use fewer samples"))
        found = case.batch * self._found()
        items.append(Item("training", found, "spikes", PER_FOUND_SPIKE, "use fewer samples"))
        return expect_memory(self.program, items) + self.later_memory()


BATCH = 32
"""Samples of a run of a model that has data and no section ``training``."""


def forecast_host(
    program: Program,
    description: Description,
    backend: Backend,
    *,
    dataset: Dataset | None,
    samples: Samples | None = None,
) -> HostForecast | None:
    """Forecast time and memory of a training, or of a run where the model has no section ``training``.

    Parameters
    ----------
    program : Program
    description : Description
        It comes from.
    backend : Backend
        Configured.
    dataset : Dataset or None
    samples : Samples or None
        How many there are; None for those of the dataset.

    Returns
    -------
    HostForecast or None
        None where the backend is no `netdesc.workload.Timed`.
    """
    if not isinstance(backend, Timed):
        return None
    return Outline.of(program, description, backend, dataset=dataset, samples=samples).forecast()


def spend(case: Case, *, learns: bool) -> float:
    """Return the seconds of an epoch, or of a run, on the machine of the constants."""
    spell = case.backend.spell(replace(case.work, batch=case.batch))
    if not learns:
        return spell.run(case.train)
    steps, checks = -(-case.train // case.batch), -(-case.validation // CHUNK)
    validation = case.validation * spell.forward + checks * spell.batch
    return EPOCH + spell.step(case.train) + (steps - 1) * spell.batch + validation


def draw_samples(program: Program, dataset: Dataset | None) -> Events:
    """Return the spikes of all sources in the first samples of a dataset, or in the only one without it."""
    chosen = np.arange(min(len(dataset.train), SKETCHED)) if dataset is not None else np.arange(1)
    drawn = None if dataset is None else dataset.train.batch(chosen)
    return stimulus(program, dataset_events=drawn, batch=len(chosen), seed=program.seed)


def count_samples(dataset: Dataset | None) -> Samples:
    """Return how many samples a dataset has; one to learn from without it."""
    if dataset is None:
        return Samples(1)
    return Samples(len(dataset.train), len(dataset.validation) if dataset.validation is not None else 0)


def declare_samples(description: Description) -> Samples | None:
    """Return how many samples will be drawn; None where they are read."""
    data = description.data
    if data is None or not data.drawn():
        return None
    return Samples(int(data.option("train") or 0), int(data.option("validation") or 0))
