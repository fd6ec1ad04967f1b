"""What every network computes is what it computed when the record was made, bit for bit.

Where ``NUMBA_DISABLE_JIT`` is set, kernels run in the interpreter, which is slow: some networks of every
kind.
"""

import pytest
from networks import PLACES, networks
from numba import config
from record import REFUSED, compare, compute, identify_processor, read

RECORD, PROCESSOR = read()
SINGLE = ("_32", "chip_")
"""Parts of the names of what computes in float32."""


INTERPRETED = (
    "layers",
    "maximum",
    "mean",
    "recurrent_maximum",
    "refractory",
    "held",
    "two_currents",
    "adjoints",
)
"""Networks that run without being compiled."""


def choose_tolerance(place: str) -> float:
    """Return by how much results may deviate; the same bits are due where the same instructions run."""
    if identify_processor() == PROCESSOR:
        return 0.0
    return 1e-3 if any(part in place for part in SINGLE) else 1e-9


@pytest.mark.parametrize("place", PLACES)
def test_results_are_those_of_the_record(place: str) -> None:
    tolerance, faults = choose_tolerance(place), []
    for network in networks():
        if config.DISABLE_JIT and network.name.partition(".")[2] not in INTERPRETED:
            continue
        if network.name.startswith(f"{place}."):
            faults += [
                f"{network.name}: {fault}"
                for fault in compare(RECORD[network.name], compute(network), tolerance)
            ]
    assert faults == []


def test_the_record_has_every_backend_and_every_network() -> None:
    assert RECORD.keys() == {network.name for network in networks()}
    run = [network for network in networks() if REFUSED not in RECORD[network.name]]
    assert len(run) >= 200
    assert {network.place.backend for network in run} == {"numba", "spinnaker2", "brainscales2"}
    assert all(
        "gradient." in " ".join(RECORD[network.name])
        or network.place.trained
        or network.name.endswith("no_source")
        for network in run
    )


def test_a_changed_bit_is_found() -> None:
    old = RECORD["event.layers"]
    values = old["gradient.p0.weight"].copy()
    values.view("u8")[0] ^= 1
    (fault,) = compare(old, old | {"gradient.p0.weight": values}, 0.0)
    assert fault.startswith("gradient.p0.weight: 1 of 60 differ, by at most")
    assert compare(old, old | {"gradient.p0.weight": values}, 1e-12) == []
    assert compare(old, {key: values for key, values in old.items() if key != "loss"}, 1.0) == [
        "loss: only in the record"
    ]
