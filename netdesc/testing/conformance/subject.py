"""What a backend says about itself, and a network laid out on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from netdesc.backend import Backend, Machine
from netdesc.errors import NetdescError
from netdesc.events import Events
from netdesc.graph.pipeline import compile_graph
from netdesc.lower import lower
from netdesc.program import Program
from netdesc.testing.conformance.cases import CASES, Case
from netdesc.testing.conformance.host_rule import HostRule
from netdesc.testing.conformance.probes import PROBES
from netdesc.testing.conformance.tolerance import Tolerance
from netdesc.trace import Trace


def demand(met: bool, told: str) -> None:
    """Fail a check unless a condition is met.

    Parameters
    ----------
    met : bool
    told : str
        What was found, and what the contract demands.

    Raises
    ------
    AssertionError
        With that text.
    """
    __tracebackhide__ = True
    if not met:
        raise AssertionError(told)


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
    learning : type or None
        The ``HostRule`` that does what a machine's ``learn`` does; None where it has no ``learn``.
    """

    backend: ClassVar[type[Backend]]
    options: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    unsupported: ClassVar[Mapping[str, str]] = MappingProxyType({})
    tolerance: ClassVar[Tolerance] = Tolerance()
    learning: ClassVar[type[HostRule] | None] = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check once for every network or probe that it asks for by the name of its argument."""
        supported = [name for name in CASES if name not in self.unsupported]
        choices = {"case": supported,
                   "taught": supported if type(self).learning is not None else [],
                   "refused": [name for name in self.unsupported if name in CASES],
                   "probe": list(PROBES)}
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
        """Lay a network out on the device.

        Parameters
        ----------
        name : str
            Key of ``CASES``.

        Returns
        -------
        Bench

        Raises
        ------
        AssertionError
            If the device refuses it.
        """
        case, device = CASES[name], self.device()
        try:
            program = self.compile(case, device)
            machine = device.load(program, seed=0)
        except NetdescError as error:
            told = f"{name} is refused; support it, or name it in unsupported with the reason: {error}"
            raise AssertionError(told) from error
        return Bench(program, machine, case.stimulate(program))
