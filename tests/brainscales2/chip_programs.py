"""Small programs for the tests of the chip."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from netdesc_brainscales2.mapping.pipeline import lay_out
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options

from netdesc.block import Block
from netdesc.program import PopulationSlice, Program, Stage

ONE = {"instances": 1}


def program(sizes, links, weights=None, *, kinds=None, duration=40.0, charge=1.0, **levels):
    """Populations by name, the first ones without incoming links sources; links as (pre, post) pairs."""
    reached = {post for _, post in links}
    kinds = kinds or {}
    populations, start = [], 0
    for name, size in sizes.items():
        kind = kinds.get(name, "spiking" if name in reached else "source")
        model = {"source": "dataset", "spiking": "LIF", "readout": "LI"}[kind]
        populations.append(
            PopulationSlice(
                name,
                start,
                start + size,
                kind,
                model,
                () if kind == "source" else ("signed",),
                False,
                (size,),
                {},
            )
        )
        start += size
    names = list(sizes)
    blocks = tuple(
        Block(
            f"{pre}_{post}",
            f"projections.{pre}_{post}",
            names.index(pre),
            names.index(post),
            sizes[pre],
            sizes[post],
            0,
            np.full(sizes[post], charge),
            None,
            None,
            np.broadcast_to(value(pre, post, weights), sizes[pre] * sizes[post]),
            np.zeros(1),
            train_weight=weights is None,
        )
        for pre, post in links
    )
    return Program(
        "drawn",
        duration,
        1,
        tuple(populations),
        blocks,
        parameters(populations, start, levels),
        stages(names, populations, links),
    )


def value(pre, post, weights):
    if weights is None:
        return 0.5
    return np.ravel(weights[pre, post]) if isinstance(weights, dict) else weights


def parameters(populations, size, levels):
    table = {
        "tau_m": 20.0,
        "tau_ref": 1.0,
        "rest": 0.0,
        "threshold": 1.0,
        "reset": 0.0,
        "v_init": 0.0,
        "tau_s": 5.0,
        "i_init": 0.0,
    } | levels
    found = {
        name: np.full((size, 1) if name in ("tau_s", "i_init") else size, level)
        for name, level in table.items()
    }
    for item in populations:
        if item.kind == "source":
            for array in found.values():
                array[item.start : item.stop] = np.nan
        if item.kind == "readout":
            found["threshold"][item.start : item.stop] = np.inf
    return found


def stages(names, populations, links):
    own = [
        (number, (name, name) in links)
        for number, name in enumerate(names)
        if populations[number].kind != "source"
    ]
    return tuple(Stage((number,), loop) for number, loop in own)


def layered(*sizes, weights=None, **more):
    names = [f"layer{number}" for number in range(len(sizes))]
    return program(dict(zip(names, sizes, strict=True)), list(pairwise(names)), weights, **more)


def one_to_one(size, weight=0.5):
    drawn = program({"input": size, "neurons": size}, [("input", "neurons")])
    block = replace(
        drawn.blocks[0], indptr=np.arange(size + 1), indices=np.arange(size), weights=np.full(size, weight)
    )
    return replace(drawn, blocks=(block,))


def options(**section) -> Options:
    return Options.read(section)


def faults(drawn, **section):
    return lay_out(drawn, options(**section))[1]


def codes(drawn, **section):
    return [fault.code for fault in faults(drawn, **section)]


def planned(drawn, **section) -> Plan:
    plan, found = lay_out(drawn, options(**section))
    assert plan is not None, found
    assert not found
    return plan
