"""Spikes fall where the equations put them."""

from __future__ import annotations

import numpy as np

from netdesc.testing.conformance.oracle import expect, misfit
from netdesc.testing.conformance.spikes import silence
from netdesc.testing.conformance.subject import Subject, demand


class PhysicsChecks(Subject):
    """A device agrees with the reference simulator, within the tolerance that it claims."""

    def test_spikes_agree_with_the_reference(self, case: str) -> None:
        """No spike is missing, too many or too far away, for the parameters that the device reports."""
        bench = self.bench(case)
        told = misfit(bench, bench.forward(), self.tolerance)
        demand(not told, told)

    def test_silence_agrees_with_the_reference(self, case: str) -> None:
        """Without input, only currents and initial states cause spikes."""
        bench = self.bench(case)
        empty = silence(bench.stimulus.batch)
        told = misfit(bench, bench.machine.forward(empty, seed=0), self.tolerance, empty)
        demand(not told, told)

    def test_currents_agree_with_the_reference(self, case: str) -> None:
        """Currents just before spikes agree with the reference, if the device reports them."""
        bench = self.bench(case)
        trace = bench.forward()
        for name, wanted in expect(bench, trace).currents.items():
            found = (trace.residuals or {}).get(name, {}).get("current")
            if found is None or len(found) != len(wanted):
                continue
            off = float(np.abs(found - wanted).max(initial=0.0))
            allowed = self.tolerance.current * float(np.abs(wanted).max(initial=1.0))
            demand(off <= allowed, f"a current of {name} deviates by {off:g}; the tolerance is {allowed:g}")
