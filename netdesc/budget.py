"""How much memory a model may take, and how many bytes the things in it take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PER_SYNAPSE = 130.0
"""Bytes of a synapse: drawn, in the program, on a machine, with the gradient of its weight.

Peak resident memory of building, loading and running a network of 4.5 million drawn synapses on the numba
backend, less that of a network of 5 thousand, divided by the number of synapses: 129 with the event-driven
solver, 106 on a grid. Emulated chips hold far fewer synapses than fit into memory.
"""

PER_NEURON = 200.0
"""Bytes of a neuron of one sample: parameters, state and adjoint."""

PER_SPIKE = 64.0
"""Bytes of a spike of a source: time, neuron and sample, each twice while they are sorted, and the order."""

PER_WRITTEN_SPIKE = 200.0
"""Bytes of a spike time in the description: as a number, as text and in the digest, beside its events."""

PER_RECORDED_VALUE = 16.0
"""Bytes of a recorded value: on the machine and in the results."""

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
