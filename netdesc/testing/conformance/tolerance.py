"""How exact a backend claims to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a backend answers for. The defaults are those of an exact solver in float64.

    Parameters
    ----------
    spike_time : float
        Largest deviation of a spike, in ms.
    missing : float
        Fraction of spikes that may be missing or too many, or deviate further.
    repeat : float
        Largest deviation between runs that should be the same, in ms.
    batch : float
        Largest deviation of a sample in batches of other sizes, in ms.
    current : float
        Largest deviation of the current at a spike, relative to the largest.
    voltage : float
        Largest deviation of a reading of voltages, relative to the largest.
    reading_time : float
        Largest distance from a maximum to the time at which it is read, in ms.
    weight : float
        Largest difference between weights that are written and those that run, relative to the largest.
    delay : float
        The same for delays, in ms.
    gradient_cosine : float
        Least cosine between gradient and exact gradient, per array of parameters.
    gradient_norm : float
        Largest relative deviation of the norms of the two.
    reading_cosine, reading_norm : float
        The same for gradients by readings of voltages.
    linear : float
        Largest deviation from linearity of the adjoint, relative to the largest entry.
    learning : float
        Largest difference between weights learned on device and host, relative to the largest weight.
    """

    spike_time: float = 1e-9
    missing: float = 0.0
    repeat: float = 0.0
    batch: float = 0.0
    current: float = 1e-7
    voltage: float = 1e-9
    reading_time: float = 1e-6
    weight: float = 0.0
    delay: float = 0.0
    gradient_cosine: float = 1.0 - 1e-9
    gradient_norm: float = 1e-5
    reading_cosine: float = 1.0 - 1e-9
    reading_norm: float = 1e-5
    linear: float = 1e-9
    learning: float = 1e-9
