"""Records of the map: what runs on which processing element, and how packets travel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netdesc.display import counted
from netdesc.errors import Diagnostic

if TYPE_CHECKING:
    from netdesc_spinnaker2.mapping.network import Network

LINKS = ((1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1))
"""Step in x and y of each of the six links of a chip: east, north-east, north, west, south-west, south."""

SPACES = ("spike", "error", "loss", "gradient", "weight")
"""Kinds of packets; the number of a kind is the top of its keys."""

ROLES = ("input", "layer", "loss", "optimizer")
"""The four programs of a processing element."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one processing element runs.

    Parameters
    ----------
    role : str
        ``input``, ``layer``, ``loss`` or ``optimizer``.
    population : str
    start, stop : int
        Neurons ``start`` to ``stop - 1`` of the population: those it injects, simulates or reads, or
        those whose incoming weights it optimizes.
    copy : int
        Copy of the network, from 0; -1 for an optimizer, which serves all copies.
    index : int
        Place in ``Plan.slices``.
    """

    role: str
    population: str
    start: int
    stop: int
    copy: int
    index: int

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start

    def __str__(self) -> str:
        copy = "" if self.copy < 0 else f" copy {self.copy}"
        return f"{self.role} {self.population}[{self.start}:{self.stop}]{copy}"


@dataclass(frozen=True, slots=True)
class Site:
    """A processing element: chip and number on the chip."""

    x: int
    y: int
    pe: int

    @property
    def chip(self) -> tuple[int, int]:
        """Place of the chip on the board."""
        return self.x, self.y

    def __str__(self) -> str:
        return f"chip {self.x},{self.y} PE {self.pe}"


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """Keys ``base`` to ``base + size - 1``, ``size`` a power of two that divides ``base``.

    Parameters
    ----------
    base, mask : int
        A key is in the block if ``key & mask == base``. The key of local neuron n is ``base | n``.
    """

    base: int
    mask: int

    @property
    def size(self) -> int:
        """Number of keys."""
        return (self.mask ^ 0xFFFFFFFF) + 1


SliceKeys = Mapping[str, KeyBlock]
"""Key blocks of a slice, by kind of packet; it may have none of a kind.

``spike``: of the spikes that it sends (input, spiking layer). ``error``: addressed to it, what layers behind
it return for its spikes (input, layer); every sender uses the same key for the same neuron. ``loss``:
addressed to it, dL/dt of its spikes (layer with a loss). ``gradient``: of the gradients that it sends to its
optimizer (trained layer); the neuron is that whose incoming weights they belong to. ``weight``: of the
weights that it broadcasts to all copies (optimizer).
"""


@dataclass(frozen=True, slots=True)
class Flow:
    """Packets that the programs intend to send; the tables must make it so.

    Parameters
    ----------
    space : str
        One of ``SPACES``.
    block : KeyBlock
    senders, targets : tuple of int
        Indices of slices, ascending. A packet of any sender reaches every target.
    """

    space: str
    block: KeyBlock
    senders: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a routing table: the first line that matches a key decides.

    Parameters
    ----------
    key, mask : int
        Matches a key if ``candidate & mask == key``.
    links : int
        Bit l set: the packet leaves over link l of ``LINKS``.
    pes : tuple of int
        Processing elements of this chip that receive it, ascending.
    """

    key: int
    mask: int
    links: int
    pes: tuple[int, ...]


Chip = tuple[int, int]
Tables = Mapping[Chip, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """A network laid out on a board.

    Parameters
    ----------
    network : Network
    slices : tuple of Slice
    sites : tuple of Site
        Aligned with ``slices``.
    keys : tuple of SliceKeys
        Aligned with ``slices``.
    flows : tuple of Flow
    tables : mapping of (x, y) to tuple of Entry
        After compression, in order of priority. A key without a matching entry is a fault: there are no
        default routes.
    uncompressed : mapping of (x, y) to int
        Entries before compression.
    memory : tuple of mapping of str to int
        Bytes of SRAM by item, aligned with ``slices``.
    recorded : tuple of int
        Bytes of DRAM that the recordings of a sample take, aligned with ``slices``.
    cycles : tuple of float
        Cycles in a tick at the expected rates, the dearer of forward and backward, aligned with ``slices``;
        0 for an optimizer, which works between samples.
    packets : tuple of float
        Packets into the processing element in a tick at the expected rates, aligned with ``slices``.
    copies : int
        Samples that run in parallel.
    notes : tuple of Diagnostic
        What was rounded, scaled or given up.
    """

    network: Network
    slices: tuple[Slice, ...]
    sites: tuple[Site, ...]
    keys: tuple[SliceKeys, ...]
    flows: tuple[Flow, ...]
    tables: Tables
    uncompressed: Mapping[Chip, int]
    memory: tuple[Mapping[str, int], ...]
    recorded: tuple[int, ...]
    cycles: tuple[float, ...]
    packets: tuple[float, ...]
    copies: int
    notes: tuple[Diagnostic, ...] = ()

    @property
    def extent(self) -> str:
        """How much of the board is in use, in words."""
        chips = {site.chip for site in self.sites}
        return f"{counted(len(self.slices), 'PE')} on {counted(len(chips), 'chip')}"

    def bytes(self, index: int) -> int:
        """Return the bytes of SRAM of a slice."""
        return sum(self.memory[index].values())

    def occupants(self) -> dict[Site, int]:
        """Return which slice runs on each processing element in use."""
        return {site: index for index, site in enumerate(self.sites)}
