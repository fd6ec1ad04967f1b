"""What a random network is to be like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from netdesc.streams import stream

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RATIOS: Mapping[str, float] = {"equal": 1.0, "double": 2.0, "near": 1.0001, "shorter": 3.7, "longer": 0.6}
"""Membrane over synaptic time constant, by name."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What kind of network to make.

    Parameters
    ----------
    seed : int
        Of everything that is drawn.
    layers : int
        Number of spiking populations, one behind the other, all reached by the input.
    size : int
        Neurons per population.
    inputs : int
        Number of sources.
    batch : int
        Number of samples.
    loop : str
        ``none``, ``self`` (each population onto itself) or ``cycle`` (the last onto the first).
    delay : str
        ``zero``, ``uniform`` or ``mixed`` (one per synapse).
    ratio : str
        Membrane over synaptic time constant, a key of ``RATIOS``.
    start : str
        Voltage at the beginning: ``rest``, ``random`` or ``above`` (the threshold, for some neurons).
    density : float
        Probability of a synapse; 1 for dense blocks.
    gain : float
        Strength of the weights; 1 makes few spikes, 4 several per interval between inputs.
    two_currents, refractory, mixed_cells, tonic, millivolts, tied, readout, readings : bool
        Excitatory and inhibitory currents of their own; a refractory period; other time constants for
        every neuron; a rest above the threshold; cells at -65 mV with a resistance; input times on a
        coarse grid, so that many coincide; a population without spikes at the end; and its maximum, mean and
        early mean to be read.
    """

    seed: int
    layers: int = 1
    size: int = 3
    inputs: int = 4
    batch: int = 2
    loop: Literal["none", "self", "cycle"] = "none"
    delay: Literal["zero", "uniform", "mixed"] = "zero"
    ratio: Literal["equal", "double", "near", "shorter", "longer"] = "shorter"
    start: Literal["rest", "random", "above"] = "rest"
    density: float = 1.0
    gain: float = 2.0
    two_currents: bool = False
    refractory: bool = False
    mixed_cells: bool = False
    tonic: bool = False
    millivolts: bool = False
    tied: bool = False
    readout: bool = False
    readings: bool = False

    def stream(self, purpose: str) -> np.random.Generator:
        """Return the random stream of one purpose."""
        return stream(self.seed, purpose)


def recipes(**fixed: object) -> SearchStrategy[Recipe]:
    """Return a hypothesis strategy of recipes.

    Parameters
    ----------
    **fixed
        Fields that keep a value.
    """
    from hypothesis import strategies as st

    either = st.booleans()
    choices = {
        "seed": st.integers(0, 2**32 - 1),
        "layers": st.integers(1, 3),
        "size": st.integers(1, 5),
        "inputs": st.integers(1, 5),
        "batch": st.integers(1, 2),
        "ratio": st.sampled_from(sorted(RATIOS)),
        "loop": st.sampled_from(["none", "self", "cycle"]),
        "delay": st.sampled_from(["zero", "uniform", "mixed"]),
        "start": st.sampled_from(["rest", "random", "above"]),
        "density": st.sampled_from([1.0, 0.5]),
        "gain": st.sampled_from([1.0, 2.0, 4.0]),
        "two_currents": either,
        "refractory": either,
        "mixed_cells": either,
        "tonic": either,
        "millivolts": either,
        "tied": either,
        "readout": either,
    }
    return st.builds(Recipe, **{**choices, **{name: st.just(value) for name, value in fixed.items()}})
