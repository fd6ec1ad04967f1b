"""Features scaled to 0 to 1 by what the training samples span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from netdesc.errors import DescriptionError
from netdesc.events import Floats

SHOWN = 6
"""Names that a note lists at most."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of every feature.

    Parameters
    ----------
    low, high : ndarray of float64, shape (features,)
        What becomes 0, and what becomes 1.
    """

    low: Floats
    high: Floats

    @classmethod
    def fit(cls, values: Floats, kind: str, path: str) -> Scale:
        """Find the ranges of the training samples.

        Parameters
        ----------
        values : ndarray of float64, shape (samples, features)
            Finite.
        kind : str
            ``per_feature``, ``joint`` (one range for all features) or ``none`` (0 to 1).
        path : str
            Dotted path in the description, for messages.

        Raises
        ------
        DescriptionError
            If values are to be left as they are and are not from 0 to 1, or a range is beyond float64.
        """
        features = values.shape[1]
        low, high = values.min(axis=0), values.max(axis=0)
        if kind == "none":
            if low.min() < 0.0 or high.max() > 1.0:
                raise DescriptionError(
                    f"expected values from 0 to 1 with scale: none, got {low.min():g} to {high.max():g}; "
                    "use scale: per_feature, or joint",
                    path=f"{path}.scale",
                )
            return cls(np.zeros(features), np.ones(features))
        if kind == "joint":
            low, high = np.full(features, low.min()), np.full(features, high.max())
        with np.errstate(over="ignore"):
            wide = ~np.isfinite(high - low)
        if wide.any():
            raise DescriptionError(
                f"expected values whose range is a float64, got {low[wide][0]:g} to {high[wide][0]:g}; "
                "rescale the column",
                path=path,
            )
        return cls(low, high)

    def apply(self, values: Floats) -> tuple[Floats, int]:
        """Scale values; what is outside of the range becomes 0 or 1.

        Parameters
        ----------
        values : ndarray of float64, shape (samples, features)

        Returns
        -------
        scaled : ndarray of float64, shape (samples, features)
            0 to 1; 0 for a feature that is constant in the training samples.
        clipped : int
            Values that were outside.
        """
        outside = int(np.count_nonzero((values < self.low) | (values > self.high)))
        span = np.where(self.high > self.low, self.high - self.low, 1.0)
        kept = np.minimum(np.maximum(values, self.low), self.high)
        return (kept - self.low) / span, outside

    def notes(self, names: Sequence[str]) -> Iterator[str]:
        """Yield which features are constant.

        Parameters
        ----------
        names : sequence of str
            Of the features.
        """
        constant = [names[index] for index in np.flatnonzero(self.high == self.low).tolist()]
        if constant:
            more = f" and {len(constant) - SHOWN} more" if len(constant) > SHOWN else ""
            yield (
                f"constant in the training samples and encoded as 0: {', '.join(constant[:SHOWN])}{more}; "
                "leave them out of features"
            )
