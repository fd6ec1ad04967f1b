"""Oracles: a slow simulator to compare with, gradients by differences, a suite that any backend runs."""
