"""A model, and the same compiled for a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from netdesc.backend import Backend, Machine
from netdesc.description.model import Description
from netdesc.errors import Diagnostic, NetdescError, locate
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.graph.ir import NetworkGraph
from netdesc.program import Program
from netdesc.stimulus import needs_data, stimulus
from netdesc.trace import Cotangent, Trace


@dataclass(frozen=True, slots=True)
class Model:
    """A valid description, ready to compile.

    Parameters
    ----------
    description : Description
    """

    description: Description

    @property
    def digest(self) -> str:
        """SHA-256 of the resolved description, hexadecimal."""
        return self.description.digest


@dataclass(frozen=True)
class CompiledProgram:
    """A model laid out for a backend.

    Parameters
    ----------
    model : Model
    graph : NetworkGraph
        After all passes.
    program : Program
    backend : Backend
    """

    model: Model
    graph: NetworkGraph
    program: Program
    backend: Backend

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """What the passes changed or approximated, with places in the file."""
        locations = self.model.description.locations
        return tuple(locate(note, locations) for note in self.graph.notes)

    @cached_property
    def machine(self) -> Machine:
        """The program on the device, loaded at first use."""
        with located(self.model):
            return self.backend.load(self.program, seed=self.program.seed)

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (k,)
            By the keys of the program's blocks; what is absent stays.

        Raises
        ------
        NumericsError
            If a value is not finite, or a delay is negative.
        """
        with located(self.model):
            self.machine.write(parameters)

    def stimulate(self, batch: Events | None = None, *, seed: int | None = None) -> Events:
        """Put the spikes of all sources together.

        Parameters
        ----------
        batch : Events or None
            Spikes of the population that is fed from a dataset, by program-wide neuron index; written
            spike times and Poisson sources are added. For a model without such a population it is the
            whole stimulus. None for the model's own stimulus, one sample.
        seed : int or None
            Root of the Poisson sources; None for the seed of the model.

        Returns
        -------
        Events

        Raises
        ------
        BackendError
            If the model needs data and gets none.
        """
        if batch is not None and not needs_data(self.program):
            return batch
        with located(self.model):
            return stimulus(
                self.program, dataset_events=batch, batch=batch.batch if batch is not None else 1,
                seed=self.program.seed if seed is None else seed)

    def forward(self, batch: Events | None = None, seed: int | None = None) -> Trace:
        """Run the network.

        Parameters
        ----------
        batch : Events or None
            As in ``stimulate``.
        seed : int or None
            Root of what is random in the run; None for the seed of the model.

        Returns
        -------
        Trace

        Raises
        ------
        BackendError
            If the model needs data and gets none.
        NumericsError
            If the run cannot be completed.
        """
        events = self.stimulate(batch, seed=seed)
        with located(self.model):
            return self.machine.forward(events, seed=self.program.seed if seed is None else seed)

    def backward(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry the derivative of a loss back to the parameters.

        Parameters
        ----------
        trace : Trace
            Of the latest parameters.
        cotangent : Cotangent
            Derivative of the loss with respect to the trace.

        Returns
        -------
        Gradient
            Summed over the batch.

        Raises
        ------
        NumericsError
            If a number is not finite where it must be.
        """
        with located(self.model):
            return self.machine.adjoint(trace, cotangent)


@contextmanager
def located(model: Model) -> Iterator[None]:
    """Give every error that passes through its place in the model's file.

    Parameters
    ----------
    model : Model

    Yields
    ------
    None

    Raises
    ------
    NetdescError
        The same, with places.
    """
    try:
        yield
    except NetdescError as error:
        raise error.located(model.description.locations) from error.__cause__
