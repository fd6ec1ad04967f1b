"""Random losses, to differentiate anything with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netdesc.backend import Machine
from netdesc.streams import stream
from netdesc.testing.conformance.spikes import ordinals
from netdesc.trace import Cotangent, Trace


@dataclass(frozen=True, slots=True)
class SmoothLoss:
    """A loss and its cotangent.

    Parameters
    ----------
    loss : float
    cotangent : Cotangent
    """

    loss: float
    cotangent: Cotangent


def random_loss(machine: Machine, seed: int) -> Callable[[Trace], SmoothLoss]:
    """Return a random smooth function of all spike times and readings.

    Every spike contributes ``c sin(t / 10 ms + phase)``, where c and the phase belong to the sample, the
    neuron and the spike's number, so that spikes of different neurons may overtake each other. Every reading
    contributes such a function of its voltage.

    Returns
    -------
    callable
        From a trace to a ``SmoothLoss``.
    """
    shift = stream(seed, "random_loss").uniform(0.0, 2 * np.pi, 2)

    def score(trace: Trace) -> SmoothLoss:
        loss, slopes = 0.0, {}
        for item in machine.program.populations:
            if item.kind != "spiking":
                continue
            spikes = trace.spikes[item.name]
            mark = (
                12.9898 * (item.start + spikes.sources)
                + 78.233 * ordinals(spikes)
                + 37.719 * spikes.samples()
            )
            size, phase = np.sin(mark + shift[0]), spikes.times / 10.0 + 1.7 * mark + shift[1]
            loss += float(np.sum(size * np.sin(phase)))
            slopes[item.name] = size * np.cos(phase) / 10.0
        pulls = {}
        for number, (key, read) in enumerate(sorted(trace.readings.items())):
            samples, neurons = np.indices(read.values.shape)
            mark = 12.9898 * neurons + 78.233 * number + 37.719 * samples
            size, phase = np.sin(mark + shift[1]), read.values / 10.0 + 1.7 * mark + shift[0]
            loss += float(np.sum(size * np.sin(phase)))
            pulls[key] = size * np.cos(phase) / 10.0
        return SmoothLoss(loss, Cotangent(slopes, pulls))

    return score
