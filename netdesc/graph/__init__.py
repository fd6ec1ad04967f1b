"""The compiler: from description to graph, and through passes to what can be lowered."""

from netdesc.graph.build import build
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.graph.pipeline import PASSES, compile_graph
from netdesc.graph.synapses import Synapses
from netdesc.graph.text import render
from netdesc.graph.verify import verify

__all__ = ["PASSES", "Edge", "NetworkGraph", "Node", "Synapses", "build", "compile_graph", "render", "verify"]
