"""The emulated SpiNNaker2 passes the suite."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from netdesc_spinnaker2 import SpiNNaker2Backend

from netdesc.backend import Lesson, Objective
from netdesc.description.model import Loss
from netdesc.events import Floats, Integers
from netdesc.losses.evaluation import compute_term
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.testing.conformance import Conformance, Tolerance
from netdesc.trace import Cotangent, Trace

UNSUPPORTED = {
    "two_currents": "a neuron has memory for one synaptic current",
    "trained_delays": "no program computes gradients of delays"}

LOSS = {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}
RATE = 0.02


class FirstSpikeRule:
    """Cross entropy of first spikes, and plain gradient descent."""

    def lesson(self, population: str) -> Lesson:
        objective = Objective("time_to_first_spike", population, 1.0, LOSS)
        return Lesson((objective,), "sgd", {"learning_rate": RATE, "momentum": 0.0})

    def cotangent(self, trace: Trace, targets: Integers) -> Cotangent:
        name, events = list(trace.spikes.items())[-1]
        size = 1 + int(max(targets.max(), events.sources.max(initial=0)))
        first = FirstSpikes.find(events, size)
        loss = Loss("first", "time_to_first_spike", name, 1.0, LOSS)
        slopes = compute_term(loss, first.times, targets, duration=np.inf).slopes
        return Cotangent({name: first.scatter(slopes / trace.batch, len(events))})

    def update(self, parameters: Mapping[str, Floats], gradient: Mapping[str, Floats]) -> Mapping[str, Floats]:
        return {key: value - RATE * gradient[key] for key, value in parameters.items()}


class TestSpiNNaker2OffGrid(Conformance):
    backend = SpiNNaker2Backend
    options: ClassVar = {"scheme": "off_grid", "tick": 0.5}
    unsupported: ClassVar = UNSUPPORTED
    learning = FirstSpikeRule
    tolerance = Tolerance(spike_time=1e-3, current=1e-3, weight=1e-7, delay=1e-12, gradient_cosine=0.9999,
                          gradient_norm=0.01, linear=1e-5, learning=1e-6)
