"""Arrivals at the synaptic inputs of many circuits."""

from __future__ import annotations

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats
from netdesc_brainscales2.analog.saturation import add_charge
from netdesc_brainscales2.analog.step import EXC, INH, KNEE, ROOM

# Circuits of a row below which a loop is not worth vectorizing.
SHORT = 8


@kernel
def receive(base: int, arrived: int, weights: Floats, cells: Floats, state: Floats) -> int:
    """Add a spike's weights to the currents of the circuits ``base`` and following.

    Parameters
    ----------
    base : int
        First lane.
    arrived : int
        Row of the weights.
    weights : ndarray of float64, shape (rows, size)
        Signed; positive weights go to the excitatory input, negative ones to the inhibitory input.
    cells : ndarray of float64, shape (PARAMETERS, n)
        A knee of infinity is no saturation.
    state : ndarray of float64, shape (STATES, n)
        Changed in place.

    Returns
    -------
    int
        Arrivals that an input saturated.
    """
    size = weights.shape[1]
    if size < SHORT:
        # views would take longer than the loop
        saturated = 0
        for k in range(size):
            w = weights[arrived, k]
            side = EXC if w > 0.0 else INH
            held = abs(state[side, base + k])
            full = (w != 0.0) & (held + abs(w) > cells[KNEE, base + k])
            total = (
                add_charge(held, abs(w), cells[KNEE, base + k], cells[ROOM, base + k])
                if full
                else held + abs(w)
            )
            state[side, base + k] = total if w > 0.0 else -total
            saturated += 1 if full else 0
        return saturated
    row = weights[arrived]
    i, j = state[EXC, base : base + size], state[INH, base : base + size]
    knee, room = cells[KNEE, base : base + size], cells[ROOM, base : base + size]
    saturated = 0
    for k in range(size):
        held = i[k] if row[k] > 0.0 else -j[k]
        saturated += 1 if (held + abs(row[k]) > knee[k]) & (row[k] != 0.0) else 0
    if saturated == 0:
        for k in range(size):
            i[k] += max(row[k], 0.0)
            j[k] += min(row[k], 0.0)
        return 0
    for k in range(size):
        w = row[k]
        total = add_charge(i[k] if w > 0.0 else -j[k], abs(w), knee[k], room[k])
        i[k] = total if w > 0.0 else i[k]
        j[k] = -total if w < 0.0 else j[k]
    return saturated
