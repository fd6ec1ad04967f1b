"""Learning on the device, where it has that."""

from __future__ import annotations

import numpy as np

from netdesc.backend import LossFusion, Objective, OnDeviceLearning
from netdesc.description.model import Loss
from netdesc.events import Floats, Integers
from netdesc.losses.evaluation import evaluate
from netdesc.testing.conformance.spikes import spiking
from netdesc.testing.conformance.subject import Bench, HostRule, Subject, demand

KIND, NUMBERS = "time_to_first_spike", {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.003}
"""A loss that machines may run in one go."""

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

    def test_a_gradient_in_one_call_is_that_of_its_parts(self, case: str) -> None:
        """Where a machine runs forward, loss and adjoint in one go, every bit is that of the three."""
        bench = self.bench(case)
        machine, (name, size) = bench.machine, spiking(bench.program)[-1]
        fused = (
            machine.fuse((Objective(KIND, name, 1.0, NUMBERS),)) if isinstance(machine, LossFusion) else None
        )
        if fused is None:
            return
        targets = np.arange(bench.stimulus.batch, dtype=np.int64) % size
        values = np.concatenate([np.empty(0), *bench.program.trainable().values()])
        found = fused(values, bench.stimulus, targets)
        trace = bench.forward()
        wanted = evaluate({KIND: Loss(KIND, KIND, name, 1.0, NUMBERS)}, trace, bench.program, targets)
        gradient = machine.adjoint(trace, wanted.cotangent).parameters
        if found is None:
            raise AssertionError(f"{name}: the machine refuses a batch that it runs in parts")
        demand(found.report.loss == wanted.loss, f"the loss is {found.report.loss}, in parts {wanted.loss}")
        same = np.array_equal(found.report.predictions, wanted.predictions)
        demand(same, "the predictions are not those of the parts")
        joined = np.concatenate([gradient[key] for key in bench.program.trainable()])
        demand(np.array_equal(found.gradient, joined), "the gradient is not that of the parts, bit for bit")
        counts = {key: len(events) for key, events in trace.spikes.items()}
        demand(dict(found.report.spikes) == counts, f"{found.report.spikes} spikes, in parts {counts}")


def teach(bench: Bench, rule: HostRule, targets: Integers) -> dict[str, Floats]:
    """Take steps on the host by a rule and return the parameters."""
    parameters = bench.program.trainable()
    for _ in range(STEPS):
        trace = bench.forward()
        gradient = bench.machine.adjoint(trace, rule.cotangent(trace, targets))
        parameters = dict(rule.update(parameters, gradient.parameters))
        bench.machine.write(parameters)
    return parameters
