"""What a backend says about itself, and a network laid out on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import numpy as np
import pytest

from netdesc.backend import Backend, LearningRule, Machine
from netdesc.errors import NetdescError
from netdesc.events import Events, Floats, Integers
from netdesc.graph.pipeline import compile_graph
from netdesc.lower import lower
from netdesc.program import Program
from netdesc.testing.conformance.cases import CASES, READING_CASES, Case
from netdesc.testing.conformance.probes import PROBES
from netdesc.trace import Cotangent, Trace


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


class HostRule(Protocol):
    """Loss and optimizer of the host that do what the device does; one for one run of learning."""

    def learning_rule(self, population: str) -> LearningRule:
        """Return the rule by which a device learns the same.

        Parameters
        ----------
        population : str
            Whose first spikes the targets are about.
        """
        ...

    def cotangent(self, trace: Trace, targets: Integers) -> Cotangent:
        """Return the derivative of the loss.

        Parameters
        ----------
        trace : Trace
        targets : ndarray of int64, shape (batch,)
        """
        ...

    def update(
        self, parameters: Mapping[str, Floats], gradient: Mapping[str, Floats]
    ) -> Mapping[str, Floats]:
        """Return the parameters after a step by a gradient."""
        ...


def demand(met: bool, message: str) -> None:
    """Fail a check, with what was found and what the contract demands, unless a condition is met."""
    __tracebackhide__ = True
    if not met:
        raise AssertionError(message)


@dataclass(frozen=True, slots=True)
class Bench:
    """A network on a device, with something to drive it.

    Parameters
    ----------
    program : Program
        What the passes of the backend made of the file.
    machine : Machine
    stimulus : Events
    """

    program: Program
    machine: Machine
    stimulus: Events

    def forward(self) -> Trace:
        """Run the network on its stimulus."""
        return self.machine.forward(self.stimulus, seed=0)


class Subject:
    """What a backend says about itself to be checked.

    Attributes
    ----------
    backend : type
        Class that follows ``netdesc.backend.Backend``.
    options : mapping
        To configure it with, units resolved.
    unsupported : mapping of str to str
        Names of ``CASES`` that it refuses, each with the reason.
    tolerance : Tolerance
        How exact it claims to be.
    sampled : bool
        Whether a maximum of a voltage is the largest of samples, and its derivative that of a sample.
    learning : type or None
        The ``HostRule`` that does what a machine's ``learn`` does; None where it has no ``learn``.
    """

    backend: ClassVar[type[Backend]]
    options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType({})
    tolerance: ClassVar[Tolerance] = Tolerance()
    sampled: ClassVar[bool] = False
    learning: ClassVar[type[HostRule] | None] = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check once for every network or probe that it asks for by the name of its argument."""
        supported = [name for name in CASES if name not in self.unsupported]
        losses = self.device().limits.losses if "read" in metafunc.fixturenames else frozenset()
        choices = {
            "case": supported,
            "read": [name for name in READING_CASES if name in losses and name not in self.unsupported],
            "taught": supported if type(self).learning is not None else [],
            "refused": [name for name in self.unsupported if name in {*CASES, *READING_CASES}],
            "probe": list(PROBES),
        }
        for argument, values in choices.items():
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, values)

    def device(self) -> Backend:
        """Return the backend, configured."""
        return self.backend(self.options)

    def compile(self, case: Case, device: Backend) -> Program:
        """Compile a network for the device."""
        return lower(compile_graph(case.describe(device.limits), device.passes()))

    def bench(self, name: str) -> Bench:
        """Lay a network, by its key in ``CASES`` or ``READING_CASES``, out on the device, or fail."""
        case, device = (CASES.get(name) or READING_CASES[name]), self.device()
        try:
            program = self.compile(case, device)
            machine = device.load(program, seed=0)
        except NetdescError as error:
            message = f"{name} is refused; support it, or name it in unsupported with the reason: {error}"
            raise AssertionError(message) from error
        return Bench(program, machine, case.stimulate(program))

    def trained(self, case: str) -> Bench:
        """Lay out a network with trainable parameters; skip where the device trains none."""
        if "weight" not in self.device().limits.trainable:
            pytest.skip("limits.trainable has no weight")
        return self.bench(case)

    def demand_alike(self, key: str, found: Floats, exact: Floats, *, read: bool = False) -> None:
        """Fail unless cosine and norm of a gradient, or of one by readings, are as claimed.

        Parameters
        ----------
        key : str
            What they are gradients by.
        found, exact : ndarray of float64, shape (k,)
        read : bool
            Whether the loss reads voltages.
        """
        claim = self.tolerance
        cosine, norm = claim.gradient_cosine, claim.gradient_norm
        if read:
            cosine, norm = claim.reading_cosine, claim.reading_norm
        length, wanted = float(np.linalg.norm(found)), float(np.linalg.norm(exact))
        if wanted == 0.0:
            demand(length == 0.0, f"{key} has a gradient of norm {length:g} and should have none")
            return
        angle = float(found @ exact) / (length * wanted) if length > 0.0 else 0.0
        demand(angle >= cosine, f"{key}: cosine {angle:.9f} to the exact gradient; the tolerance is {cosine}")
        off = abs(length / wanted - 1.0)
        demand(off <= norm, f"{key}: the norm of the gradient is off by {off:g}; the tolerance is {norm}")
