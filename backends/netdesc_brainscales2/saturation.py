"""Saturation of a synaptic input.

Up to a knee a spike adds its weight to the current. Beyond, what it adds shrinks: the current tends to a
ceiling, with a continuous slope. Between spikes the current decays as everywhere else.
"""

from __future__ import annotations

import math

from netdesc.physics.jit import equation


@equation
def compress(x: float, knee: float, room: float) -> float:
    """Return the current for an uncompressed one.

    Parameters
    ----------
    x : float
        Magnitude of the current without saturation.
    knee : float
        Magnitude from which it is compressed.
    room : float
        Distance from the knee to the ceiling.

    Returns
    -------
    float
        Below ``knee + room``.
    """
    return x if x <= knee else knee + room * (1.0 - math.exp(-(x - knee) / room))


@equation
def expand(y: float, knee: float, room: float) -> float:
    """Return the uncompressed current: the inverse of ``compress``."""
    if y <= knee:
        return y
    # the last representable value below the ceiling stands for the ceiling
    return knee - room * math.log(max(1.0 - (y - knee) / room, 1e-16))


@equation
def add_charge(y: float, w: float, knee: float, room: float) -> float:
    """Return the magnitude of the current after a spike.

    Parameters
    ----------
    y : float
        Magnitude before.
    w : float
        Magnitude of the weight.
    knee, room : float
        See ``compress``.

    Returns
    -------
    float
    """
    return compress(expand(y, knee, room) + w, knee, room)
