"""Signs of a training that diverges or no longer learns, in its first batches and later."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from netdesc.errors import NumericsError
from netdesc.events import Floats
from netdesc.training.records import EpochReport
from netdesc.training.tally import Tally
from netdesc.training.task import Task

LOG = logging.getLogger("netdesc.training")
"""Reports every sign once, one line each, at the level ``WARNING``."""

WINDOW = 10
"""Batches in a row after which silence or a zero gradient is a sign."""

PATIENCE = 5
"""By how much the window is longer where silent neurons are being woken."""

GROWTH = 100.0
"""How much larger than at the start weights or spike counts are when they explode."""

LEAP = 1000.0
"""How much larger than in the first batches a loss is when it explodes."""

FIRST = 5
"""Batches that a loss is compared with."""

STILL = 3
"""Epochs in a row with the same loss that are a sign."""

WAKE = "neurons that never spike have no gradient; raise the weights onto it, or set training.silent_neurons"
"""Reason and fix of a silent population."""


def measure_sizes(parts: Mapping[str, Floats]) -> dict[str, float]:
    """Return the root of the mean square of each of several parameters, shape (k,), by key."""
    # einsum takes one thread, and no array in between
    squares = {key: float(np.einsum("k,k->", part, part)) for key, part in parts.items()}
    return {key: math.sqrt(squares[key] / max(len(part), 1)) for key, part in parts.items()}


def are_equal(before: Floats, after: Floats) -> bool:
    """Return whether two vectors, shape (n,), are equal; most that are not differ in one of few places."""
    some = slice(None, None, max(len(before) // 1000, 1))
    return np.array_equal(before[some], after[some]) and np.array_equal(before, after)


@dataclass(slots=True)
class Watch:
    """What was seen of a training so far.

    Parameters
    ----------
    task : Task
    initial : ndarray of float64, shape (n,)
        Trainable parameters at the start.
    """

    task: Task
    initial: Floats
    reported: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    silent: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    loss: float = 0.0
    losses: list[float] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    rates: dict[str, float] = field(default_factory=dict)
    samples: int = 0
    sizes: dict[str, float] = field(default_factory=dict)

    @property
    def window(self) -> int:
        """Batches in a row after which silence is a sign."""
        return WINDOW * (1 if self.task.training.silent_neurons.kind == "ignore" else PATIENCE)

    def begin(self) -> None:
        """Get ready for the sums of another epoch."""
        self.loss, self.samples, self.counted, self.notes = 0.0, 0, Counter(), []

    def observe(self, tally: Tally, before: Floats, after: Floats, *, epoch: int) -> None:
        """Look at a batch.

        Parameters
        ----------
        tally : Tally
            Sums of the epoch, this batch included.
        before, after : ndarray of float64, shape (n,)
            Parameters before and after the step.
        epoch : int
            Counted from 1.

        Raises
        ------
        NumericsError
            If there is a sign and ``training.on_dead`` is ``stop``.
        """
        samples = tally.samples - self.samples
        loss = (tally.loss - self.loss) / samples
        spikes = {name: count - self.counted[name] for name, count in tally.spikes.items()}
        self.loss, self.samples, self.counted = tally.loss, tally.samples, Counter(tally.spikes)
        for signs in (
            self.find_growth(after),
            self.find_leap(loss),
            self.find_spikes(spikes, samples),
            self.find_stillness(before, after),
        ):
            for key, sign in signs:
                self.report(key, sign, f"epoch {epoch}, step {tally.batches} of the epoch: ")

    def find_growth(self, values: Floats) -> Iterator[tuple[str, str]]:
        """Yield parameters that have grown out of all proportion."""
        self.sizes = self.sizes or measure_sizes(self.task.flat.split(self.initial))
        for key, new in measure_sizes(self.task.flat.split(values)).items():
            old = self.sizes[key]
            if old and new > GROWTH * old:
                sign = f"{key} has grown to {new / old:.3g} times its initial size; lower the learning rate"
                yield f"growth {key}", sign

    def find_leap(self, loss: float) -> Iterator[tuple[str, str]]:
        """Yield that the loss has leapt."""
        largest = max(self.losses, default=0.0)
        if len(self.losses) < FIRST:
            self.losses.append(abs(loss))
        if largest and loss > LEAP * largest:
            words = f"the loss is {loss:.3g}, at most {largest:.3g} in the first batches"
            yield "leap", f"{words}; lower the learning rate"

    def find_spikes(self, spikes: dict[str, int], samples: int) -> Iterator[tuple[str, str]]:
        """Yield populations that are silent, or spike out of all proportion."""
        for population in self.task.program.populations:
            name = population.name
            if population.kind != "spiking":
                continue
            self.silent[name] = 0 if spikes.get(name) else self.silent[name] + 1
            if self.silent[name] >= self.window:
                span = f"{self.silent[name]} batches in a row"
                yield f"silent {name}", f"population {name} has not spiked in {span}, and {WAKE}"
            rate = spikes.get(name, 0) / (samples * population.size)
            first = self.rates.setdefault(name, rate)
            if rate > GROWTH * max(first, 1.0):
                words = f"population {name} spikes {rate:.3g} times per neuron and sample"
                yield f"spikes {name}", f"{words}, {first:.3g} in the first batch; lower the learning rate"

    def find_stillness(self, before: Floats, after: Floats) -> Iterator[tuple[str, str]]:
        """Yield that the parameters stay as they are; nothing where they are on a device."""
        if self.task.device is not None:
            return
        self.unchanged = self.unchanged + 1 if are_equal(before, after) else 0
        if self.unchanged >= WINDOW:
            words = f"no parameter has changed in {self.unchanged} batches in a row"
            yield "unchanged", f"{words}; the gradient is zero or the learning rate too small"

    def conclude(self, reports: Sequence[EpochReport], loss: float, *, epoch: int) -> tuple[str, ...]:
        """Look at an epoch, and return all signs that were first seen in it.

        Parameters
        ----------
        reports : sequence of EpochReport
            Of the epochs before.
        loss : float
            Of this epoch.
        epoch : int
            Counted from 1.

        Raises
        ------
        NumericsError
            If there is a sign and ``training.on_dead`` is ``stop``.
        """
        if self.task.training.silent_neurons.kind == "ignore":
            for population in self.task.program.populations:
                if population.kind == "spiking" and not self.counted[population.name]:
                    self.report(
                        f"silent {population.name}",
                        f"population {population.name} has not spiked in the whole epoch, and {WAKE}",
                        f"epoch {epoch}: ",
                    )
        last = [report.loss for report in reports[-STILL + 1 :]]
        if len(last) == STILL - 1 and all(abs(item - loss) <= 1e-9 * abs(loss) for item in last):
            self.report(
                "loss",
                f"the loss has not changed in {STILL} epochs in a row; raise the learning "
                "rate, or the weights onto silent neurons",
                f"epoch {epoch}: ",
            )
        return tuple(self.notes)

    def report(self, key: str, sign: str, where: str) -> None:
        """Note a sign once, or stop."""
        if key in self.reported:
            return
        self.reported.add(key)
        if self.task.training.options.get("on_dead") == "stop":
            raise NumericsError(f"{where}{sign}; training.on_dead is stop")
        self.notes.append(where + sign)
        LOG.warning("%s%s", where, sign)
