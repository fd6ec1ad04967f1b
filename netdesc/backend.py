"""The contract between netdesc and a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Events, Floats, Integers
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
            By the keys of the program's blocks, in the units of the file; parameters that are absent keep
            their values.

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
            Seed of the random numbers of the device.

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
        """Propagate the derivative of a loss back to the parameters.

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


@dataclass(frozen=True, slots=True)
class Objective:
    """One term of a loss, as plain data for a device that computes it.

    Parameters
    ----------
    kind, population : str
        For example ``time_to_first_spike``; whose spikes it reads.
    weight : float
        Factor of this term in the total.
    options : mapping
        As in the file, for example ``tau_0`` in ms.
    """

    kind: str
    population: str
    weight: float
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LearningRule:
    """What a device needs to know in order to learn by itself.

    Parameters
    ----------
    objectives : tuple of Objective
        The loss of a batch is the mean over its samples of their weighted sum; predictions are read
        from the population of the first.
    optimizer : str
        ``adam``, ``adamw`` or ``sgd``.
    options : mapping of str to float
        ``learning_rate`` in the units of the weights, and every other number of the optimizer, for
        example ``beta_1``, ``beta_2``, ``epsilon``, ``weight_decay``, ``momentum``; defaults filled in.
    """

    objectives: tuple[Objective, ...]
    optimizer: str
    options: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step of learning on a device.

    Parameters
    ----------
    loss : float
        Of the batch, with the weights before the step.
    correct : ndarray of bool, shape (batch,), or None
        Whether the prediction is the target; None without targets.
    predictions : ndarray of int64, shape (batch,)
        Neuron that spikes first, the smallest index where several do; -1 where none spikes.
    ties : ndarray of bool, shape (batch,)
        Whether several neurons spike first at the same time.
    silent_targets : int
        Samples in which the neuron of the target does not spike.
    silent_neurons : int
        Spiking neurons that are silent in every sample of the batch.
    spikes : mapping of str to int
        Spikes in all samples, by population, sources included.
    health, costs : mapping
        As in ``Trace``; ``grazing`` as in ``Gradient``.
    """

    loss: float
    correct: NDArray[np.bool_] | None
    predictions: Integers
    ties: NDArray[np.bool_]
    silent_targets: int
    silent_neurons: int
    spikes: Mapping[str, int]
    health: Mapping[str, int] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LearningState:
    """All that a device has learned, read back.

    Parameters
    ----------
    steps : int
        Steps of the optimizer so far.
    parameters : mapping of str to ndarray of float64, shape (k,)
        By the keys of ``Program.trainable``, as the optimizer holds them.
    moments : mapping of str to mapping of str to ndarray of float64, shape (k,)
        ``first`` and ``second`` for Adam, ``velocity`` for descent; each by the keys of
        ``Program.trainable``.
    """

    steps: int
    parameters: Mapping[str, Floats]
    moments: Mapping[str, Mapping[str, Floats]]


class BatchGradient(NamedTuple):
    """A batch with its gradient.

    Parameters
    ----------
    report : StepReport
        With the counts of the batch.
    gradient : ndarray of float64, shape (n,)
        Of the loss, by all trainable parameters, in the order of ``Program.trainable``; overwritten by the
        next batch.
    silent : ndarray of bool, shape (neurons + 1,)
        By program-wide index, the spiking neurons that are silent in every sample; the last element is False.
    """

    report: StepReport
    gradient: Floats
    silent: NDArray[np.bool_]


LossGradient = Callable[[Floats, Events, Integers], BatchGradient | None]
"""Runs a batch with some values of all trainable parameters, shape (n,), a stimulus and labels.

The result is that of write, forward, loss and adjoint, to the last bit; what the machine was written before
stays. None where the batch is one that those refuse, or cannot be run in this way.
"""


@runtime_checkable
class LossFusion(Protocol):
    """Additional method of a machine that runs forward, loss and adjoint in one go."""

    def fuse(self, objectives: Sequence[Objective]) -> LossGradient | None:
        """Return such a run for some losses.

        Parameters
        ----------
        objectives : sequence of Objective
            The loss of a batch is the mean over its samples of their weighted sum.

        Returns
        -------
        LossGradient or None
            None where the losses or the program are run one after the other.
        """
        ...


@runtime_checkable
class OnDeviceLearning(Protocol):
    """Additional methods of a machine whose substrate computes loss and optimizer itself.

    Its parameters after a step agree with those of write, forward, loss, adjoint and the optimizer of the
    host, up to the arithmetic of the device.
    """

    def prepare(self, rule: LearningRule) -> None:
        """Configure loss and optimizer, with zero moments and the parameters that are written.

        Parameters
        ----------
        rule : LearningRule

        Raises
        ------
        BackendError
            With everything that the device cannot do.
        """
        ...

    def learn(
        self, stimulus: Events, targets: Integers | None, *, seed: int, factor: float = 1.0
    ) -> StepReport:
        """Run a batch forward and backward and take one step.

        Parameters
        ----------
        stimulus : Events
            A batch of any size; where it is larger than what the device runs in parallel, the rest
            follows in turn, and there is still one step.
        targets : ndarray of int64, shape (batch,), or None
            None where every objective has a target of its own.
        seed : int
            As in ``Machine.forward``.
        factor : float
            Of the schedule; multiplies every learning rate.

        Returns
        -------
        StepReport

        Raises
        ------
        NumericsError
            If a number is not finite, or the run cannot be completed.
        """
        ...

    def state(self) -> LearningState:
        """Read back what was learned.

        Returns
        -------
        LearningState
            ``restore`` of it changes nothing, bit for bit.
        """
        ...

    def restore(self, state: LearningState) -> None:
        """Put back what was learned, here or elsewhere; rounded to the arithmetic of the device.

        Parameters
        ----------
        state : LearningState

        Raises
        ------
        NumericsError
            If a value is not finite or an array has the wrong size.
        """
        ...


class Backend(Protocol):
    """A kind of device: stateless, configured once.

    A class may declare its options as ``declared_options``, a tuple of `netdesc.options.Option`: they are
    validated, converted to base units, described in the schema and listed by ``netdesc backends``.
    """

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
            If an option is unknown or invalid.
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
            Seed of what is drawn once per device, such as a fixed pattern.

        Returns
        -------
        Machine

        Raises
        ------
        BackendError
            If the device cannot run the program.
        """
        ...
