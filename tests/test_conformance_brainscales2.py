"""The emulated BrainScaleS-2 without spread and noise passes the suite."""

from typing import ClassVar

import pytest
from netdesc_brainscales2 import BrainScaleS2Backend

from netdesc.errors import NumericsError
from netdesc.testing.conformance import Conformance, Tolerance


class TestIdealBrainScaleS2(Conformance):
    backend = BrainScaleS2Backend
    options: ClassVar = {"profile": "ideal", "delays": "instance"}
    unsupported: ClassVar = {
        "trained_delays": "the chip has no delays",
        "initial_state": "every membrane starts at its rest",
        "constant_current": "a rest above the threshold has no step of voltage",
        "recurrence": "delays within a loop",
        "cycle": "delays within a loop",
        "delays": "the host holds all events of a source back by one time",
        "two_currents": "projections from one source differ in their delays",
    }
    sampled = True
    # the largest voltages here are 9 steps of the converter, and several samples share the largest code;
    # the last sample is taken 0.9 ms before the end, and how much of a mean the end cuts off has that error
    tolerance = Tolerance(
        spike_time=0.02,
        weight=0.02,
        gradient_cosine=0.99999,
        gradient_norm=0.005,
        linear=1e-6,
        voltage=0.1,
        reading_time=3.4,
        reading_cosine=0.998,
        reading_norm=0.2,
    )

    def test_written_delays_are_used(self, case: str) -> None:
        if case != "instant_cycle":
            super().test_written_delays_are_used(case)
            return
        bench = self.bench(case)
        with pytest.raises(NumericsError, match="no delays"):
            bench.machine.write({block.delay_key: block.delays + 2.0 for block in bench.program.blocks})

    def test_limits_are_kept(self, probe: str) -> None:
        if probe == "recordings.v":
            pytest.skip("two neurons on the MADC need columns of both parities")
        super().test_limits_are_kept(probe)
