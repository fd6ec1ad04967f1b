"""What backends tell of their departures can be run, and differs in them alone."""

import pytest

from netdesc import registry
from netdesc.comparison import NonIdeal
from netdesc.registry import backend_class

GRID = {"grid": {"timestep": 0.5}}


def told(name, section):
    backend = backend_class(name)(section)
    assert isinstance(backend, NonIdeal)
    return backend.non_idealities()


def test_an_exact_solver_departs_from_nothing():
    assert told("numba", {}) == {}


def test_a_plain_grid_departs_by_its_steps_alone():
    assert list(told("numba", {"solver": GRID})) == ["time grid"]


def test_a_grid_that_emulates_a_chip_departs_by_more():
    found = told("numba", {"solver": {"grid": {"timestep": 1.0, "scheme": "paper"}}})
    assert list(found) == ["time grid", "transport", "32-bit state", "scheme paper"]


def test_every_departure_of_a_chip_can_be_switched():
    assert list(told("spinnaker2", {"scheme": "paper"})) == ["time grid", "scheme paper"]
    assert told("spinnaker2", {"scheme": "off_grid"}) == {}


@pytest.mark.parametrize(("name", "section"), [
    ("numba", {"solver": {"grid": {"timestep": 1.0, "scheme": "paper"}}}),
    ("spinnaker2", {"scheme": "paper", "tick": 2.0}),
    ("brainscales2", {}),
])
def test_every_setting_told_is_one_that_the_backend_takes(name, section):
    if name not in registry.names():
        pytest.skip(f"{name} is not installed")
    found = told(name, section)
    assert found
    for without, with_it in found.values():
        assert without != with_it
        for options in (without, with_it):
            assert backend_class(name)(options).name == name
