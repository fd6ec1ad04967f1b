"""The emulated SpiNNaker2 passes the suite."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from netdesc_spinnaker2 import SpiNNaker2Backend

from netdesc.backend import LearningRule, Objective
from netdesc.description.model import Loss
from netdesc.events import Floats, Integers
from netdesc.losses.contribution import compute_term
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.testing.conformance import Conformance, Tolerance
from netdesc.trace import Cotangent, Trace

UNSUPPORTED = {
    "two_currents": "a neuron has memory for one synaptic current",
    "trained_delays": "no program computes gradients of delays",
}

LOSS = {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}
ADAM = {"learning_rate": 0.02, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-3, "weight_decay": 0.1}


class FirstSpikeRule:
    """Cross entropy of first spikes, and Adam with weight decay, so that every weight changes."""

    def __init__(self) -> None:
        self.steps, self.first, self.second = 0, dict[str, Floats](), dict[str, Floats]()

    def learning_rule(self, population: str) -> LearningRule:
        objective = Objective("time_to_first_spike", population, 1.0, LOSS)
        return LearningRule((objective,), "adamw", ADAM)

    def cotangent(self, trace: Trace, targets: Integers) -> Cotangent:
        name, events = list(trace.spikes.items())[-1]
        size = 1 + int(max(targets.max(), events.sources.max(initial=0)))
        first = FirstSpikes.find(events, size)
        loss = Loss("first", "time_to_first_spike", name, 1.0, LOSS)
        slopes = compute_term(loss, first.times, targets, duration=np.inf).slopes
        return Cotangent({name: first.scatter(slopes / trace.batch, len(events))})

    def update(
        self, parameters: Mapping[str, Floats], gradient: Mapping[str, Floats]
    ) -> Mapping[str, Floats]:
        self.steps += 1
        rate, decay = ADAM["learning_rate"], ADAM["weight_decay"]
        return {
            key: value - rate * (self.direction(key, gradient[key]) + decay * value)
            for key, value in parameters.items()
        }

    def direction(self, key: str, slope: Floats) -> Floats:
        one, two = ADAM["beta_1"], ADAM["beta_2"]
        self.first[key] = one * self.first.get(key, 0.0 * slope) + (1.0 - one) * slope
        self.second[key] = two * self.second.get(key, 0.0 * slope) + (1.0 - two) * slope**2
        size = np.sqrt(self.second[key] / (1.0 - two**self.steps)) + ADAM["epsilon"]
        return self.first[key] / (1.0 - one**self.steps) / size


class TestSpiNNaker2OffGrid(Conformance):
    backend = SpiNNaker2Backend
    options: ClassVar = {"scheme": "off_grid", "tick": 0.5}
    unsupported: ClassVar = UNSUPPORTED
    learning = FirstSpikeRule
    tolerance = Tolerance(
        spike_time=1e-3,
        current=1e-3,
        weight=1e-7,
        delay=1e-12,
        gradient_cosine=0.9999,
        gradient_norm=0.01,
        linear=1e-5,
        learning=1e-6,
    )
