"""Cycles, time and energy, expected and counted."""
