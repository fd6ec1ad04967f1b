"""Saturation of a synaptic input.

Up to a knee a spike adds its weight to the current. Beyond, what it adds shrinks: where the sum would be
``x``, the current is ``knee + room (1 - exp(-(x - knee) / room))``, which tends to a ceiling, with a
continuous slope. Between spikes the current decays as everywhere else.
"""

from __future__ import annotations

from netdesc.dynamics.elementary import exponential
from netdesc.dynamics.jit import inlined


@inlined
def add_charge(y: float, w: float, knee: float, room: float) -> float:
    """Return the magnitude of the current after a spike.

    Parameters
    ----------
    y : float
        Magnitude before.
    w : float
        Magnitude of the weight.
    knee : float
        Magnitude from which the current is compressed; infinity for never.
    room : float
        Distance from the knee to the ceiling.
    """
    # the exponential for the present current is known from its distance to the ceiling; the last number below
    # the ceiling stands for the ceiling itself
    share = max(1.0 - max(y - knee, 0.0) / room, 1e-16)
    beyond = w - max(knee - y, 0.0)
    return y + w if y + w <= knee else knee + room * (1.0 - share * exponential(-beyond / room))
