"""The emulated BrainScaleS-2 without spread and noise passes the suite."""

from typing import ClassVar

from netdesc_brainscales2 import BrainScaleS2Backend

from netdesc.testing.conformance import Conformance, Tolerance


class TestIdealBrainScaleS2(Conformance):
    backend = BrainScaleS2Backend
    options: ClassVar = {"profile": "ideal"}
    unsupported: ClassVar = {
        "trained_delays": "the chip has no delays",
    }
    tolerance = Tolerance(spike_time=0.02, weight=0.02, gradient_cosine=0.99, gradient_norm=0.05, linear=1e-6)
