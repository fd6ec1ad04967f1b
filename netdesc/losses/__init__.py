"""Losses: from a trace to a number, its derivative with respect to what it reads, and predictions."""

from netdesc.losses.evaluation import KINDS, Evaluation, evaluate, require_kinds

__all__ = ["KINDS", "Evaluation", "evaluate", "require_kinds"]
