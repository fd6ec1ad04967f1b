"""Weights and delays by name, with the neurons that they connect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netdesc.connection import Connection, SynapseValues
from netdesc.display import enumerate_names, summarize
from netdesc.errors import DescriptionError, Diagnostic, NetdescError
from netdesc.events import Floats
from netdesc.program import Program


@dataclass(frozen=True, slots=True, repr=False)
class Weights(SynapseValues, Mapping[str, Floats]):
    """Trainable weights and delays of a network.

    A mapping of names such as ``input_to_hidden.weight`` to arrays of shape (k,), one value per synapse, in
    the units of the file and ms.

    Parameters
    ----------
    values_by_name : mapping of str to ndarray of float64, shape (k,) or (1,)
        One element where all synapses share it.
    connections : mapping of str to Connection
        Which neurons they connect, by the same names.
    """

    values_by_name: Mapping[str, Floats]
    connections: Mapping[str, Connection] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program) -> Weights:
        """Return the trainable weights and delays of a program.

        Parameters
        ----------
        program : Program

        Returns
        -------
        Weights
        """
        return cls(program.trainable(), program.connections())

    def __getitem__(self, key: str) -> Floats:
        return self.values_by_name[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        return summarize(
            "Weights",
            {"parameters": enumerate_names(f"{key} {values.shape}" for key, values in self.items())},
        )

    def _values(self) -> Mapping[str, Floats]:
        return self.values_by_name


def fit_weights(values: Mapping[str, Any], program: Program) -> dict[str, Floats]:
    """Return weights and delays as a program takes them.

    Parameters
    ----------
    values : mapping of str to array
        One value per synapse, shape (k,), or a matrix pre by post, of which only the synapses count; by
        the names of the program's trainable parameters, of which some may be absent.
    program : Program

    Returns
    -------
    dict of str to ndarray of float64, shape (k,)

    Raises
    ------
    DescriptionError
        With every array that does not fit.
    """
    wanted, connections = program.trainable(), program.connections()
    faults: list[Diagnostic] = []
    result: dict[str, Floats] = {}
    for key, given in values.items():
        if key not in wanted:
            known = ", ".join(wanted) or "none; mark a weight or a delay with train: true"
            faults.append(
                Diagnostic(f"expected the name of a trained parameter, got '{key}'; use one of {known}")
            )
            continue
        try:
            array = connections[key].flat(np.asarray(given, dtype=np.float64))
        except (TypeError, ValueError):
            faults.append(Diagnostic(f"expected an array of numbers for {key}, got {type(given).__name__}"))
            continue
        except NetdescError as error:
            faults += [Diagnostic(f"{key}: {item.message}") for item in error.diagnostics]
            continue
        if array.shape != wanted[key].shape:
            faults.append(
                Diagnostic(
                    f"expected {wanted[key].size} values for {key}, or a matrix of shape "
                    f"{connections[key].shape}, got shape {array.shape}"
                )
            )
        elif not np.isfinite(array).all():
            wrong = array[~np.isfinite(array)][0]
            faults.append(Diagnostic(f"expected finite values for {key}, got {wrong}"))
        result[key] = array
    if faults:
        raise DescriptionError(faults)
    return result
