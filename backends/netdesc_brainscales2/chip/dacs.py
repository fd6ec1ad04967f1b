"""Digital-to-analog converters that set the parameters of circuits."""

from __future__ import annotations

from dataclasses import dataclass

from netdesc.events import Floats, Integers


@dataclass(frozen=True, slots=True)
class Dac:
    """A converter per circuit, each monotone and different from its neighbours.

    Parameters
    ----------
    bits : int
        Codes are 0 to ``2**bits - 1``.
    low, high : float
        What codes at both ends set on a nominal circuit.
    relative : bool
        Whether codes are spread evenly over the logarithm, and circuits differ by factors; otherwise they
        are spread evenly, and circuits differ by offsets.
    deviation : ndarray of float64, shape (n,)
        Factor or offset of each circuit.
    """

    bits: int
    low: float
    high: float
    relative: bool
    deviation: Floats

    @property
    def top(self) -> int:
        """The largest code."""
        return int(2**self.bits - 1)

    def convert(self, codes: Integers) -> Floats:
        """Return the parameters that codes set, one per circuit."""
        share = codes / self.top
        values: Floats
        if self.relative:
            values = self.low * (self.high / self.low) ** share * self.deviation
        else:
            values = self.low + (self.high - self.low) * share + self.deviation
        return values
