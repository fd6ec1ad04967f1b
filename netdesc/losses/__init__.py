"""Losses: from a trace to a number, its derivative with respect to what it reads, and predictions."""

from netdesc.losses.evaluation import KINDS, Evaluation, evaluate, require_kinds
from netdesc.losses.goals import Goals, Traces
from netdesc.losses.requirements import require_goals

__all__ = ["KINDS", "Evaluation", "Goals", "Traces", "evaluate", "require_goals", "require_kinds"]
