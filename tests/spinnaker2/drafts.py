"""Small networks for the tests of the mapping."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.costs.costs import Work
from netdesc_spinnaker2.costs.expectation import Prospect
from netdesc_spinnaker2.mapping.network import Link, Network, Population, Record
from netdesc_spinnaker2.mapping.pipeline import lay_out
from netdesc_spinnaker2.mapping.plan import Plan, Slice
from netdesc_spinnaker2.mapping.traffic import trains
from netdesc_spinnaker2.options import Options


def source(name: str, size: int, spikes: float = 1.0) -> Population:
    return Population(name, f"populations.{name}", size, "source", "dataset", 0, spikes=spikes)


def layer(name: str, size: int, spikes: float = 1.0, loss: str = "") -> Population:
    levels = {key: np.zeros(size) for key in ("rest", "reset", "tau_ref")}
    return Population(
        name, f"populations.{name}", size, "spiking", "LIF", loss=loss, spikes=spikes, parameters=levels
    )


def dense(pre: Population, post: Population, train: bool = False, delay: int = 1) -> Link:
    name = f"{pre.name}_to_{post.name}"
    return Link(
        name,
        f"projections.{name}",
        pre.name,
        post.name,
        pre.size,
        post.size,
        None,
        None,
        np.ones(pre.size * post.size),
        np.array([delay]),
        train,
    )


def sparse(pre: Population, post: Population, matrix: np.ndarray, train: bool = False) -> Link:
    rows, columns = np.nonzero(matrix)
    name = f"{pre.name}_to_{post.name}"
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=pre.size))))
    return Link(
        name,
        f"projections.{name}",
        pre.name,
        post.name,
        pre.size,
        post.size,
        indptr,
        columns,
        matrix[rows, columns].astype(float),
        np.array([1]),
        train,
    )


def layered(
    sizes: tuple[int, ...] = (5, 120, 3),
    train: bool = True,
    ticks: int = 27,
    records: tuple[Record, ...] = (),
) -> Network:
    hidden = [f"hidden{number}" if number else "hidden" for number in range(len(sizes) - 2)]
    names = ("input", *hidden, "output")
    populations = [source(names[0], sizes[0])]
    populations += [layer(name, size) for name, size in zip(names[1:-1], sizes[1:-1], strict=True)]
    populations.append(layer(names[-1], sizes[-1], loss="time_to_first_spike"))
    links = tuple(dense(pre, post, train) for pre, post in pairwise(populations))
    return Network("layered", float(ticks), 1.0, tuple(populations), links, records)


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
