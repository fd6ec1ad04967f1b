"""The shape of the contract, and what a backend must refuse."""

from __future__ import annotations

import math

import pytest

from netdesc.backend import Machine
from netdesc.errors import BackendError, NetdescError
from netdesc.graph.pipeline import PASSES, compile_graph
from netdesc.graph.text import render
from netdesc.limits import Limits
from netdesc.testing.conformance.cases import CASES, READING_CASES, Case
from netdesc.testing.conformance.probes import PROBES
from netdesc.testing.conformance.subject import Subject, demand


class ContractChecks(Subject):
    """A backend and its machines have what the contract names."""

    def test_a_backend_has_a_name(self) -> None:
        """The name consists of letters, digits and _: files and commands use it as a key."""
        name = self.device().name
        demand(
            isinstance(name, str) and name.isidentifier(),
            f"{name!r} is not a name; use letters, digits and _",
        )

    def test_limits_are_filled_in(self) -> None:
        """``limits`` states how time advances, and at least one model; all its sets hold names."""
        limits = self.device().limits
        demand(isinstance(limits, Limits), f"limits is {type(limits).__name__}, not netdesc.limits.Limits")
        demand(bool(limits.time.strip()), "limits.time must describe how time advances")
        demand(bool(limits.models), "limits.models must name what the device runs")
        for field in ("models", "trainable", "losses", "recordings"):
            value = getattr(limits, field)
            demand(isinstance(value, frozenset), f"limits.{field} must be a frozenset")
            demand(all(isinstance(name, str) and name for name in value), f"limits.{field} must hold names")

    def test_every_number_of_the_limits_has_a_source(self) -> None:
        """A number is finite or infinite but never NaN, and has a source and a tag V, R, D or A."""
        for name, limit in self.device().limits.numbers.items():
            demand(not math.isnan(limit.value), f"limits.numbers[{name!r}] is not a number")
            demand(bool(limit.source.strip()), f"limits.numbers[{name!r}] must name its source")
            demand(limit.tag in ("V", "R", "D", "A"), f"limits.numbers[{name!r}] has the tag {limit.tag!r}")

    def test_an_unknown_option_is_refused(self) -> None:
        """A misspelt option raises BackendError, with a code, and is not left out silently."""
        with pytest.raises(BackendError) as caught:
            self.backend({**self.options, "no_such_option": 1})
        demand(all(item.code for item in caught.value.diagnostics), f"no code: {caught.value}")

    def test_passes_are_named(self) -> None:
        """Every pass has a name of its own, so that ``netdesc show --after NAME`` can stop there."""
        names = [*(item.name for item in PASSES), *(item.name for item in self.device().passes()), "build"]
        demand(all(names), "a pass has no name")
        demand(len(set(names)) == len(names), f"two passes share a name: {sorted(names)}")

    def test_passes_are_pure(self, case: str) -> None:
        """A pass does not change its graph and returns the same result every time."""
        device = self.device()
        graph = compile_graph(CASES[case].describe(device.limits))
        for step in device.passes():
            before = render(graph)
            once, twice = step(graph), step(graph)
            demand(render(graph) == before, f"the pass {step.name} changed the graph that it was given")
            demand(render(once) == render(twice), f"the pass {step.name} makes different graphs of one graph")
            graph = once

    def test_a_machine_follows_the_contract(self, case: str) -> None:
        """A machine has ``program``, ``write``, ``forward`` and ``adjoint``, and the program it was given."""
        bench = self.bench(case)
        demand(isinstance(bench.machine, Machine), "the machine lacks a part of netdesc.backend.Machine")
        mine, given = bench.machine.program, bench.program
        demand(mine.populations == given.populations, "machine.program has other populations")
        demand(set(mine.trainable()) == set(given.trainable()), "machine.program trains other parameters")


class RefusalChecks(Subject):
    """What is not supported ends with a diagnostic that has a code, and is never left out silently."""

    def test_what_is_not_supported_is_known_and_has_a_reason(self) -> None:
        """``unsupported`` names networks of the suite, each with a reason."""
        unknown = sorted(set(self.unsupported) - {*CASES, *READING_CASES})
        demand(not unknown, f"{', '.join(unknown)} is not a network of the suite; it has {', '.join(CASES)}")
        for name, reason in self.unsupported.items():
            demand(bool(reason.strip()), f"{name} is not supported, but no reason is given")

    def test_what_is_not_supported_is_refused(self, refused: str) -> None:
        """Each network of ``unsupported`` is refused by a pass or by ``load``."""
        error = self.refusal(CASES.get(refused) or READING_CASES[refused])
        demand(error is not None, f"{refused} is listed as unsupported, but the device accepted it")
        demand_codes(error)

    def test_limits_are_kept(self, probe: str) -> None:
        """A model, loss, recording or trained parameter is taken if ``limits`` has it, refused if not."""
        item = PROBES[probe]
        error = self.refusal(Case(probe, item.text))
        if item.key in getattr(self.device().limits, item.field):
            demand(error is None, f"limits.{item.field} has {item.key}, but it is refused: {error}")
        else:
            demand(error is not None, f"limits.{item.field} lacks {item.key}, but the device accepted it")
            demand_codes(error)

    def refusal(self, case: Case) -> NetdescError | None:
        """Return the error that a network ends with, None where the device takes it."""
        device = self.device()
        try:
            device.load(self.compile(case, device), seed=0)
        except NetdescError as error:
            return error
        return None


def demand_codes(error: NetdescError | None) -> None:
    """Fail unless every diagnostic of a refusal has a code, a path and a text."""
    for item in error.diagnostics if error else ():
        demand(bool(item.code), f"a refusal needs a code, for example XY-MODEL: {item}")
        demand(bool(item.path), f"a refusal needs the path of what is refused: {item}")
        demand(bool(item.message), f"a refusal needs a text: {item}")
