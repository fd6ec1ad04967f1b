"""Machines whose results are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netdesc.backend import (
    Backend,
    LearningRule,
    LearningState,
    LossFusion,
    LossGradient,
    Machine,
    Objective,
    OnDeviceLearning,
    StepReport,
)
from netdesc.border.calls import blame, guarded, wrong
from netdesc.border.findings import checked, describe
from netdesc.border.gradients import check_gradient, check_report, check_state, shape_trainable
from netdesc.border.traces import Checked, check_trace
from netdesc.errors import BackendError
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.trace import Cotangent, Trace


class CheckedMachine:
    """A machine of a backend; every result is complete, finite and in range, or an error.

    Parameters
    ----------
    inner : Machine
        As the backend made it.
    program : Program
        That it was made for.
    backend : str
        Name of the backend, for messages.
    """

    __slots__ = ("backend", "inner", "known", "program", "shapes")

    def __init__(self, inner: Machine, program: Program, backend: str) -> None:
        self.inner = inner
        self.program = program
        self.backend = backend
        self.shapes = shape_trainable(program)
        self.known = Checked(program.declared())

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``netdesc.backend.Machine.write``."""
        with guarded(self.backend, "write"):
            self.inner.write(parameters)

    def fuse(self, objectives: Sequence[Objective]) -> LossGradient | None:
        """Return forward, loss and adjoint in one; see ``netdesc.backend.LossFusion``."""
        if not isinstance(self.inner, LossFusion):
            return None
        with guarded(self.backend, "fuse"):
            return self.inner.fuse(objectives)

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine.forward``."""
        with checked(self.backend, "forward") as findings:
            trace = self.inner.forward(stimulus, seed=seed)
            check_trace(findings, trace, self.program, stimulus.batch, known=self.known)
        return trace

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry a derivative back; see ``netdesc.backend.Machine.adjoint``."""
        with checked(self.backend, "adjoint") as findings:
            gradient = self.inner.adjoint(trace, cotangent)
            check_gradient(findings, gradient, trace, self.program, self.shapes)
        return gradient


class CheckedLearner(CheckedMachine):
    """A machine that learns by itself, with the same checks.

    Parameters
    ----------
    inner : Machine
        That follows ``OnDeviceLearning``, too.
    program : Program
    backend : str
    """

    __slots__ = ("learner", "rule")

    def __init__(self, inner: Machine, program: Program, backend: str) -> None:
        super().__init__(inner, program, backend)
        if not isinstance(inner, OnDeviceLearning):
            raise BackendError(blame(backend, "the machine does not follow OnDeviceLearning"))
        self.learner: OnDeviceLearning = inner
        self.rule: LearningRule | None = None

    def prepare(self, rule: LearningRule) -> None:
        """Configure loss and optimizer; see ``netdesc.backend.OnDeviceLearning.prepare``."""
        with guarded(self.backend, "prepare"):
            self.learner.prepare(rule)
        self.rule = rule

    def learn(
        self, stimulus: Events, targets: Integers | None, *, seed: int, factor: float = 1.0
    ) -> StepReport:
        """Take one step; see ``netdesc.backend.OnDeviceLearning.learn``."""
        with checked(self.backend, "learn") as findings:
            report = self.learner.learn(stimulus, targets, seed=seed, factor=factor)
            check_report(findings, report, self.program, self.rule, batch=stimulus.batch, targets=targets)
        return report

    def state(self) -> LearningState:
        """Read back what was learned; see ``netdesc.backend.OnDeviceLearning.state``."""
        with checked(self.backend, "state") as findings:
            state = self.learner.state()
            check_state(findings, state, self.program, self.rule)
        return state

    def restore(self, state: LearningState) -> None:
        """Put back what was learned; see ``netdesc.backend.OnDeviceLearning.restore``."""
        with guarded(self.backend, "restore"):
            self.learner.restore(state)


def load(backend: Backend, program: Program, *, seed: int) -> CheckedMachine:
    """Lay a program out on a device.

    Parameters
    ----------
    backend : Backend
    program : Program
    seed : int
        As for ``Backend.load``.

    Returns
    -------
    CheckedMachine
        A ``CheckedLearner`` where the machine learns by itself.

    Raises
    ------
    BackendError
        If the device cannot run the program, or what it returns is no machine for it.
    """
    name = backend.name
    with guarded(name, "load"):
        machine = backend.load(program, seed=seed)
        if not isinstance(machine, Machine):
            expected = "a machine with program, write, forward and adjoint"
            raise wrong(name, "load", expected, describe(machine))
        check_program(machine, program, name)
        learns = isinstance(machine, OnDeviceLearning)
    return CheckedLearner(machine, program, name) if learns else CheckedMachine(machine, program, name)


def check_program(machine: Machine, program: Program, name: str) -> None:
    """Refuse a machine whose program is not the one that it was made for.

    Raises
    ------
    BackendError
    """
    mine, fault = machine.program, ""
    if not isinstance(mine, Program):
        fault = f"expected Program, got {describe(mine)}"
    elif [(item.name, item.size) for item in mine.populations] != [
        (item.name, item.size) for item in program.populations
    ]:
        fault = "expected the populations that it was given, got others"
    elif set(mine.trainable()) != set(program.trainable()):
        fault = "expected the trainable parameters that it was given, got others"
    if fault:
        raise BackendError(blame(name, f"load returned program: {fault}"))
