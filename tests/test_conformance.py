"""Our backends and a stranger's pass the suite."""

from typing import ClassVar

from netdesc_numba import NumbaBackend
from stranger import StrangerBackend

from netdesc.testing.conformance import Conformance, Tolerance


class TestNumba(Conformance):
    backend = NumbaBackend


class TestNumbaOnAGrid(Conformance):
    backend = NumbaBackend
    options: ClassVar = {"solver": {"grid": {"timestep": 0.01}}}
    unsupported: ClassVar = {"instant_cycle": "on a grid a loop needs one step"}
    tolerance = Tolerance(
        spike_time=0.25,
        current=0.05,
        voltage=0.01,
        reading_time=0.01,
        delay=1e-12,
        gradient_cosine=0.99,
        gradient_norm=0.1,
        reading_cosine=0.99,
        reading_norm=0.1,
    )


class TestStranger(Conformance):
    backend = StrangerBackend
    unsupported: ClassVar = {
        "two_currents": "has LIF alone",
        "readout": "has LIF alone",
        "trained_delays": "does not train delays",
        "instant_cycle": "looks for one neuron's crossings at a time",
    }
