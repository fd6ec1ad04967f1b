"""Whether spikes are in order, in one pass over them."""

from __future__ import annotations

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers


@kernel
def is_sound(times: Floats, sources: Integers, offsets: Integers, size: int, duration: float) -> bool:
    """Return whether offsets do not decrease, and spikes are in range and ordered by time, then neuron.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms.
    sources : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
        From 0 to k.
    size : int
        Number of neurons.
    duration : float
        Of the run in ms.
    """
    for b in range(len(offsets) - 1):
        if offsets[b] > offsets[b + 1] or offsets[b + 1] > len(times):
            return False
        before, neuron = 0.0, 0
        for k in range(offsets[b], offsets[b + 1]):
            t, source = times[k], sources[k]
            # false for NaN, too
            if (
                not (before <= t <= duration)
                or source < 0
                or source >= size
                or (t == before and source < neuron)
            ):
                return False
            before, neuron = t, source
    return True
