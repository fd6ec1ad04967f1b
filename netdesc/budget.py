"""How much memory a model may take, and how many bytes the things in it take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.display import counted
from netdesc.errors import Diagnostic, NumericsError
from netdesc.units import format_memory

RESIDENT = 210e6
"""Bytes of a process that has loaded Python, its libraries, matplotlib too, and the kernels of a network."""

PER_SYNAPSE = 13.0
"""Bytes of a synapse in a program and on a machine: its target and its charge.

Peak resident memory of building and running 100 million synapses on a grid, divided by their number: 9 in
float32 and 12.8 in float64 where they share a weight; 8 more where each has its own (`PER_WEIGHT`).
"""

PER_WEIGHT = 8.0
"""Bytes of a weight."""

PER_DELAY = 12.0
"""Bytes of a delay of its own: in ms, and in ticks on a grid."""

PER_SORTED_SYNAPSE = 4.0
"""Bytes of a synapse beside those of its program, for cells in continuous time that form no layer.

It is its target, where several projections end in a stage; what else it has is counted with `PER_SYNAPSE`.
"""

PER_SORTED_DELAY = 12.0
"""Bytes more of a synapse that has a delay of its own: what brings it into the order of delays.

Peak resident memory of running 6.4 million synapses of a balanced network on the event-driven solver,
less that with few, divided by their number: 8 where a projection has one weight and delay, 48 where none has.
"""

PER_GRADIENT = 16.0
"""Bytes of a synapse whose gradient is computed, trained or not."""

PER_NEURON = 200.0
"""Bytes of a neuron: parameters, state and adjoint."""

PER_STATE = 64.0
"""Bytes of a neuron of one sample of a batch: read-outs, their cotangents and what an emulator keeps."""

PER_SPIKE = 64.0
"""Bytes of a spike of a source: time, neuron and sample, each twice while they are sorted, and the order."""

PER_WRITTEN_SPIKE = 200.0
"""Bytes of a spike time in the description: as a number, as text and in the digest, beside its events."""

PER_FOUND_SPIKE = 160.0
"""Bytes of a spike of a neuron: in the kernel, in the trace and with its adjoint.

Peak resident memory of a run and its gradient with a million spikes, less that with few, divided by the
number of spikes: 100 with the event-driven solver, 140 on a grid.
"""

PER_RECORDED_VALUE = 16.0
"""Bytes of a recorded value: on the machine and in the results."""

PER_IMAGE_VALUE = 16.0
"""Bytes of a number in a file of results: it is made in memory, which grows by copying."""

PER_KEPT_SPIKE = 100.0
"""Bytes of a spike that a run keeps for its gradient: time, neuron, currents and slope, and its adjoints."""

PER_TRAINED_VALUE = 96.0
"""Bytes of a trained value: four vectors of the optimizer, the best so far, and their image in a file."""

PER_DELAY_SLOT = 16.0
"""Bytes of a tick of delay of a neuron, on a grid: what arrives then, by receptor."""

PER_TICK = 32.0
"""Bytes of a tick of a grid: where the spikes of each begin."""

PER_SAMPLE_VALUE = 120.0
"""Bytes of a number of a data set: as read, scaled, and as a spike while it is encoded and sorted."""

_MEMORY_FILE = Path("/proc/meminfo")
_GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


class Allowance(NamedTuple):
    """Memory that may be taken.

    Parameters
    ----------
    size : float
        In bytes.
    name : str
        Which limit it is, for messages.
    """

    size: float
    name: str


MACHINE = "the memory available on this machine"
"""Name of the limit that is not the model's."""


def allowance(max_memory: float) -> Allowance:
    """Return the smaller one of what the model allows and what the machine has.

    Parameters
    ----------
    max_memory : float
        ``simulation.max_memory`` in bytes.
    """
    machine = available()
    if machine < max_memory:
        return Allowance(machine, MACHINE)
    return Allowance(max_memory, "simulation.max_memory")


def available() -> float:
    """Return the memory that the machine can give to this process.

    Returns
    -------
    float
        In bytes, as of the last tenth of a second; infinity where the system does not report it.
    """
    return _measure(_MEMORY_FILE, _GROUP_LIMIT, int(10.0 * monotonic()))


