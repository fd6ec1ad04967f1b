"""The sections of a report below its first screen, in order."""

from __future__ import annotations

from netdesc.report import accuracy, agreements, machines, sources

SECTIONS = (
    ("accuracy", "Accuracy", accuracy.accuracy),
    ("sources", "Sources of deviation", sources.sources),
    ("spikes", "Spikes", agreements.spikes),
    ("voltages", "Voltages", agreements.voltages),
    ("gradients", "Gradients", agreements.gradients),
    ("training", "Training", machines.curves),
    ("weights", "Effective weights", agreements.weights),
    ("costs", "Costs and counts", machines.costs),
    ("placement", "Resource placement", machines.placement),
    ("capabilities", "Capabilities", machines.capabilities),
    ("notes", "Notes and refusals", machines.notes),
    ("network", "Network", machines.network),
    ("file", "Resolved file", machines.file),
)
"""Identifier, heading and content of every section below the first screen."""
