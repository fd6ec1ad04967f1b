"""Everything of a network that can be written or trained, each array under one key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Floats, all_finite, fixed

WEIGHT, DELAY = "weight", "delay"
UNITS = {WEIGHT: "", DELAY: "ms"}
"""Unit of a quantity; empty where it is that of the file."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One array of numbers.

    Parameters
    ----------
    owner : str
        Name of the projection that it belongs to.
    quantity : str
        What it is: ``weight`` or ``delay``. Parameters of one quantity share a unit and a learning rate.
    path : str
        Dotted path of the owner in the description.
    values : ndarray of float64, shape (k,)
        As compiled, in the units of the file; delays in ms.
    trained : bool
        Whether training may change it.
    bounds : tuple of float
        Kept during training.
    scale : float
        The largest factor by which a device multiplies the values.
    """

    owner: str
    quantity: str
    path: str
    values: Floats
    trained: bool
    bounds: tuple[float, float]
    scale: float = 1.0

    @property
    def key(self) -> str:
        """Name of the parameter in ``Machine.write`` and ``Gradient.parameters``."""
        return key_of(self.owner, self.quantity)

    def faults(self, values: Floats) -> Iterator[Diagnostic]:
        """Yield what keeps values from taking the place of the present ones."""
        if np.shape(values) != self.values.shape:
            yield Diagnostic(f"{self.key} has shape {np.shape(values)}; it needs {self.values.shape}")
        elif not all_finite(np.asarray(values)):
            yield Diagnostic(f"{self.key} holds a value that is not finite; every value must be a number")
        elif self.quantity == DELAY and np.min(values, initial=0.0) < 0.0:
            yield Diagnostic(f"{self.key} holds a negative delay; a delay is at least 0 ms")


def key_of(owner: str, quantity: str) -> str:
    """Return the key of a parameter."""
    return f"{owner}.{quantity}"


def quantity_of(key: str) -> str:
    """Return which quantity a parameter is, from its key."""
    return key.rpartition(".")[2]


Check = Callable[[Parameter, Floats], Iterator[Diagnostic]]


def accept(parameter: Parameter, values: Floats) -> Iterator[Diagnostic]:
    """Find nothing wrong with values that fit."""
    yield from ()


class ParameterStore:
    """The present values of parameters.

    Parameters
    ----------
    declared : mapping of str to Parameter
        By key; ``Program.declared``.
    check : callable, optional
        Yields what else keeps values from being written, on a device with a range of its own.

    Attributes
    ----------
    declared : mapping of str to Parameter
    values : dict of str to ndarray of float64
        Present values by key, read-only.
    """

    def __init__(self, declared: Mapping[str, Parameter], check: Check = accept) -> None:
        self.declared = declared
        self.check = check
        self.values = {key: item.values for key, item in declared.items()}

    def __getitem__(self, key: str) -> Floats:
        return self.values[key]

    def faults(self, values: Mapping[str, Floats]) -> list[Diagnostic]:
        """Return everything that keeps values from being written."""
        found: list[Diagnostic] = []
        for key, array in values.items():
            item = self.declared.get(key)
            if item is None:
                known = ", ".join(self.declared)
                found.append(Diagnostic(f"{key} is not a parameter of this program; it has {known}"))
                continue
            found += list(item.faults(array)) or list(self.check(item, array))
        return found

    def write(self, values: Mapping[str, Floats]) -> frozenset[str]:
        """Replace values.

        Parameters
        ----------
        values : mapping of str to ndarray
            By key, in the units of the file; copied unless read-only. Parameters that are absent keep their
            values.

        Returns
        -------
        frozenset of str
            Which quantities are among them.

        Raises
        ------
        NumericsError
            With everything that does not fit; nothing is changed then.
        """
        faults = self.faults(values)
        if faults:
            raise NumericsError(faults)
        self.values |= {key: fixed(array, np.float64) for key, array in values.items()}
        return frozenset(self.declared[key].quantity for key in values)
