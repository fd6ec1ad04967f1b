from dataclasses import replace

import pytest

from netdesc.cli.watching import summarize
from netdesc.training.records import EpochReport

REPORT = EpochReport(1, 2, 0.5, None, None, None, None, None, 0.1, 0.125, 0, 0, 0, 1.0)


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (1.09051, "1.091"),
        (0.18301, "0.1830"),
        (0.0052781, "0.005278"),
        (1.25e-7, "1.250e-07"),
        (7.0, "7.000"),
        (123456.0, "1.235e+05"),
        (0.0, "0.000"),
        (float("nan"), "nan"),
    ],
)
def test_a_loss_of_any_size_has_four_digits(loss, text):
    assert summarize(replace(REPORT, loss=loss, validation_loss=loss)) == (
        f"loss {text}  validation loss {text}  silent 12.5 %"
    )
