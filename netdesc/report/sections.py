"""The parts of a report behind its first screen, in order."""

from __future__ import annotations

from netdesc.report import agreements, causes, machines

SECTIONS = (
    ("causes", "Why they part", causes.causes),
    ("spikes", "Spikes", agreements.spikes),
    ("voltages", "Voltages", agreements.voltages),
    ("gradients", "Gradients", agreements.gradients),
    ("training", "Training", machines.curves),
    ("weights", "Weights as run", agreements.weights),
    ("costs", "Costs and counts", machines.costs),
    ("maps", "Maps", machines.maps),
    ("capabilities", "What they can do", machines.capabilities),
    ("notes", "Notes and refusals", machines.notes),
    ("network", "Network", machines.network),
    ("file", "File", machines.file),
)
"""Identifier, heading and content of every section behind the first screen."""
