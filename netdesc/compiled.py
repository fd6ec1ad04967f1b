"""A model, and the same compiled for a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from netdesc.description.model import Description
from netdesc.display import enumerate_names, html_table, summarize
from netdesc.errors import Diagnostic, NetdescError, locate

if TYPE_CHECKING:
    from netdesc.backend import Backend
    from netdesc.border import CheckedMachine
    from netdesc.events import Events, Floats
    from netdesc.gradient import Gradient
    from netdesc.graph.ir import NetworkGraph
    from netdesc.program import Program
    from netdesc.trace import Cotangent, Trace
    from netdesc.weights import Weights


DEFAULT_BACKEND = "numba"
"""Backend where neither caller nor file names one."""


@dataclass(frozen=True, slots=True, repr=False)
class Model:
    """A valid description, ready to compile.

    Parameters
    ----------
    description : Description
    """

    description: Description

    def __repr__(self) -> str:
        described = self.description
        return summarize(
            "Model",
            {
                "name": repr(described.name),
                "populations": enumerate_names(described.populations),
                "projections": enumerate_names(described.projections),
                "duration": f"{described.simulation.duration:g} ms",
            },
        )

    def _repr_html_(self) -> str:
        from netdesc.graph.build import build
        from netdesc.graph.drawing import draw_svg

        graph = build(self.description)
        rows = [(f"{edge.name}", f"{edge.pre} to {edge.post}", edge.rule.kind) for edge in graph.edges]
        title = f"{self.description.name}, {self.description.simulation.duration:g} ms"
        return html_table(title, ("projection", "joins", "connector"), rows) + draw_svg(graph)

    @property
    def digest(self) -> str:
        """SHA-256 of the resolved description, hexadecimal."""
        return self.description.digest


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        blocks = self.program.blocks
        return summarize(
            "CompiledProgram",
            {
                "name": repr(self.program.name),
                "backend": repr(self.backend.name),
                "neurons": self.program.size,
                "synapses": sum(block.size for block in blocks),
                "notes": len(self.notes) or None,
            },
        )

    def _repr_html_(self) -> str:
        from netdesc.graph.drawing import draw_svg

        rows = [
            (
                block.name,
                f"{block.size} of {block.n_pre} x {block.n_post}",
                "weight" * block.train_weight
                + ", " * (block.train_weight and block.train_delay)
                + "delay" * block.train_delay
                or "-",
            )
            for block in self.program.blocks
        ]
        title = f"{self.program.name} on {self.backend.name}"
        return html_table(title, ("projection", "synapses", "trained"), rows) + draw_svg(self.graph)

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """Notes on what the passes changed or approximated, with locations in the file."""
        locations = self.model.description.locations
        return tuple(locate(note, locations) for note in self.graph.notes)

    @cached_property
    def machine(self) -> CheckedMachine:
        """The program on the device, loaded at first use; what it returns is checked."""
        from netdesc.border import load

        with located(self.model):
            return load(self.backend, self.program, seed=self.program.seed)

    @property
    def weights(self) -> Weights:
        """Trainable weights and delays of the description."""
        from netdesc.weights import Weights

        return Weights.of(self.program)

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays.

        Parameters
        ----------
        parameters : mapping of str to ndarray, shape (k,)
            By the keys of the program's blocks; parameters that are absent keep their values.

        Raises
        ------
        NumericsError
            If a value is not finite, or a delay is negative.
        """
        with located(self.model):
            self.machine.write(parameters)

    def stimulate(self, batch: Events | None = None, *, seed: int | None = None) -> Events:
        """Return the spikes of all sources as one stimulus.

        Parameters
        ----------
        batch : Events or None
            Spikes of the population that is fed from a dataset, by program-wide neuron index; written
            spike times and Poisson sources are added. For a model without such a population it is the
            whole stimulus. None for the model's own stimulus, one sample.
        seed : int or None
            Seed of the Poisson sources; None for the seed of the model.

        Returns
        -------
        Events

        Raises
        ------
        BackendError
            If the model needs data and gets none.
        """
        from netdesc.stimulus import needs_data, stimulus

        if batch is not None and not needs_data(self.program):
            return batch
        with located(self.model):
            return stimulus(
                self.program,
                dataset_events=batch,
                batch=batch.batch if batch is not None else 1,
                seed=self.program.seed if seed is None else seed,
            )

    def forward(self, batch: Events | None = None, seed: int | None = None) -> Trace:
        """Run the network.

        Parameters
        ----------
        batch : Events or None
            As in ``stimulate``.
        seed : int or None
            Seed of the random numbers of the run; None for the seed of the model.

        Returns
        -------
        Trace

        Raises
        ------
        BackendError
            If the model needs data and gets none.
        LimitError
            If it would need more memory than is available.
        NumericsError
            If the run cannot be completed.
        """
        events = self.stimulate(batch, seed=seed)
        self.require_memory(events)
        with located(self.model):
            return self.machine.forward(events, seed=self.program.seed if seed is None else seed)

    def require_memory(self, batch: Events | None, *, written: bool = False) -> None:
        """Refuse a run that would need more memory than is available.

        Parameters
        ----------
        batch : Events or None
            Spikes of the samples; None for one sample without spikes from data.
        written : bool
            Whether a file of results is written.

        Raises
        ------
        LimitError
            With the largest item and what would fit.
        """
        from netdesc.memory import require_memory

        with located(self.model):
            require_memory(
                self.program,
                self.model.description,
                step=self.backend.limits.step,
                backend=self.backend.name,
                batch=batch,
                written=written,
            )

    def backward(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Propagate the derivative of a loss back to the parameters.

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
            gradient = self.machine.adjoint(trace, cotangent)
        return replace(gradient, connections=self.program.connections())


def choose_backend(model: Model) -> str:
    """Return the backend that the file names for training, or numba."""
    training = model.description.training
    named = training.options.get("backend") if training is not None else None
    return DEFAULT_BACKEND if named is None else str(named)


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
