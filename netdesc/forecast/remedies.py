"""What would make a long epoch shorter, with the gain that the model of costs expects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from netdesc.description.model import Description
from netdesc.errors import NetdescError
from netdesc.workload import Timed, Workload

LARGEST_BATCH = 256
"""Samples of a batch beyond which no larger one is proposed."""

SMALLEST = 16
"""Neurons from which a population may be halved."""

FRACTION = 10
"""What part of the samples is proposed."""

GAIN = 1.3
"""How many times as fast a change has to be to be worth a proposal."""

MOST = 4
"""Proposals."""


class Remedy(NamedTuple):
    """A change that would make an epoch shorter.

    Parameters
    ----------
    change : str
        As it is written in a command.
    gain : float
        How many times as fast an epoch would be.
    """

    change: str
    gain: float


class Case(NamedTuple):
    """What an epoch is made of, as far as it can be changed.

    Parameters
    ----------
    work : Workload
    backend : Timed
    train, validation : int
        Samples.
    batch : int
        Samples of a step.
    """

    work: Workload
    backend: Timed
    train: int
    validation: int
    batch: int


def list_remedies(case: Case, description: Description, cost: Callable[[Case], float]) -> tuple[Remedy, ...]:
    """Return the changes that help most, the best first.

    Parameters
    ----------
    case : Case
    description : Description
    cost : callable
        Returns the seconds of a case.
    """
    now = cost(case)
    changes = [*_settings(case), *_batches(case, description), *_sizes(case, description)]
    changes += _samples(case, description)
    found = [Remedy(change, now / cost(other)) for change, other in changes if cost(other) > 0.0]
    return tuple(sorted((item for item in found if item.gain >= GAIN), key=lambda item: -item.gain)[:MOST])


def _settings(case: Case) -> Iterator[tuple[str, Case]]:
    for change, section in case.backend.faster().items():
        try:
            other = type(case.backend)(section)  # type: ignore[call-arg]
        except NetdescError:
            continue
        if isinstance(other, Timed):
            yield change, case._replace(backend=other)


def _batches(case: Case, description: Description) -> Iterator[tuple[str, Case]]:
    size = min(8 * case.batch, LARGEST_BATCH, case.train)
    if description.training is not None and size > case.batch:
        yield f"training.batch_size={size}", case._replace(batch=size)


def _sizes(case: Case, description: Description) -> Iterator[tuple[str, Case]]:
    read = {loss.population for loss in description.losses.values()}
    inner = [
        (item.size, k)
        for k, item in enumerate(case.work.groups)
        if item.kind == "spiking" and item.name not in read and item.size >= SMALLEST
    ]
    if inner:
        size, k = max(inner)
        name = case.work.groups[k].name
        half = int(size) // 2
        yield f"populations.{name}.size={half}", case._replace(work=case.work.shrink(k, half / size))


def _samples(case: Case, description: Description) -> Iterator[tuple[str, Case]]:
    data = description.data
    if data is None or data.dataset is None or data.option("train") is None or case.train < 10 * FRACTION:
        return
    few = case.train // FRACTION
    yield f"data.dataset.{data.dataset.kind}.train={few}", case._replace(train=few)
