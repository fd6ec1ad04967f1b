"""A forecast in words and as data."""

import json

import pytest

from netdesc.forecast import HostForecast, Remedy, arrange_forecast, tell_forecast
from netdesc.forecast.words import format_seconds

SHORT = HostForecast("numba", 12.0, 30, 310 * 2.0**20, {"hidden": 70.0}, "sketch")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.001, "less than 0.01 s"),
        (0.0123, "0.012 s"),
        (12.3, "12 s"),
        (89.0, "89 s"),
        (360.0, "6 min"),
        (5000.0, "83 min"),
        (9000.0, "2.5 h"),
        (400000.0, "4.6 days"),
        (1e12, "more than 1000 days"),
    ],
)
def test_a_duration_has_two_digits_and_a_unit_that_suits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_an_epoch_a_training_and_its_memory_are_said_in_one_line() -> None:
    assert tell_forecast(SHORT) == "an epoch takes about 12 s, 30 epochs 6 min; memory 310 MiB"


def test_a_run_has_no_epochs_and_a_short_one_no_number() -> None:
    run = HostForecast("numba", 0.001, 0, 2.0**28, {}, "assumed")
    assert tell_forecast(run) == "a run takes less than 0.01 s, assuming 10 Hz; memory 256 MiB"


def test_a_single_epoch_is_the_whole_training() -> None:
    assert tell_forecast(HostForecast("numba", 9.0, 1, 2.0**28, {}, "measured")) == (
        "an epoch takes about 9 s; memory 256 MiB"
    )


def test_what_would_help_is_a_line_of_its_own() -> None:
    remedies = (Remedy("backends.numba.solver=event", 5.04), Remedy("training.batch_size=256", 1.5))
    lines = tell_forecast(HostForecast("numba", 7200.0, 2, 2.0**28, {}, "sketch", remedies)).splitlines()
    assert lines == [
        "an epoch takes about 2 h, 2 epochs 4 h; memory 256 MiB",
        "more than an hour; what would help: backends.numba.solver=event (5 times as fast), "
        "training.batch_size=256 (1.5 times as fast)",
    ]


def test_json_has_the_numbers_as_fields() -> None:
    data = json.loads(json.dumps(arrange_forecast(SHORT)))
    assert data == {
        "backend": "numba",
        "seconds": 12.0,
        "epochs": 30,
        "total_seconds": 360.0,
        "memory_bytes": 310 * 2.0**20,
        "spikes": {"hidden": 70.0},
        "basis": "sketch",
        "remedies": [],
    }
    assert arrange_forecast(None) is None
