"""Classes: labels as texts or whole numbers, and their numbers from 0 on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import DescriptionError
from netdesc.events import Integers

Labels = NDArray[Any]
"""Labels as written: texts or int64, shape (samples,)."""

SHOWN = 12
"""Classes that a note lists at most."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a dataset, in sorted order.

    Parameters
    ----------
    values : ndarray, shape (classes,)
        Texts or whole numbers, each once, ascending.
    """

    values: Labels

    @classmethod
    def find(cls, labels: Labels) -> Classes:
        """Return the classes of some samples.

        Parameters
        ----------
        labels : ndarray of texts or int64, shape (samples,)
        """
        return cls(np.unique(labels))

    def number(self, labels: Labels, *, split: str, path: str) -> Integers:
        """Return the number of the class of every sample.

        Parameters
        ----------
        labels : ndarray of texts or int64, shape (samples,)
        split : str
            What the samples are for, for the message.
        path : str
            Dotted path in the description, for the message.

        Returns
        -------
        ndarray of int64, shape (samples,)
            From 0.

        Raises
        ------
        DescriptionError
            If a label is not among the classes.
        """
        if labels.dtype.kind != self.values.dtype.kind:
            raise DescriptionError(
                f"expected labels of one type, got {type_name(self.values)} in train and "
                f"{type_name(labels)} in {split}; write them the same way",
                path=path,
            )
        places = np.minimum(np.searchsorted(self.values, labels), len(self.values) - 1)
        unknown = np.unique(labels[self.values[places] != labels])
        if len(unknown):
            raise DescriptionError(
                f"expected classes of the training samples in {split}, got {listed(unknown)}, which train "
                f"does not have; train has {listed(self.values)}. Move samples to train, or remove them",
                path=path,
            )
        return places.astype(np.int64)

    def notes(self) -> Iterator[str]:
        """Yield which number stands for which class, unless the labels are numbers from 0 already."""
        if np.array_equal(self.values, np.arange(len(self.values))):
            return
        pairs = [f"{value} = {number}" for number, value in enumerate(self.values[:SHOWN].tolist())]
        more = f", and {len(self.values) - SHOWN} more" if len(self.values) > SHOWN else ""
        yield f"classes in sorted order, numbered by output neuron: {', '.join(pairs)}{more}"


def number_classes(labels: Labels | None, path: str) -> Integers | None:
    """Return the number of the class of every training sample; None for samples without labels."""
    return None if labels is None else Classes.find(labels).number(labels, split="train", path=path)


def type_name(labels: Labels) -> str:
    """Return what labels are, for messages."""
    return "texts" if labels.dtype.kind == "U" else "whole numbers"


def listed(values: Labels) -> str:
    """Return some values for a message."""
    shown = ", ".join(str(value) for value in values[:SHOWN].tolist())
    return f"{shown} and {len(values) - SHOWN} more" if len(values) > SHOWN else shown
