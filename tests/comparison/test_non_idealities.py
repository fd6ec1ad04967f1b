"""Listed non-idealities can be run, and differ in them alone."""

import pytest

from netdesc import registry
from netdesc.comparison import NonIdeal
from netdesc.registry import backend_class

GRID = {"grid": {"timestep": 0.5}}


def listed(name, section):
    backend = backend_class(name)(section)
    assert isinstance(backend, NonIdeal)
    return backend.non_idealities()


def test_an_exact_solver_has_no_non_ideality():
    assert listed("numba", {}) == {}


def test_a_plain_grid_deviates_by_its_steps_alone():
    assert list(listed("numba", {"solver": GRID})) == ["time grid"]


def test_a_grid_that_emulates_a_chip_deviates_by_more():
    found = listed("numba", {"solver": {"grid": {"timestep": 1.0, "scheme": "published"}}})
    assert list(found) == ["time grid", "transport", "32-bit state", "scheme published"]


def test_every_non_ideality_of_a_chip_can_be_switched():
    assert list(listed("spinnaker2", {"scheme": "published"})) == ["time grid", "scheme published"]
    assert listed("spinnaker2", {"scheme": "off_grid"}) == {}


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("numba", {"solver": {"grid": {"timestep": 1.0, "scheme": "published"}}}),
        ("spinnaker2", {"scheme": "published", "tick": 2.0}),
        ("brainscales2", {}),
    ],
)
def test_every_listed_setting_is_one_that_the_backend_takes(name, section):
    if name not in registry.names():
        pytest.skip(f"{name} is not installed")
    found = listed(name, section)
    assert found
    for without, with_it in found.values():
        assert without != with_it
        for options in (without, with_it):
            assert backend_class(name)(options).name == name
