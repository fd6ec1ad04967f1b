"""The machine of ``linear_machine`` with a loss and an optimizer of its own, in float32."""

from pathlib import Path

import numpy as np
from linear_machine import LinearMachine, describe_linear

from netdesc.backend import LearningState, StepReport
from netdesc.errors import BackendError, Diagnostic
from netdesc.graph import compile_graph
from netdesc.losses.evaluation import evaluate
from netdesc.lower import lower
from netdesc.training.device import put_on_device
from netdesc.training.directory import open_directory
from netdesc.training.origin import Origin
from netdesc.training.preparation import build_task
from netdesc.training.session import fit

KEY = "only.weight"


class LearningMachine(LinearMachine):
    """Adam in float32 on the device; ``learned`` and ``measured`` count what was asked for."""

    def __init__(self, program, losses):
        super().__init__(program)
        self.losses, self.rule, self.factors = losses, None, []
        self.learned = self.measured = 0

    def forward(self, stimulus, *, seed):
        self.measured += 1
        return super().forward(stimulus, seed=seed)

    def prepare(self, rule):
        if rule.optimizer != "adam":
            raise BackendError(Diagnostic("only adam", "training.optimizer", "FAKE"))
        self.rule, self.steps = rule, 0
        self.first, self.second = (np.zeros((5, 3), dtype=np.float32) for _ in range(2))

    def learn(self, stimulus, targets, *, seed, factor=1.0):
        self.learned += 1
        self.factors.append(factor)
        trace = LinearMachine.forward(self, stimulus, seed=seed)
        seen = evaluate(self.losses, trace, self.program, targets)
        slope = LinearMachine.adjoint(self, trace, seen.cotangent).parameters[KEY].reshape(5, 3)
        self.descend(slope.astype(np.float32), factor)
        answers = trace.spikes["output"]
        return StepReport(
            seen.loss,
            seen.correct,
            seen.predictions,
            seen.ties,
            seen.silent_labels,
            3 - len(set(answers.sources.tolist())),
            {name: len(part) for name, part in trace.spikes.items()},
            {"grazing": 1},
            {"energy_mJ": 2.0, "peak_cycles": float(len(stimulus))},
        )

    def descend(self, slope, factor):
        self.steps += 1
        one, two = (np.float32(self.rule.options[name]) for name in ("beta_1", "beta_2"))
        self.first = one * self.first + (1 - one) * slope
        self.second = two * self.second + (1 - two) * slope * slope
        size = np.sqrt(self.second / (1 - two**self.steps)) + np.float32(self.rule.options["epsilon"])
        rate = np.float32(factor * self.rule.options["learning_rate"])
        moved = self.weights.astype(np.float32) - rate * self.first / ((1 - one**self.steps) * size)
        self.weights = np.clip(moved, -8, 8).astype(np.float64)

    def state(self):
        parts = {"first": self.first, "second": self.second}
        return LearningState(
            self.steps,
            {KEY: self.weights.ravel().copy()},
            {name: {KEY: part.ravel().astype(np.float64)} for name, part in parts.items()},
        )

    def restore(self, state):
        def rounded(values):
            return np.asarray(values, dtype=np.float32).reshape(5, 3)

        self.steps = state.steps
        self.weights = rounded(state.parameters[KEY]).astype(np.float64)
        self.first, self.second = (rounded(state.moments[name][KEY]) for name in ("first", "second"))


def prepare_device(*overrides, machine_of=LearningMachine):
    description = describe_linear("training.on_device=true", *overrides)
    machine = machine_of(lower(compile_graph(description)), description.losses)
    return put_on_device(build_task(machine, description, description.training), backend="fake"), description


def learn(output, *overrides, resume=False, machine_of=LearningMachine):
    task, description = prepare_device(*overrides, machine_of=machine_of)
    origin = Origin.of(description, task.program, task.dataset)
    with open_directory(Path(output), description, origin, backend="fake", resume=resume) as run:
        return fit(task, run), task.machine
