"""The sequence of passes from description to a graph that can be lowered."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from netdesc.description.model import Description
from netdesc.errors import GraphError
from netdesc.graph.build import build
from netdesc.graph.ir import NetworkGraph
from netdesc.graph.passes import (
    DrawConnections,
    DrawValues,
    MergeReceptors,
    OrderStages,
    Pass,
    ResolveParameters,
    SplitSigned,
)
from netdesc.graph.verify import verify

PASSES: tuple[Pass, ...] = (
    ResolveParameters(),
    MergeReceptors(),
    DrawConnections(),
    DrawValues(),
    SplitSigned(),
    OrderStages(),
)
"""Passes that every network goes through, in order; those of a backend follow."""


def compile_graph(
    description: Description,
    extra_passes: Sequence[Pass] = (),
    after: str | None = None,
) -> NetworkGraph:
    """Run the passes, and verify the graph after each.

    Parameters
    ----------
    description : Description
    extra_passes : sequence of Pass
        Of a backend, run last.
    after : str or None
        Name of the pass to stop after, ``build`` for the graph as written; None for all.

    Raises
    ------
    GraphError
        If no network can be built, or there is no pass of that name.
    """
    passes = (*PASSES, *extra_passes)
    names = ["build", *(item.name for item in passes)]
    if after is not None and after not in names:
        raise GraphError(_unknown(after, names))
    graph = build(description)
    verify(graph)
    for item in passes[: len(passes) if after is None else names.index(after)]:
        before, graph = graph, item(graph)
        verify(graph, before)
    return graph


def _unknown(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no pass {name!r}; {hint}the passes are {', '.join(names)}"
