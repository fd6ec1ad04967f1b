"""Learning on the device, where it has that."""

from __future__ import annotations

import numpy as np

from netdesc.backend import OnDeviceLearning
from netdesc.events import Floats, Integers
from netdesc.testing.conformance.spikes import spiking
from netdesc.testing.conformance.subject import Bench, HostRule, Subject, demand

STEPS = 3
"""Steps compared: an optimizer's memory shows from the second on."""


class LearningChecks(Subject):
    """A device that learns by itself learns what the host would."""

    def test_a_device_that_learns_has_a_rule_of_the_host(self, case: str) -> None:
        """A machine has ``learn`` if and only if the suite is given the rule to compare it with."""
        learns = isinstance(self.bench(case).machine, OnDeviceLearning)
        demand(learns or self.learning is None, "learning is given, but the machine has no learn")
        demand(not learns or self.learning is not None, "the machine has learn; give learning, its HostRule")

    def test_learning_on_the_device_agrees_with_the_host(self, taught: str) -> None:
        """After some steps the weights are those of forward, loss, adjoint and optimizer of the host."""
        mine, hosts = self.bench(taught), self.bench(taught)
        if self.learning is None or not isinstance(mine.machine, OnDeviceLearning):
            raise AssertionError("learning is given, but the machine has no learn")
        name, size = spiking(mine.program)[-1]
        targets = np.arange(mine.stimulus.batch, dtype=np.int64) % size
        rule = self.learning()
        found, wanted = mine.program.trainable(), teach(hosts, rule, targets)
        mine.machine.prepare(rule.learning_rule(name))
        for _ in range(STEPS):
            mine.machine.learn(mine.stimulus, targets, seed=0)
        as_run = mine.forward().effective_parameters
        for key, start in found.items():
            demand(bool(np.any(wanted[key] != start)), f"{name}: the rule of the host does not change {key}")
            off = float(np.abs(as_run[key] - wanted[key]).max())
            allowed = self.tolerance.learning * float(np.abs(wanted[key]).max())
            demand(off <= allowed, f"{key} learned on the device is {off:g} away from the host's")


def teach(bench: Bench, rule: HostRule, targets: Integers) -> dict[str, Floats]:
    """Take steps on the host by a rule and return the parameters."""
    parameters = bench.program.trainable()
    for _ in range(STEPS):
        trace = bench.forward()
        gradient = bench.machine.adjoint(trace, rule.cotangent(trace, targets))
        parameters = dict(rule.update(parameters, gradient.parameters))
        bench.machine.write(parameters)
    return parameters
