"""Derivative of a loss with respect to the parameters of a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netdesc.connection import Connection, SynapseValues
from netdesc.display import enumerate_names, summarize
from netdesc.events import Floats
from netdesc.trace import Recording


@dataclass(frozen=True, slots=True, repr=False)
class Gradient(SynapseValues):
    """The result of an adjoint run, summed over the batch.

    Parameters
    ----------
    parameters : mapping of str to ndarray of float64
        By the keys of ``Program.trainable``: dL/dweight per unit of the file, dL/ddelay in 1/ms, each
        of shape (k,).
    spike_times : mapping of str to ndarray of float64
        Total dL/dt of every spike in 1/ms, direct and through all later spikes, aligned with
        ``Trace.spikes``; for a source this is the gradient of the stimulus.
    recordings : mapping of str to Recording
        Sampled adjoints by ``population.variable``.
    health : mapping of str to int
        ``grazing``: spikes whose denominator was clamped, because v barely reached the threshold.
    connections : mapping of str to Connection
        Which neurons the parameters connect, by the keys of ``parameters``; a backend leaves it empty and
        `netdesc.CompiledProgram.backward` fills it in.
    """

    parameters: Mapping[str, Floats]
    spike_times: Mapping[str, Floats]
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    health: Mapping[str, int] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)

    def __repr__(self) -> str:
        return summarize(
            "Gradient",
            {
                "parameters": enumerate_names(
                    f"{key} {values.shape}" for key, values in self.parameters.items()
                ),
                "recordings": enumerate_names(self.recordings),
            },
        )

    def _values(self) -> Mapping[str, Floats]:
        return self.parameters

    @property
    def samples(self) -> Mapping[str, Recording]:
        """The recordings, by their former name."""
        return self.recordings
