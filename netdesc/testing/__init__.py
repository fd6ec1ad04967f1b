"""Oracles: a slow simulator to compare with, gradients by differences, random networks to try both on."""
