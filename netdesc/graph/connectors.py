"""Which synapses a connection rule makes.

Every connector takes its options, the sizes of the two populations, whether they are one and the same
population, and a random stream; it returns its synapses, or their places in the row-major matrix pre by
post. Only a list of pairs and ``fixed_total_number`` may have a place several times, one for each synapse
of the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netdesc.description.model import Choice
from netdesc.errors import GraphError
from netdesc.events import Indices, Integers, frozen
from netdesc.graph.synapses import Synapses, ends_of


@dataclass(frozen=True, slots=True)
class Ends:
    """The two populations of a projection.

    Parameters
    ----------
    n_pre, n_post : int
        Their sizes.
    same : bool
        Whether a population projects to itself, so that a neuron may meet itself.
    """

    n_pre: int
    n_post: int
    same: bool


Connector = Callable[[Mapping[str, Any], Ends, np.random.Generator], Integers | Synapses]

PIECE = 2**20
"""Synapses that are drawn at once."""


def connect(rule: Choice, ends: Ends, generator: np.random.Generator) -> Synapses:
    """Draw the synapses of a projection from its random stream.

    Raises
    ------
    GraphError
        If the rule is not known or does not fit the sizes.
    """
    connector = CONNECTORS.get(rule.kind)
    if connector is None:
        raise GraphError(f"{rule.kind} is not a connector; choose one of {', '.join(CONNECTORS)}")
    if _complete(rule, ends):
        return Synapses(ends.n_pre, ends.n_post)
    made = connector(rule.options, ends, generator)
    return made if isinstance(made, Synapses) else Synapses.from_flat(made, ends.n_pre, ends.n_post)


def all_to_all(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Connect every source to every target; with ``allow_self_connections`` false, none to itself."""
    return _without_self(np.arange(ends.n_pre * ends.n_post, dtype=np.int64), options, ends)


