"""The fixed pattern of a chip, and the digital-to-analog converters that set parameters in spite of it.

The pattern is how far each of its circuits is from what it was designed to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from netdesc.events import Floats, Integers, frozen
from netdesc.streams import stream

CIRCUITS = 512
INPUTS = ("excitatory", "inhibitory")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Deviations of the 512 circuits of a chip.

    Parameters
    ----------
    tau_mem : ndarray of float64, shape (512,)
        Factors of the membrane time constants.
    tau_syn, gain : ndarray of float64, shape (512, 2)
        Factors of time constants and strengths of the excitatory and the inhibitory input.
    threshold, leak, reset, cadc : ndarray of float64, shape (512,)
        Offsets in LSB of the CADC.
    """

    tau_mem: Floats
    tau_syn: Floats
    gain: Floats
    threshold: Floats
    leak: Floats
    reset: Floats
    cadc: Floats

    def __post_init__(self) -> None:
        for item in fields(self):
            object.__setattr__(self, item.name, frozen(getattr(self, item.name), np.float64))


def draw(chip: int, quantity: str) -> Floats:
    """Return one standard normal number per circuit, the same for a chip wherever it is drawn.

    Parameters
    ----------
    chip : int
        Identity of the chip.
    quantity : str

    Returns
    -------
    ndarray of float64, shape (512,)
        Number k belongs to circuit k and depends on nothing but chip, quantity and k.
    """
    return stream(chip, f"brainscales2.pattern.{quantity}").standard_normal(CIRCUITS)


def factors(normal: Floats, spread: float) -> Floats:
    """Turn normal numbers into positive factors of mean 1 and that standard deviation (log-normal).

    Parameters
    ----------
    normal : ndarray of float64
    spread : float
        Not negative.

    Returns
    -------
    ndarray of float64
    """
    variance = np.log1p(spread * spread)
    result: Floats = np.exp(np.sqrt(variance) * normal - 0.5 * variance)
    return result


def draw_pattern(chip: int, spreads: Mapping[str, float]) -> Pattern:
    """Draw the pattern of a chip.

    Parameters
    ----------
    chip : int
        Identity of the chip.
    spreads : mapping of str to float
        Standard deviations over the circuits, 0 where none is given: ``tau_mem``, ``tau_syn`` and ``gain``
        (strength of a synaptic input) relative to the parameter; ``threshold``, ``leak``, ``reset`` and
        ``cadc`` (offset of a channel) in LSB of the CADC.

    Returns
    -------
    Pattern
        Without any deviation where all spreads are 0.
    """

    def factor(quantity: str, name: str) -> Floats:
        return factors(draw(chip, quantity), spreads.get(name, 0.0))

    inputs = {
        name: np.stack([factor(f"{name}.{side}", name) for side in INPUTS], axis=1)
        for name in ("tau_syn", "gain")
    }
    offsets = {
        name: spreads.get(name, 0.0) * draw(chip, name) for name in ("threshold", "leak", "reset", "cadc")
    }
    return Pattern(tau_mem=factor("tau_mem", "tau_mem"), **inputs, **offsets)


@dataclass(frozen=True, slots=True)
class Dac:
    """A converter per circuit, each monotone and different from its neighbours.

    Parameters
    ----------
    bits : int
        Codes are 0 to ``2**bits - 1``.
    low, high : float
        What codes at both ends set on a nominal circuit.
    relative : bool
        Whether codes are spread evenly over the logarithm, and circuits differ by factors; otherwise they
        are spread evenly, and circuits differ by offsets.
    deviation : ndarray of float64, shape (n,)
        Factor or offset of each circuit.
    """

    bits: int
    low: float
    high: float
    relative: bool
    deviation: Floats

    @property
    def top(self) -> int:
        """The largest code."""
        return int(2**self.bits - 1)

    def convert(self, codes: Integers) -> Floats:
        """Return the parameters that codes set, one per circuit."""
        share = codes / self.top
        values: Floats
        if self.relative:
            values = self.low * (self.high / self.low) ** share * self.deviation
        else:
            values = self.low + (self.high - self.low) * share + self.deviation
        return values
