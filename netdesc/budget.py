"""How much memory a model may take, and how many bytes the things in it take."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from netdesc.errors import Diagnostic
from netdesc.units import format_memory

PER_SYNAPSE = 140.0
"""Bytes of a synapse: drawn, in the program, on a machine, with the gradient of its weight.

Peak resident memory of building, loading and running a network of 4.5 million drawn synapses on the numba
backend, less that of a network of 5 thousand, divided by the number of synapses: 129 with the event-driven
solver, 106 on a grid. The same for a forward run of 40 thousand synapses on the emulated BrainScaleS-2: 137.
"""

PER_NEURON = 200.0
"""Bytes of a neuron: parameters, state and adjoint."""

PER_STATE = 64.0
"""Bytes of a neuron of one sample of a batch: read-outs, their cotangents and what an emulator keeps."""

PER_SPIKE = 64.0
"""Bytes of a spike of a source: time, neuron and sample, each twice while they are sorted, and the order."""

PER_WRITTEN_SPIKE = 200.0
"""Bytes of a spike time in the description: as a number, as text and in the digest, beside its events."""

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


def allowance(max_memory: float) -> Allowance:
    """Return the smaller one of what the model allows and what the machine has.

    Parameters
    ----------
    max_memory : float
        ``simulation.max_memory`` in bytes.

    Returns
    -------
    Allowance
    """
    machine = available()
    if machine < max_memory:
        return Allowance(machine, "the memory that this machine has available")
    return Allowance(max_memory, "simulation.max_memory")


def available() -> float:
    """Return the memory that the machine can give to this process.

    Returns
    -------
    float
        In bytes; infinity where the system does not report it.
    """
    found = float("inf")
    try:
        for line in _MEMORY_FILE.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found = float(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    with suppress(OSError, ValueError):  # no such file, or the word "max"
        # In a container the group's limit counts; its use includes caches that are given back.
        found = min(found, float(_GROUP_LIMIT.read_text(encoding="ascii")))
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
        limit, held = Allowance(machine, "the memory that this machine has available"), 0.0
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
        f"expected to need at most {format_memory(limit.size)}, {limit.name}, got {format_memory(need)}; "
        f"the largest item is this one with {largest.number:.4g} {largest.noun}, "
        f"{format_memory(largest.size)}, {fix}",
        largest.path,
    )
