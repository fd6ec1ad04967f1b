"""The fixed pattern of a chip: how far each of its circuits is from what it was designed to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.events import Floats, frozen
from netdesc.streams import stream

CIRCUITS = 512
INPUTS = ("excitatory", "inhibitory")


@dataclass(frozen=True, slots=True)
class Spreads:
    """Standard deviations over the circuits of a chip.

    Parameters
    ----------
    tau_mem, tau_syn, gain : float
        Relative to the parameter; time constants and strength of a synaptic input.
    threshold, leak, reset, cadc : float
        In LSB of the CADC; the last one is the offset of a channel.
    """

    tau_mem: float = 0.0
    tau_syn: float = 0.0
    gain: float = 0.0
    threshold: float = 0.0
    leak: float = 0.0
    reset: float = 0.0
    cadc: float = 0.0


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
        for name in ("tau_mem", "tau_syn", "gain", "threshold", "leak", "reset", "cadc"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))


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


def draw_pattern(chip: int, spreads: Spreads) -> Pattern:
    """Draw the pattern of a chip.

    Parameters
    ----------
    chip : int
        Identity of the chip.
    spreads : Spreads

    Returns
    -------
    Pattern
        Without any deviation where all spreads are 0.
    """

    def inputs(quantity: str, spread: float) -> Floats:
        return np.stack([factors(draw(chip, f"{quantity}.{side}"), spread) for side in INPUTS], axis=1)

    return Pattern(
        tau_mem=factors(draw(chip, "tau_mem"), spreads.tau_mem),
        tau_syn=inputs("tau_syn", spreads.tau_syn),
        gain=inputs("gain", spreads.gain),
        threshold=spreads.threshold * draw(chip, "threshold"),
        leak=spreads.leak * draw(chip, "leak"),
        reset=spreads.reset * draw(chip, "reset"),
        cadc=spreads.cadc * draw(chip, "cadc"),
    )
