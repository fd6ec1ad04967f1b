"""How a comparison is made."""

from __future__ import annotations

from dataclasses import dataclass, fields

from netdesc.errors import DescriptionError, Diagnostic


@dataclass(frozen=True, slots=True)
class Settings:
    """What is run and how spikes are compared.

    Parameters
    ----------
    samples : int
        Samples whose spikes, voltages and gradients are compared, the first of the test split.
    test_samples : int
        Samples from which accuracy and loss are computed, at most.
    window : float
        Spikes at most so far apart are matched, in ms.
    tau : float
        Of the kernel of the distance of van Rossum, in ms.
    cost : float
        Of moving a spike in the distance of Victor and Purpura, per ms.
    neurons : int
        Neurons of every population whose voltage is sampled where the file records none; 0 for none.
    attribute : bool
        Whether the departures of every substrate are switched on one at a time.
    repeats : int
        Streams of noise with which causes are looked for on substrates that have noise.

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
                f"{item.name} is {getattr(self, item.name)}; it must be "
                + (f"{least[item.name]} or more" if item.name in least else "above 0")
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
