"""Losses: from a trace to a number, its derivative with respect to what it reads, and predictions."""
