"""Arrivals at the synaptic inputs of circuits, which saturate.

Up to a knee a spike adds its weight to the current. Beyond, what it adds shrinks: where the sum would be
``x``, the current is ``knee + room (1 - exp(-(x - knee) / room))``, which tends to a ceiling, with a
continuous slope. Between spikes the current decays as everywhere else.
"""

from __future__ import annotations

from typing import Any

from netdesc.dynamics.elementary import exponential
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.views import row as row_of
from netdesc.dynamics.views import stretch
from netdesc.events import Floats


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


@inlined
def receive(row: int, base: int, weights: Floats, state: Floats, cells: Any) -> int:
    """Add a spike's weights to the currents of the circuits ``base`` and following.

    Parameters
    ----------
    row : int
        Row of the weights.
    base : int
        First lane.
    weights : ndarray of float64, shape (rows, size)
        Signed; positive weights go to the excitatory input, negative ones to the inhibitory input.
    state : ndarray of float64, shape (n, width)
        Changed in place.
    cells : Circuits
        A knee of infinity is no saturation.

    Returns
    -------
    int
        Arrivals that an input saturated.
    """
    size = weights.shape[1]
    w = row_of(weights, row)
    i, j = stretch(row_of(state.T, 1), base, size), stretch(row_of(state.T, 2), base, size)
    knee, room = stretch(cells.knee, base, size), stretch(cells.room, base, size)
    saturated = 0
    for k in range(size):
        held = i[k] if w[k] > 0.0 else -j[k]
        saturated += 1 if (held + abs(w[k]) > knee[k]) & (w[k] != 0.0) else 0
    if saturated == 0:
        for k in range(size):
            i[k] += max(w[k], 0.0)
            j[k] += min(w[k], 0.0)
        return 0
    for k in range(size):
        total = add_charge(i[k] if w[k] > 0.0 else -j[k], abs(w[k]), knee[k], room[k])
        i[k] = total if w[k] > 0.0 else i[k]
        j[k] = -total if w[k] < 0.0 else j[k]
    return saturated
