"""How much memory a compiled program would still take, computed before any of it is allocated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

import numpy as np

from netdesc.budget import (
    PER_DELAY_SLOT,
    PER_GRADIENT,
    PER_IMAGE_VALUE,
    PER_KEPT_SPIKE,
    PER_RECORDED_VALUE,
    PER_SORTED_DELAY,
    PER_SORTED_SYNAPSE,
    PER_SPIKE,
    PER_STATE,
    PER_TICK,
    PER_TRAINED_VALUE,
    RESIDENT,
    Item,
    find_excess,
)
from netdesc.description.model import Description
from netdesc.errors import LimitError
from netdesc.events import Events
from netdesc.program import Program
from netdesc.threads import available

ASSUMED_RATE = 0.01
"""Spikes of a neuron in a ms that training is assumed to keep: 10 Hz."""


def expect_samples(description: Description) -> int:
    """Return the samples of a batch as far as the file says it; 1 where files of data have to be read."""
    data, training = description.data, description.training
    if training is None or data is None or not data.drawn():
        return 1
    return min(training.batch_size, max(int(data.option("train") or 0), 1))


def require_memory(
    program: Program,
    description: Description,
    *,
    step: float | None,
    backend: str,
    batch: int | Events | None = 1,
    written: bool = False,
) -> None:
    """Refuse to run a program that would take more memory than there is.

    Parameters
    ----------
    program : Program
    description : Description
        It comes from; with ``simulation.max_memory``.
    step : float or None
        Step of the grid of the backend in ms; None where time is continuous.
    backend : str
        Its name, for messages.
    batch : int, Events or None
        Samples, or their spikes; None for one sample.
    written : bool
        Whether a file of results is written.

    Raises
    ------
    LimitError
        With the largest item and what would fit.
    """
    items = list_items(program, description, step=step, backend=backend, batch=batch, written=written)
    held = sum(block.memory for block in program.blocks)
    excess = find_excess(items, description.simulation.max_memory, held=held)
    if excess is not None:
        raise LimitError(excess)


def list_items(
    program: Program,
    description: Description,
    *,
    step: float | None,
    backend: str,
    batch: int | Events | None = 1,
    written: bool = False,
) -> list[Item]:
    """Return what a run takes beside its program, as `require_memory` compares it with what there is."""
    samples = batch.batch if isinstance(batch, Events) else batch or 1
    items = [*_recordings(program, samples, written=written), *_states(program, samples)]
    if step is not None:
        items += _grid(program, step, backend, samples)
    elif backend:
        items += _sorted(program)
    if isinstance(batch, Events):
        items.append(
            Item("data", float(len(batch.times)), "spikes of samples", PER_SPIKE, "run fewer samples at once")
        )
    if description.losses and program.trainable():
        items += _training(program, samples)
    return items


def expect_memory(program: Program, items: Iterable[Item]) -> float:
    """Return the bytes that a process takes at most.

    Parameters
    ----------
    program : Program
    items : iterable of Item
        From `list_items`, and others.
    """
    return RESIDENT + program.memory + sum(item.size for item in items)


def _sorted(program: Program) -> Iterator[Item]:
    """Return the synapses that are sorted because time is continuous; those of a layer stay rows."""
    for block in program.blocks:
        if not (block.dense and block.uniform_delay):
            each = PER_SORTED_SYNAPSE + PER_SORTED_DELAY * (not block.uniform_delay)
            yield Item(block.path, float(block.size), "sorted synapses", each, "make it sparser")


def _states(program: Program, samples: int) -> Iterator[Item]:
    yield Item(
        "training.batch_size",
        float(samples) * program.size,
        f"states of neurons, {samples} samples",
        PER_STATE,
        "run fewer samples at once",
    )


def _recordings(program: Program, samples: int, *, written: bool) -> Iterator[Item]:
    each = PER_RECORDED_VALUE + PER_IMAGE_VALUE * written
    for item in program.sampling:
        name = item.population
        number = float(len(item.neurons)) * (program.duration // item.every + 1.0) * samples
        what = f"values of {item.variable}" + " and their image in the file of results" * written
        yield Item(f"record.{name}", number, what, each, "record fewer neurons or less often")


def _grid(program: Program, step: float, backend: str, samples: int) -> Iterator[Item]:
    """Return ticks and slots of delay; a delay beyond the end of a run takes no slots."""
    path, threads = f"backends.{backend}", min(samples, available())
    yield Item(
        path,
        ceil(min(program.duration / step, 1e300)) * float(threads),
        "ticks",
        PER_TICK,
        "use a longer step or a shorter run",
    )
    depths = [
        min(float(np.max(block.delays)), program.duration) / step for block in program.blocks if block.size
    ]
    if depths:
        longest = program.blocks[
            int(np.argmax([float(np.max(block.delays, initial=0.0)) for block in program.blocks]))
        ]
        slots = (min(max(depths), 1e300) + 2.0) * float(program.size) * threads
        yield Item(
            f"{longest.path}.delay",
            slots,
            "slots, ticks of delay of every neuron",
            PER_DELAY_SLOT,
            "use shorter delays or a longer step",
        )


def _training(program: Program, samples: int) -> Iterator[Item]:
    neurons = sum(item.size for item in program.populations if item.kind != "source")
    spikes = float(samples) * neurons * max(ASSUMED_RATE * program.duration, 1.0)
    yield Item(
        "training.batch_size",
        spikes,
        "spikes kept for the gradient, at 10 Hz",
        PER_KEPT_SPIKE,
        "train smaller batches",
    )
    yield Item(
        "training.gradient",
        float(sum(block.size for block in program.blocks)),
        "synapses with a gradient",
        PER_GRADIENT,
        "make the network sparser",
    )
    trained = float(sum(block.size * (block.train_weight + block.train_delay) for block in program.blocks))
    yield Item(
        "training.optimizer",
        trained,
        "trained values with the state of the optimizer",
        PER_TRAINED_VALUE,
        "train fewer synapses",
    )
