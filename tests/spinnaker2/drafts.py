"""Small networks for the tests of the mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.costs.costs import Work
from netdesc_spinnaker2.costs.expectation import Prospect
from netdesc_spinnaker2.mapping.network import Network
from netdesc_spinnaker2.mapping.pipeline import lay_out
from netdesc_spinnaker2.mapping.plan import Plan, Slice
from netdesc_spinnaker2.mapping.traffic import trains
from netdesc_spinnaker2.options import Options

from netdesc.block import Block
from netdesc.observation import Sampling
from netdesc.program import PopulationSlice, Program


class Draft(NamedTuple):
    """A population of a draft: what the program and the view of the mapping will have of it."""

    item: PopulationSlice
    spikes: float
    loss: bool = False
    levels: Mapping[str, np.ndarray] = {}

    @property
    def size(self) -> int:
        return self.item.size


class Wire(NamedTuple):
    """A projection of a draft; its block does not know the places of its populations yet."""

    pre: str
    post: str
    block: Block
    delay: int = 1


def source(name: str, size: int, spikes: float = 1.0) -> Draft:
    return Draft(PopulationSlice(name, 0, size, "source", "dataset", (), False, (size,), {}), spikes)


def layer(name: str, size: int, spikes: float = 1.0, loss: bool = False) -> Draft:
    item = PopulationSlice(name, 0, size, "spiking", "LIF", ("signed",), False, (size,), {})
    return Draft(item, spikes, loss)


def dense(pre: Draft, post: Draft, train: bool = False, delay: int = 1) -> Wire:
    return wire(pre, post, None, None, np.ones(pre.size * post.size), train)._replace(delay=delay)


def sparse(pre: Draft, post: Draft, matrix: np.ndarray, train: bool = False) -> Wire:
    rows, columns = np.nonzero(matrix)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=pre.size))))
    return wire(pre, post, indptr, columns, matrix[rows, columns].astype(float), train)


def wire(pre: Draft, post: Draft, indptr, indices, weights: np.ndarray, train: bool) -> Wire:
    name = f"{pre.item.name}_to_{post.item.name}"
    block = Block(
        name, f"projections.{name}", -1, -1, pre.size, post.size, 0, np.ones(post.size), indptr, indices,
        weights, np.zeros(1), train_weight=train,
    )  # fmt: skip
    return Wire(pre.item.name, post.item.name, block)


def assemble(
    name: str,
    duration: float,
    drafts: Sequence[Draft],
    wires: Sequence[Wire],
    records: tuple[Sampling, ...] = (),
) -> Network:
    """Return the view of a program of these populations and projections, with ticks of 1 ms."""
    ends = np.cumsum([draft.size for draft in drafts]).tolist()
    items = [
        replace(draft.item, start=end - draft.size, stop=end) for draft, end in zip(drafts, ends, strict=True)
    ]
    place = {item.name: k for k, item in enumerate(items)}
    levels = {
        key: np.concatenate([draft.levels.get(key, np.zeros(draft.size)) for draft in drafts])
        for key in ("rest", "reset", "tau_ref")
    }
    blocks = [replace(item.block, pre=place[item.pre], post=place[item.post]) for item in wires]
    return Network(
        Program(name, duration, 0, tuple(items), tuple(blocks), levels, ()),
        1.0,
        {item.block.name: np.array([item.delay]) for item in wires},
        {draft.item.name: draft.spikes for draft in drafts},
        {draft.item.name for draft in drafts if draft.loss},
        records,
    )


def layered(
    sizes: tuple[int, ...] = (5, 120, 3),
    train: bool = True,
    ticks: int = 27,
    records: tuple[Sampling, ...] = (),
) -> Network:
    hidden = [f"hidden{number}" if number else "hidden" for number in range(len(sizes) - 2)]
    names = ("input", *hidden, "output")
    drafts = [source(names[0], sizes[0])]
    drafts += [layer(name, size) for name, size in zip(names[1:-1], sizes[1:-1], strict=True)]
    drafts.append(layer(names[-1], sizes[-1], loss=True))
    wires = [dense(pre, post, train) for pre, post in pairwise(drafts)]
    return assemble("layered", float(ticks), drafts, wires, records)


def drawn(network: Network, options: Options | None = None) -> Plan:
    plan, faults = lay_out(network, options or Options())
    assert plan is not None, faults
    return plan


def codes(network: Network, options: Options | None = None) -> list[str]:
    return [fault.code for fault in lay_out(network, options or Options())[1]]


def expect(plan: Plan, options: Options, *, samples: int | None = None, training: bool | None = None) -> Work:
    learns = trains(plan.network, options) if training is None else training
    return Prospect.of(plan, options).work(plan.copies if samples is None else samples, learns=learns)


def select(plan: Plan, role: str, population: str, copy: int | None = None) -> list[Slice]:
    """Return slices of a role and population, of one copy or all, in order."""
    return [
        item
        for item in plan.slices
        if item.role == role and item.population == population and (copy is None or item.copy == copy)
    ]


def router(plan: Plan) -> Router:
    return Router(plan.tables, 8, 6)