@lru_cache(maxsize=1)
def _measure(memory: Path, group: Path, tenth: int) -> float:
    found = float("inf")
    try:
        for line in memory.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found = float(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    with suppress(OSError, ValueError):  # no such file, or the word "max"
        # In a container the group's limit counts; its use includes caches that are given back.
        found = min(found, float(group.read_text(encoding="ascii")))
    return found


class Item(NamedTuple):
    """Something that takes memory.

    Parameters
    ----------
    path : str
        Dotted path of what causes it.
    number : float
        How many there are.
    noun : str
        Of what.
    each : float
        Bytes of one.
    fix : str
        What makes it smaller.
    """

    path: str
    number: float
    noun: str
    each: float
    fix: str

    @property
    def size(self) -> float:
        """Bytes of all."""
        return self.number * self.each


def find_excess(items: Sequence[Item], max_memory: float, *, held: float = 0.0) -> Diagnostic | None:
    """Compare what things take with what there is.

    Parameters
    ----------
    items : sequence of Item
        What is not allocated yet.
    max_memory : float
        ``simulation.max_memory`` in bytes.
    held : float
        Bytes of the model that are allocated already: they count towards ``max_memory``, but the machine
        has subtracted them.

    Returns
    -------
    Diagnostic or None
        At the largest item, with what would fit; None where all fits.
    """
    need = sum(item.size for item in items)
    machine = available()
    limit = Allowance(max_memory, "simulation.max_memory")
    if machine < max_memory - held:
        limit, held = Allowance(machine, MACHINE), 0.0
    need += held
    if need <= limit.size or not items:
        return None
    largest = max(items, key=lambda item: item.size)
    fits = max(limit.size - (need - largest.size), 0.0) // largest.each
    fix = f"of which at most {fits:.4g} fit beside the rest" if fits else "and the rest alone does not fit"
    fix += f"; {largest.fix}"
    if limit.name.startswith("simulation"):
        fix += ", or raise simulation.max_memory"
    return Diagnostic(
        f"the network needs {format_memory(need)} of memory, more than {limit.name} "
        f"({format_memory(limit.size)}); the largest item is this one with {largest.number:.4g} "
        f"{largest.noun}, {format_memory(largest.size)}, {fix}",
        largest.path,
    )


class SpikeBudget:
    """Spikes of the neurons in a run, kept below the number that fits into memory beside the network.

    Parts of the batch may run at the same time, each under a key of its own.

    Parameters
    ----------
    max_memory : float
        ``simulation.max_memory`` in bytes.
    network : float
        Bytes of the network.
    batch : int
        Number of samples.
    """

    def __init__(self, max_memory: float, *, network: float, batch: int) -> None:
        # what the machine has available is what it has beside the network
        left = allowance(max_memory - network)
        self.limit = left._replace(size=max_memory) if left.name.startswith("simulation") else left
        self.most = int(min(max(left.size, 0.0) / PER_FOUND_SPIKE, 2.0**62))
        self.batch = batch
        self.found: Counter[str] = Counter()
        self.held: dict[int, Counter[str]] = {}
        self._lock = Lock()

    def keep(self, key: int, counts: Mapping[str, int]) -> None:
        """Add the spikes of samples that are finished; what the part held is forgotten.

        Parameters
        ----------
        key : int
            Of the part of the batch.
        counts : mapping of str to int
            Spikes by population.

        Raises
        ------
        NumericsError
            If there are too many.
        """
        with self._lock:
            self.held.pop(key, None)
            self.found.update(counts)
        self._require()

    def hold(self, key: int, counts: Mapping[str, int]) -> int:
        """Count the spikes so far of a sample that needs more room.

        Parameters
        ----------
        key : int
            Of the part of the batch.
        counts : mapping of str to int
            Spikes by population.

        Returns
        -------
        int
            How many more spikes fit.

        Raises
        ------
        NumericsError
            If there are too many.
        """
        with self._lock:
            self.held[key] = Counter(counts)
        return self._require()

    def _require(self) -> int:
        with self._lock:
            number = self.found.total() + sum(counts.total() for counts in self.held.values())
            if number <= self.most:
                return self.most - number
            total = sum(self.held.values(), self.found)
        worst = max(total, key=lambda name: total[name])
        samples = counted(self.batch, "sample")
        fix = "lower the weights or the learning rate, add a refractory period"
        fix += ", train smaller batches" if self.batch > 1 else ""
        fix += ", or raise simulation.max_memory" if self.limit.name.startswith("simulation") else ""
        raise NumericsError(
            Diagnostic(
                f"more than {number} spikes in {samples}, {total[worst]} of them in population {worst}; "
                f"{self.limit.name} ({format_memory(self.limit.size)}) has room for {self.most}; {fix}",
                f"populations.{worst}",
            )
        )


def count_spikes(neurons: NDArray[Any], sizes: Mapping[str, int]) -> dict[str, int]:
    """Count spikes by population.

    Parameters
    ----------
    neurons : ndarray of int
        Neuron of every spike, counted through all populations; others are left out.
    sizes : mapping of str to int
        Number of neurons of each population, in order.
    """
    if len(sizes) == 1:
        return {name: len(neurons) for name in sizes}
    edges = np.cumsum([0, *sizes.values()])
    places = np.searchsorted(edges, neurons, side="right")
    counts = np.bincount(places, minlength=len(edges) + 1)[1 : len(edges)]
    return dict(zip(sizes, counts.tolist(), strict=True))
