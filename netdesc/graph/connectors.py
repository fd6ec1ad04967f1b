"""Which synapses a connection rule makes.

Every connector takes its options, the sizes of the two populations, whether they are one and the same
population, and a random stream; it returns the places of its synapses in the row-major matrix pre by
post. Only a list of pairs may have a place several times, one for each synapse of the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netdesc.description.model import Choice
from netdesc.errors import GraphError
from netdesc.events import Integers, frozen
from netdesc.graph.synapses import Synapses


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


Connector = Callable[[Mapping[str, Any], Ends, np.random.Generator], Integers]


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
    return Synapses.from_flat(connector(rule.options, ends, generator), ends.n_pre, ends.n_post)


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


def fixed_probability(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Connect every pair independently with probability ``p``, as ``allow_self_connections`` permits.

    The gaps between synapses are drawn, so that time and memory grow with the number of synapses and
    not with the number of pairs.
    """
    pairs, p = ends.n_pre * ends.n_post, float(options["p"])
    if p <= 0.0:
        return np.empty(0, dtype=np.int64)
    if p >= 1.0:
        return _without_self(np.arange(pairs, dtype=np.int64), options, ends)
    parts, last = [], -1
    while last < pairs:
        expected = (pairs - last) * p
        gaps = generator.geometric(p, int(expected + 4.0 * np.sqrt(expected)) + 16)
        part = last + np.cumsum(np.minimum(gaps, pairs + 1))
        parts.append(part)
        last = int(part[-1])
    places = np.concatenate(parts)
    return _without_self(places[places < pairs], options, ends)


def fixed_number_pre(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Give every target exactly ``n`` different sources; GraphError if there are fewer."""
    sources = _choices(options, (ends.n_post, ends.n_pre), ends.same, generator)
    return (sources * ends.n_post + np.arange(ends.n_post, dtype=np.int64)[:, None]).ravel()


def fixed_number_post(options: Mapping[str, Any], ends: Ends, generator: np.random.Generator) -> Integers:
    """Give every source exactly ``n`` different targets; GraphError if there are fewer."""
    targets = _choices(options, (ends.n_pre, ends.n_post), ends.same, generator)
    return (targets + np.arange(ends.n_pre, dtype=np.int64)[:, None] * ends.n_post).ravel()


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


CONNECTORS: Mapping[str, Connector] = {
    "all_to_all": all_to_all,
    "one_to_one": one_to_one,
    "fixed_probability": fixed_probability,
    "fixed_number_pre": fixed_number_pre,
    "fixed_number_post": fixed_number_post,
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
) -> Integers:
    """Return n different partners for each of ``sizes[0]`` neurons, out of ``sizes[1]``."""
    count, pool = sizes
    number, exclude = int(options["n"]), _excludes_self(options, same)
    available = pool - exclude
    if number > available:
        others = "other neurons" if exclude else "neurons"
        raise GraphError(f"n is {number}, but there are only {available} {others} to choose from; lower n")
    rows = [generator.choice(available, number, replace=False, shuffle=False) for _ in range(count)]
    chosen = np.array(rows, dtype=np.int64).reshape(count, number)
    return frozen(chosen + (exclude & (chosen >= np.arange(count)[:, None])), np.int64)
