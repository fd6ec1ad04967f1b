"""Settings of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, fields

from netdesc.errors import DescriptionError, Diagnostic


@dataclass(frozen=True, slots=True)
class Settings:
    """What a comparison runs and how it compares spikes.

    Parameters
    ----------
    samples : int
        Samples whose spikes, voltages and gradients are compared, the first of the test split.
    test_samples : int
        Samples from which accuracy and loss are computed, at most.
    window : float
        Largest time between two spikes that may be matched, in ms.
    tau : float
        Time constant of the van Rossum distance, in ms.
    cost : float
        Cost of shifting a spike in the Victor-Purpura distance, per ms.
    neurons : int
        Neurons of every population whose voltage is sampled where the file records none; 0 for none.
    attribute : bool
        Whether the non-idealities of every substrate are switched on one at a time.
    repeats : int
        Noise seeds used to measure sources of deviation on noisy substrates.

    Raises
    ------
    DescriptionError
        If a number is out of range.
    """

    samples: int = 16
    test_samples: int = 500
    window: float = 2.0
    tau: float = 5.0
    cost: float = 0.2
    neurons: int = 3
    attribute: bool = True
    repeats: int = 3

    def __post_init__(self) -> None:
        least = {"samples": 1, "test_samples": 1, "neurons": 0, "repeats": 1}
        faults = [
            Diagnostic(
                f"{item.name}: expected a number "
                + (f"of at least {least[item.name]}" if item.name in least else "above 0")
                + f", got {getattr(self, item.name)}"
            )
            for item in fields(self)
            if item.name != "attribute"
            and not (
                getattr(self, item.name) >= least[item.name]
                if item.name in least
                else 0.0 < getattr(self, item.name) < float("inf")
            )
        ]
        if faults:
            raise DescriptionError(faults)