def one_to_one(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Connect source i to target i; GraphError if the sizes differ."""
    if ends.n_pre != ends.n_post:
        raise GraphError(
            f"one_to_one needs populations of equal size; these have {ends.n_pre} and {ends.n_post} neurons"
        )
    return np.arange(ends.n_pre, dtype=np.int64) * (ends.n_post + 1)


def fixed_probability(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Synapses:
    """Connect every pair independently with probability ``p``, as ``allow_self_connections`` permits.

    The gaps between synapses are drawn, so that time and memory grow with the number of synapses and
    not with the number of pairs.
    """
    pairs, p = ends.n_pre * ends.n_post, float(options["p"])
    expected = pairs * min(max(p, 0.0), 1.0)
    pieces = _pieces(pairs, p, generator)
    kept = (_without_self(places, options, ends) for places in pieces)
    return Synapses.from_pieces(kept, ends.n_pre, ends.n_post, int(expected + 6.0 * np.sqrt(expected)) + 16)


def _pieces(pairs: int, p: float, generator: np.random.Generator) -> Iterator[Integers]:
    """Yield the places of synapses that each pair has with probability p, ascending."""
    last = -1
    while last < pairs and p > 0.0:
        if p >= 1.0:
            places = np.arange(last + 1, min(last + 1 + PIECE, pairs + 1), dtype=np.int64)
        else:
            places = generator.geometric(p, PIECE if pairs * p > PIECE else int(pairs * p) + 16)
            np.minimum(places, pairs + 1, out=places)
            np.cumsum(places, out=places)
            places += last
        last = int(places[-1])
        yield places if last < pairs else places[: np.searchsorted(places, pairs)]


def fixed_number_pre(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Synapses:
    """Give every target exactly ``n`` different sources; GraphError if there are fewer."""
    # numba is slow to import, and needed here alone
    from netdesc.graph.grouping import group_by_source

    sources = _choices(options, (ends.n_post, ends.n_pre), ends.same, generator)
    if sources.shape[1] == ends.n_pre:
        return Synapses(ends.n_pre, ends.n_post)
    counts = np.zeros(ends.n_pre, dtype=np.int64)
    for row in sources:
        counts[row] += 1
    indptr, indices = ends_of(counts), np.empty(sources.size, dtype=np.int32)
    group_by_source(sources, indptr[:-1].copy(), indices)
    return Synapses(ends.n_pre, ends.n_post, indptr, indices)


def fixed_number_post(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Synapses:
    """Give every source exactly ``n`` different targets; GraphError if there are fewer."""
    targets = _choices(options, (ends.n_pre, ends.n_post), ends.same, generator)
    if targets.shape[1] == ends.n_post:
        return Synapses(ends.n_pre, ends.n_post)
    targets.sort(axis=1)
    indptr = np.arange(ends.n_pre + 1, dtype=np.int64) * targets.shape[1]
    return Synapses(ends.n_pre, ends.n_post, indptr, targets.reshape(-1))


def fixed_total_number(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Synapses:
    """Make ``n`` synapses, source and target of each drawn independently of all others.

    A pair may have several. GraphError if ``allow_self_connections`` leaves no pair.
    """
    number, exclude = int(options["n"]), _excludes_self(options, ends.same)
    available = ends.n_post - exclude
    if number and not available:
        raise GraphError(
            f"n is {number}, but the only neuron has no other one to connect to; allow self-connections"
        )
    counts = generator.multinomial(number, np.full(ends.n_pre, 1.0 / ends.n_pre))
    indptr, indices = ends_of(counts), np.empty(number, dtype=np.int32)
    first = 0
    while first < ends.n_pre:
        last = max(int(np.searchsorted(indptr, indptr[first] + PIECE, side="right")) - 1, first + 1)
        rows = np.repeat(np.arange(first, last, dtype=np.int64), counts[first:last])
        places = generator.integers(0, available, len(rows))
        if exclude:
            places += places >= rows
        places += (rows - first) * ends.n_post
        places.sort()
        indices[indptr[first] : indptr[last]] = places % ends.n_post
        first = last
    return Synapses(ends.n_pre, ends.n_post, indptr, indices)


def pair_list(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Connect the ``pairs`` (pre, post) of a list in its order, a repeated pair by several synapses.

    GraphError if an index is out of range.
    """
    pairs = np.array(options["pairs"], dtype=np.int64).reshape(-1, 2)
    wrong = (pairs < 0) | (pairs >= np.array([ends.n_pre, ends.n_post]))
    if wrong.any():
        row = int(np.flatnonzero(wrong.any(axis=1))[0])
        pre, post = pairs[row]
        raise GraphError(
            f"pair {row + 1} of the list, [{pre}, {post}], does not exist between populations of "
            f"{ends.n_pre} and {ends.n_post} neurons; indices count from 0"
        )
    return frozen(pairs[:, 0] * ends.n_post + pairs[:, 1], np.int64)


def order_pairs(rule: Choice, n_post: int) -> Integers:
    """Return which pair of a connector ``list`` each synapse comes from, shape (k,).

    Pairs are by source, then by target; synapses of one pair in the order of the list.
    """
    pairs = np.array(rule.options["pairs"], dtype=np.int64).reshape(-1, 2)
    return np.argsort(pairs[:, 0] * n_post + pairs[:, 1], kind="stable")


def array(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Connect the pairs that ``values``, bool, shape (n_pre, n_post), marks; GraphError on another shape."""
    values = np.asarray(options["values"], dtype=bool)
    if values.shape != (ends.n_pre, ends.n_post):
        raise GraphError(
            f"shape {values.shape} does not fit; it must be {(ends.n_pre, ends.n_post)}, pre by post"
        )
    return np.flatnonzero(values)


MULTAPSES = frozenset({"list", "fixed_total_number"})
"""Connectors that may give a pair of neurons several synapses."""

CONNECTORS: Mapping[str, Connector] = {
    "all_to_all": all_to_all,
    "one_to_one": one_to_one,
    "fixed_probability": fixed_probability,
    "fixed_number_pre": fixed_number_pre,
    "fixed_number_post": fixed_number_post,
    "fixed_total_number": fixed_total_number,
    "list": pair_list,
    "array": array,
}
"""Connectors by the name they have in the file."""


def _complete(rule: Choice, ends: Ends) -> bool:
    """Return whether a rule connects all pairs for certain, so that no list of them is needed."""
    certain = rule.kind == "all_to_all" or (rule.kind == "fixed_probability" and rule.options["p"] >= 1.0)
    return certain and not _excludes_self(rule.options, ends.same)


def _excludes_self(options: Mapping[str, Any], same: bool) -> bool:
    return same and not options.get("allow_self_connections", True)


def _without_self(places: Integers, options: Mapping[str, Any], ends: Ends) -> Integers:
    if not _excludes_self(options, ends.same):
        return places
    return frozen(places[places % (ends.n_post + 1) != 0], np.int64)


def _choices(
    options: Mapping[str, Any],
    sizes: tuple[int, int],
    same: bool,
    generator: np.random.Generator,
) -> Indices:
    """Return n different partners for each of ``sizes[0]`` neurons, out of ``sizes[1]``."""
    count, pool = sizes
    number, exclude = int(options["n"]), _excludes_self(options, same)
    available = pool - exclude
    if number > available:
        others = "other neurons" if exclude else "neurons"
        raise GraphError(f"n is {number}, but there are only {available} {others} to choose from; lower n")
    chosen = np.empty((count, number), dtype=np.int32)
    for k in range(count):
        row = generator.choice(available, number, replace=False, shuffle=False)
        chosen[k] = row + (row >= k) if exclude else row
    return chosen
