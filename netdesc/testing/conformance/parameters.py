"""Parameters that are written are those that run."""

from __future__ import annotations

import numpy as np
import pytest

from netdesc.errors import NetdescError
from netdesc.events import Floats
from netdesc.testing.conformance.oracle import misfit
from netdesc.testing.conformance.spikes import first_difference
from netdesc.testing.conformance.subject import Bench, Subject, demand

FACTOR = 1.15
"""By which weights are made larger."""

LATER = 2.0
"""By which delays are made longer, in ms: whole ticks of most grids."""


class ParameterChecks(Subject):
    """``write`` changes what runs, ``effective_parameters`` reports it, and invalid values are refused."""

    def test_a_trace_tells_the_parameters_that_ran(self, case: str) -> None:
        """Without a ``write``, ``effective_parameters`` holds all weights and delays of the program."""
        bench = self.bench(case)
        self.demand_as_run(bench, {}, bench.forward().effective_parameters)

    def test_written_weights_are_used(self, case: str) -> None:
        """After ``write`` the trace reports the new weights, and its spikes follow from them."""
        bench = self.bench(case)
        written = {block.weight_key: block.weights * FACTOR for block in bench.program.blocks}
        self.demand_used(bench, written, "weights")

    def test_written_delays_are_used(self, case: str) -> None:
        """After ``write`` the trace reports the new delays, and its spikes follow from them."""
        bench = self.bench(case)
        written = {block.delay_key: block.delays + LATER for block in bench.program.blocks}
        self.demand_used(bench, written, "delays")

    def demand_used(self, bench: Bench, written: dict[str, Floats], what: str) -> None:
        """Write parameters, and fail unless a run has them and the spikes that follow from them."""
        bench.machine.write(written)
        trace = bench.forward()
        self.demand_as_run(bench, written, trace.effective_parameters)
        fault = misfit(bench, trace, self.tolerance)
        demand(not fault, f"the spikes are not those of the written {what}; {fault}")

    def test_what_is_not_written_stays(self, case: str) -> None:
        """``write`` leaves parameters that it is not given, and an empty one changes nothing."""
        bench = self.bench(case)
        before = bench.forward()
        bench.machine.write({})
        fault = first_difference(bench.forward(), before, bench.program, self.tolerance.repeat)
        demand(not fault, f"an empty write changed the run; {fault}")
        block = bench.program.blocks[0]
        written = {block.weight_key: block.weights * FACTOR}
        bench.machine.write(written)
        self.demand_as_run(bench, written, bench.forward().effective_parameters)

    @pytest.mark.parametrize("fault", ["shape", "key", "nan", "infinite", "delay"])
    def test_nonsense_is_not_written(self, case: str, fault: str) -> None:
        """A wrong shape, an unknown key, NaN, infinity and a negative delay raise and change nothing."""
        bench = self.bench(case)
        before, block = bench.forward(), bench.program.blocks[0]
        wrong = {
            "shape": {block.weight_key: np.ones(block.size + 1)},
            "key": {"no_such_projection.weight": np.ones(1)},
            "nan": {block.weight_key: np.full(block.size, np.nan)},
            "infinite": {block.weight_key: np.full(block.size, np.inf)},
            "delay": {block.delay_key: np.full(len(block.delays), -1.0)},
        }[fault]
        try:
            bench.machine.write(wrong)
        except NetdescError:
            pass
        else:
            raise AssertionError(f"write took {wrong}; it must raise NumericsError")
        difference = first_difference(bench.forward(), before, bench.program, self.tolerance.repeat)
        demand(not difference, f"a refused write changed the run; {difference}")

    def demand_as_run(self, bench: Bench, written: dict[str, Floats], found: object) -> None:
        """Fail unless the parameters of a trace are the program's, changed as written."""
        demand(isinstance(found, dict), "effective_parameters must be a dict")
        as_run = dict(found) if isinstance(found, dict) else {}
        for block in bench.program.blocks:
            both = ((block.weight_key, block.weights), (block.delay_key, block.delays))
            for key, value in both:
                demand(key in as_run, f"effective_parameters lacks {key}")
                wanted = written.get(key, value)
                demand(np.shape(as_run[key]) == wanted.shape, f"{key} runs in another shape")
                largest = float(np.abs(wanted).max(initial=0.0))
                allowed = self.tolerance.delay if key == block.delay_key else self.tolerance.weight * largest
                off = float(np.abs(as_run[key] - wanted).max(initial=0.0))
                demand(
                    off <= allowed,
                    f"{key} deviates by {off:g} from what was written; the tolerance is {allowed:g}",
                )
