"""What is measured of two runs of one model, and what is known of them after the comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from netdesc.comparison.trains import Counts, Matches, count
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.events import Floats


@dataclass(frozen=True, slots=True)
class SpikeAgreement:
    """Spikes of one population in two runs.

    Parameters
    ----------
    population, kind : str
    matches : Matches
    van_rossum, victor_purpura : ndarray of float64, shape (batch, size)
    first : ndarray of float64, shape (batch, size)
        First spike in the other minus that in the reference, in ms; NaN where one is silent.
    earliest : tuple of (int, int, float), or None
        Sample, neuron and time in ms of the earliest spike that is unmatched, or differs by more than
        a thousandth of the window; None where there is none.
    """

    population: str
    kind: str
    matches: Matches
    van_rossum: Floats
    victor_purpura: Floats
    first: Floats
    earliest: tuple[int, int, float] | None


@dataclass(frozen=True, slots=True)
class GradientAgreement:
    """Gradients with respect to one parameter in two runs.

    Parameters
    ----------
    key : str
    cosines, ratios : ndarray of float64, shape (batch,)
        Of every sample: cosine of the angle between them, and norm on the other substrate over norm on
        the reference; NaN where a gradient is zero.
    cosine, ratio : float
        The same of the gradient of the whole batch.
    reference, other : ndarray of float64, shape (k,)
        The gradients of the whole batch.
    """

    key: str
    cosines: Floats
    ratios: Floats
    cosine: float
    ratio: float
    reference: Floats
    other: Floats


@dataclass(frozen=True, slots=True)
class ParameterAgreement:
    """Effective weights or delays of a substrate, against the nominal ones.

    Parameters
    ----------
    key : str
    count : int
    changed : int
        How many differ by more than a rounding to 32 bits.
    flipped, zeroed : int
        How many have the other sign; how many became 0.
    largest, rms : float
        Largest and root mean square of the differences.
    """

    key: str
    count: int
    changed: int
    flipped: int
    zeroed: int
    largest: float
    rms: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything about two runs that can be compared.

    Parameters
    ----------
    spikes, gradients, parameters : mapping of str to records
        By population or key.
    voltages : mapping of str to ndarray of float64, shape (batch, n)
        Root mean square of the difference of sampled voltages, by ``population.v``.
    same_predictions : float or None
        Fraction of the samples of the batch in which both predict the same; None without losses.
    """

    spikes: Mapping[str, SpikeAgreement]
    gradients: Mapping[str, GradientAgreement]
    parameters: Mapping[str, ParameterAgreement]
    voltages: Mapping[str, Floats]
    same_predictions: float | None

    @property
    def spiking(self) -> list[SpikeAgreement]:
        """The agreements of spiking populations, sources excluded."""
        return [item for item in self.spikes.values() if item.kind == "spiking"]

    @property
    def counts(self) -> Counts:
        """Spikes of all spiking populations."""
        return count(item.matches for item in self.spiking)


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
