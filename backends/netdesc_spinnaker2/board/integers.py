"""Weights as integer synapse words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.limits import Limit
from netdesc_spinnaker2.mapping.network import Network, weights_of
from netdesc_spinnaker2.options import Options


def bits_of(network: Network, name: str, options: Options) -> int:
    """Return the bits of the magnitude of integer weights into a population.

    Parameters
    ----------
    network : Network
    name : str
        Population of the targets.
    options : Options

    Returns
    -------
    int
        As the options say, otherwise 7 where all delays are one tick, and 4 where they are not.
    """
    if options.weight_bits is not None:
        return options.weight_bits
    return 7 if all(np.all(network.delays[block.name] == 1) for block in network.incoming(name)) else 4


def range_of(network: Network, name: str, options: Options) -> Limit:
    """Return the largest magnitude of an integer weight into a population."""
    profile = options.profile
    return profile.weight_four_bit if bits_of(network, name, options) == 4 else profile.weight_seven_bit


def scale_of(network: Network, name: str, options: Options) -> float:
    """Return the integer steps per unit of weight into a population; parameters as in ``bits_of``.

    Returns
    -------
    float
        As the options say, otherwise full range / max abs(w) over all projections into the population; 1
        where all weights are 0.
    """
    if name in options.scales:
        return options.scales[name]
    weights = (np.abs(weights_of(block)) for block in network.incoming(name))
    largest = max((float(np.max(values, initial=0.0)) for values in weights), default=0.0)
    return range_of(network, name, options).value / largest if largest > 0.0 else 1.0


def quantize(weights: Floats, scale: float) -> Integers:
    """Return weights as integers, rounded to nearest, ties to even, without saturation.

    Parameters
    ----------
    weights : ndarray of float64
    scale : float
        Integer steps per unit of weight.
    """
    return np.rint(weights * scale).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Rounding:
    """What integer words make of the weights of a projection.

    Parameters
    ----------
    zeroed, saturated : int
        Weights other than 0 that become 0, and those beyond the range.
    rms, largest : float
        Of the deviation of weights within the range, in their unit; expected where rounding is stochastic.
    """

    zeroed: int
    saturated: int
    rms: float
    largest: float


def rounding_of(weights: Floats, scale: float, largest: float, *, stochastic: bool) -> Rounding:
    """Return what is lost of weights when they are rounded to integer words.

    Parameters
    ----------
    weights : ndarray of float64
    scale : float
        Integer steps per unit of weight.
    largest : float
        Magnitude of the largest word.
    stochastic : bool
        Whether a weight becomes the word above it with the probability of its distance to the one below it;
        what becomes 0 is then left to the draw, and not counted.
    """
    words = weights * scale
    over = np.abs(quantize(weights, scale)) > largest
    above = (words - np.floor(words))[~over]
    below = 1.0 - above
    squared = above * below if stochastic else np.minimum(above, below) ** 2
    worst = np.where(above > 0.0, np.maximum(above, below), 0.0) if stochastic else np.minimum(above, below)
    zeroed = 0 if stochastic else int(np.sum((quantize(weights, scale) == 0) & (weights != 0.0)))
    rms = float(np.sqrt(squared.mean())) if len(squared) else 0.0
    return Rounding(zeroed, int(np.sum(over)), rms / scale, float(worst.max(initial=0.0)) / scale)
