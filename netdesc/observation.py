"""What is observed of a network during a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.events import Integers


@dataclass(frozen=True, slots=True)
class Sampling:
    """A quantity to sample during a run.

    Parameters
    ----------
    population : str
    variable : str
        ``v``, ``i`` (sum of the synaptic currents), ``lam_v`` or ``lam_i``.
    neurons : ndarray of int64
        Indices within the population.
    every : float
        Sampling interval in ms; samples are taken at 0, every, 2 every, ... up to the duration.
    needed : bool
        Whether a loss reads the samples, so that training takes them too.
    """

    population: str
    variable: str
    neurons: Integers
    every: float
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a loss reads from the membranes of a population.

    Parameters
    ----------
    population : str
        A read-out; for ``final`` a population that spikes.
    kind : str
        ``maximum`` (largest v of a sample, over continuous time where the backend has it), ``mean``
        (``1/T`` times the integral of ``exp(-t/tau) v`` over the sample of length T), or ``final`` (v at T of
        neurons that do not spike in the sample, NaN for the others).
    tau : float
        Of the weights of a mean, in ms; infinity where every time counts the same.
    """

    population: str
    kind: str
    tau: float = np.inf

    @property
    def key(self) -> str:
        """Key in ``Trace.readings`` and ``Cotangent.readings``."""
        return f"{self.population}.{self.kind}" + ("" if np.isinf(self.tau) else f".{self.tau:.17g}")
