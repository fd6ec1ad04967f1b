"""Who sends what to whom, and under which keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from netdesc_spinnaker2.mapping import traffic
from netdesc_spinnaker2.mapping.network import Network
from netdesc_spinnaker2.mapping.plan import SPACES, Flow, KeyBlock, Slice, SliceKeys
from netdesc_spinnaker2.mapping.traffic import Reach

SPACE_SHIFT = 29
"""The kind of a packet is in the bits of its key from here on."""

Route = tuple[str, int, tuple[int, ...], tuple[int, ...]]


def allocate(
    network: Network,
    slices: Sequence[Slice],
    reach: Mapping[str, Reach],
    *,
    training: bool,
    input_errors: bool = True,
) -> tuple[tuple[SliceKeys, ...], tuple[Flow, ...]]:
    """Find all flows of packets and give each a block of keys.

    Parameters
    ----------
    network : Network
    slices : sequence of Slice
    reach : mapping of str to ndarray of bool, shape (p, q)
        Which slices are connected, per block.
    training : bool
        Whether there are errors, losses, gradients and updates.
    input_errors : bool
        Whether errors are returned to inputs.

    Returns
    -------
    keys : tuple of SliceKeys
        Aligned with ``slices``. Within a kind of packet all blocks have one size, the power of two that holds
        the largest slice, and follow the order of the slices; so slices that are neighbours can share
        entries.
    flows : tuple of Flow
    """
    keys: list[dict[str, KeyBlock]] = [{} for _ in slices]
    flows = []
    routes = [
        route
        for route in _routes(network, slices, reach, training=training)
        if route[0] != "error" or input_errors or slices[route[1]].role != "input"
    ]
    for number, space in enumerate(SPACES):
        chosen = sorted((route for route in routes if route[0] == space), key=lambda route: route[1])
        width = 1 << max((slices[owner].size - 1).bit_length() for _, owner, _, _ in chosen) if chosen else 1
        for place, (_, owner, senders, targets) in enumerate(chosen):
            block = KeyBlock((number << SPACE_SHIFT) + place * width, (0xFFFFFFFF ^ (width - 1)))
            keys[owner][space] = block
            flows.append(Flow(space, block, senders, targets))
    return tuple(keys), tuple(flows)


def _routes(
    network: Network, slices: Sequence[Slice], reach: Mapping[str, Reach], *, training: bool
) -> Iterator[Route]:
    """Yield kind, slice that owns the keys, senders and targets."""
    members: dict[tuple[str, str, int], list[int]] = defaultdict(list)
    for item in slices:
        members[item.role, item.population, item.copy].append(item.index)
    copies = sorted({item.copy for item in slices if item.copy >= 0})
    for population in network.program.populations:
        role = "input" if population.kind == "source" else "layer"
        targets = _targets(network, population.name, reach)
        for copy in copies:
            losses = members["loss", population.name, copy]
            for number, index in enumerate(members[role, population.name, copy]):
                layers = tuple(members["layer", post, copy][place] for post, place in targets[number])
                if population.kind != "readout" and (layers or losses):
                    yield "spike", index, (index,), tuple(sorted((*layers, *losses)))
                if training and layers:
                    yield "error", index, tuple(sorted(layers)), (index,)
                if training and losses:
                    yield "loss", index, tuple(losses), (index,)
        optimizers = members["optimizer", population.name, -1] if training else []
        for number, index in enumerate(optimizers):
            trained = tuple(members["layer", population.name, copy][number] for copy in copies)
            for one in trained:
                yield "gradient", one, (one,), (index,)
            yield "weight", index, (index,), trained


def _targets(network: Network, name: str, reach: Mapping[str, Reach]) -> Mapping[int, list[tuple[str, int]]]:
    """Return, for each slice of a population, which slices of which populations it reaches."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for other in network.program.populations:
        table = traffic.reached(network, name, other.name, reach)
        if table is None:
            continue
        for number, row in enumerate(table):
            found[number] += [(other.name, place) for place in np.flatnonzero(row).tolist()]
    return found
