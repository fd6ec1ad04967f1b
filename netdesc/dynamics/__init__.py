"""Equations of the neuron models, written once, as scalar functions that kernels call by name."""
