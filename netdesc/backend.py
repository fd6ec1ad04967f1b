"""The contract between netdesc and whatever runs a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.limits import Limits
from netdesc.program import Program
from netdesc.trace import Cotangent, Trace

if TYPE_CHECKING:
    from netdesc.graph.passes import Pass


@runtime_checkable
class Machine(Protocol):
    """A program laid out on a device, cheap to run again and again."""

    program: Program

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (k,)
            By the keys of the program's blocks, in the units of the file; what is absent stays.

        Raises
        ------
        NumericsError
            If a value is not finite, or a delay is negative.
        """
        ...

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network.

        Parameters
        ----------
        stimulus : Events
            Spikes of the sources of the program, by program-wide neuron index.
        seed : int
            Root of what is random on the device.

        Returns
        -------
        Trace

        Raises
        ------
        NumericsError
            If the run cannot be completed, for example for lack of memory.
        """
        ...

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry the derivative of a loss back to the parameters.

        Parameters
        ----------
        trace : Trace
            Of this machine, with the parameters that are still written.
        cotangent : Cotangent
            Derivative of the loss with respect to the trace.

        Returns
        -------
        Gradient
            Summed over the batch.

        Raises
        ------
        NumericsError
            If a number of the trace or of the cotangent is not finite where it must be.
        """
        ...


class Backend(Protocol):
    """A kind of device: stateless, configured once."""

    name: str
    limits: Limits

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Configure the device.

        Parameters
        ----------
        options : mapping
            The section ``backends.NAME`` of the file, units resolved.

        Raises
        ------
        BackendError
            If an option is not known or not possible.
        """

    def passes(self) -> Sequence[Pass]:
        """Return the graph passes that fit a network to this device, in order."""
        ...

    def load(self, program: Program, *, seed: int) -> Machine:
        """Lay a program out on the device.

        Parameters
        ----------
        program : Program
        seed : int
            Root of what is drawn once per device, such as a fixed pattern.

        Returns
        -------
        Machine

        Raises
        ------
        BackendError
            If the device cannot run the program.
        """
        ...
