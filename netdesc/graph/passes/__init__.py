"""Passes: small steps from a graph as written to a graph that can be lowered."""

from netdesc.graph.passes.check_limits import CheckLimits, CheckState, check_limits
from netdesc.graph.passes.check_precision import CheckPrecision
from netdesc.graph.passes.contract import Pass
from netdesc.graph.passes.draw_connections import DrawConnections
from netdesc.graph.passes.draw_values import DrawValues
from netdesc.graph.passes.order_stages import OrderStages
from netdesc.graph.passes.receptors import MergeReceptors, SplitSigned
from netdesc.graph.passes.resolve_parameters import ResolveParameters
from netdesc.graph.passes.round_to_steps import RoundToSteps

__all__ = [
    "CheckLimits",
    "CheckPrecision",
    "CheckState",
    "DrawConnections",
    "DrawValues",
    "MergeReceptors",
    "OrderStages",
    "Pass",
    "ResolveParameters",
    "RoundToSteps",
    "SplitSigned",
    "check_limits",
]
