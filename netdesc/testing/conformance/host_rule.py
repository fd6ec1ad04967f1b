"""What a device that learns by itself is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from netdesc.backend import Lesson
from netdesc.events import Floats, Integers
from netdesc.trace import Cotangent, Trace


class HostRule(Protocol):
    """Loss and optimizer of the host that do what the device does; one for one run of learning."""

    def lesson(self, population: str) -> Lesson:
        """Return what a device is told in order to learn the same.

        Parameters
        ----------
        population : str
            Whose first spikes the targets are about.
        """
        ...

    def cotangent(self, trace: Trace, targets: Integers) -> Cotangent:
        """Return the derivative of the loss.

        Parameters
        ----------
        trace : Trace
        targets : ndarray of int64, shape (batch,)
        """
        ...

    def update(
        self, parameters: Mapping[str, Floats], gradient: Mapping[str, Floats]
    ) -> Mapping[str, Floats]:
        """Return the parameters after a step.

        Parameters
        ----------
        parameters, gradient : mapping of str to ndarray

        Returns
        -------
        mapping of str to ndarray
        """
        ...
