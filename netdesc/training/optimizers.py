"""Optimizers as pure functions of vectors, so that their state is easy to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from netdesc.description.model import Choice
from netdesc.dynamics.jit import kernel
from netdesc.errors import BackendError
from netdesc.events import Floats, frozen
from netdesc.parameters import DELAY, WEIGHT
from netdesc.training.flat_parameters import FlatParameters


class OptimizerState(NamedTuple):
    """What an optimizer remembers from step to step.

    Parameters
    ----------
    steps : int
        Number of steps so far.
    moments : mapping of str to ndarray of float64, shape (n,)
    """

    steps: int
    moments: Mapping[str, Floats]


class Vectors(NamedTuple):
    """Parameters and what Adam remembers of them.

    Parameters
    ----------
    values, first, second : ndarray of float64, shape (n,)
    """

    values: Floats
    first: Floats
    second: Floats


class AdamRule(NamedTuple):
    """Numbers of a step of Adam.

    Parameters
    ----------
    beta_1, beta_2, epsilon : float
    bias_1, bias_2 : float
        What the moments of this step are divided by.
    factor : float
        Multiplies every learning rate.
    """

    beta_1: float
    beta_2: float
    epsilon: float
    bias_1: float
    bias_2: float
    factor: float


@kernel
def step_adam(
    old: Vectors, gradient: Floats, rates: Floats, decay: Floats, rule: AdamRule, new: Vectors
) -> None:
    """Take a step of Adam in one pass over the parameters.

    Parameters
    ----------
    old : Vectors
    gradient : ndarray of float64, shape (n,)
    rates : ndarray of float64, shape (n,) or (1,)
        A single one where it is that of all parameters.
    decay : ndarray of float64, shape (n,) or (0,)
        Empty without weight decay.
    rule : AdamRule
    new : Vectors
        Results.
    """
    decays, step = len(decay) > 0, 1 if len(rates) > 1 else 0
    for k in range(len(gradient)):
        rate = rates[k * step]
        first = rule.beta_1 * old.first[k] + (1.0 - rule.beta_1) * gradient[k]
        second = rule.beta_2 * old.second[k] + (1.0 - rule.beta_2) * (gradient[k] * gradient[k])
        size = np.sqrt(second / rule.bias_2) + rule.epsilon
        change = rate * (first / (rule.bias_1 * size))
        if decays:
            change += rate * decay[k] * old.values[k]
        new.first[k] = first
        new.second[k] = second
        new.values[k] = old.values[k] - rule.factor * change


NOTHING = frozen(np.empty(0), np.float64)


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam, with decoupled weight decay where there is one (AdamW).

    Parameters
    ----------
    rates : ndarray of float64, shape (n,) or (1,)
        Learning rate of every parameter; a single one where they are equal.
    beta_1, beta_2, epsilon : float
    decay : ndarray of float64, shape (n,), or None
        Weight decay of every parameter.

    Notes
    -----
    Kingma and Ba (2015), Adam, algorithm 1; Loshchilov and Hutter (2019), Decoupled weight decay
    regularization, algorithm 2.
    """

    rates: Floats
    beta_1: float
    beta_2: float
    epsilon: float
    decay: Floats | None = None

    def start(self, size: int) -> OptimizerState:
        """Return the state of some parameters before the first step: zero moments."""
        return OptimizerState(0, {"first": np.zeros(size), "second": np.zeros(size)})

    def update(
        self, values: Floats, gradient: Floats, state: OptimizerState, *, factor: float
    ) -> tuple[Floats, OptimizerState]:
        """Take one step.

        Parameters
        ----------
        values, gradient : ndarray of float64, shape (n,)
        state : OptimizerState
        factor : float
            Of the schedule; multiplies every learning rate.

        Returns
        -------
        values : ndarray of float64, shape (n,)
            New array.
        state : OptimizerState
        """
        steps, size = state.steps + 1, len(values)
        bias_1, bias_2 = 1.0 - self.beta_1**steps, 1.0 - self.beta_2**steps
        rule = AdamRule(self.beta_1, self.beta_2, self.epsilon, bias_1, bias_2, factor)
        new = Vectors(np.empty(size), np.empty(size), np.empty(size))
        # Read-only without exception: the kernel is compiled for one kind of array.
        first, second = (
            frozen(state.moments["first"], np.float64),
            frozen(state.moments["second"], np.float64),
        )
        old = Vectors(frozen(values, np.float64), first, second)
        decay = NOTHING if self.decay is None else frozen(self.decay, np.float64)
        step_adam(old, frozen(gradient, np.float64), frozen(self.rates, np.float64), decay, rule, new)
        new.first.flags.writeable = new.second.flags.writeable = False
        return new.values, OptimizerState(steps, {"first": new.first, "second": new.second})


@dataclass(frozen=True, slots=True)
class Descent:
    """Stochastic gradient descent with momentum.

    Parameters
    ----------
    rates : ndarray of float64, shape (n,)
        Learning rate of every parameter.
    momentum : float
        0 for plain descent.
    """

    rates: Floats
    momentum: float

    def start(self, size: int) -> OptimizerState:
        """Return zero velocity."""
        return OptimizerState(0, {"velocity": np.zeros(size)})

    def update(
        self, values: Floats, gradient: Floats, state: OptimizerState, *, factor: float
    ) -> tuple[Floats, OptimizerState]:
        """Take one step; see ``Adam.update``."""
        velocity = self.momentum * state.moments["velocity"] + gradient
        moved = values - factor * self.rates * velocity
        return moved, OptimizerState(state.steps + 1, {"velocity": velocity})


Optimizer = Adam | Descent
"""A rule to change parameters."""


def build_optimizer(choice: Choice, flat: FlatParameters) -> Optimizer:
    """Build the optimizer that a file names.

    Parameters
    ----------
    choice : Choice
        ``adam``, ``adamw`` or ``sgd``. ``learning_rate`` in the units of the weights;
        ``delay_learning_rate`` in ms, None for the same number as ``learning_rate``.
    flat : FlatParameters

    Raises
    ------
    BackendError
        If there is no such optimizer.
    """
    if choice.kind not in DEFAULTS:
        raise BackendError(
            f"optimizer {choice.kind} is not available; use one of {', '.join(DEFAULTS)}",
            path="training.optimizer",
        )
    options = fill_options(choice)
    rate = options["learning_rate"]
    rates = flat.by_quantity({WEIGHT: rate, DELAY: options.get("delay_learning_rate", rate)})
    if choice.kind == "sgd":
        return Descent(rates, options["momentum"])
    # Delays do not decay.
    decay = (
        flat.by_quantity({WEIGHT: options["weight_decay"], DELAY: 0.0}) if choice.kind == "adamw" else None
    )
    fade = None if decay is None else frozen(decay, np.float64)
    numbers = options["beta_1"], options["beta_2"], options["epsilon"]
    alike = bool(np.all(rates == rates[0]))
    return Adam(frozen(rates[:1].copy() if alike else rates, np.float64), *numbers, fade)


def fill_options(choice: Choice) -> dict[str, float]:
    """Return all numbers of an optimizer, defaults filled in.

    Parameters
    ----------
    choice : Choice
        One of the optimizers of ``build_optimizer``.

    Returns
    -------
    dict of str to float
        Without what is None.
    """
    given = {name: float(value) for name, value in choice.options.items() if value is not None}
    return {**DEFAULTS[choice.kind], **given}


DEFAULTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        "adamw": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
        "sgd": {"momentum": 0.0},
    }
)
"""Numbers of the optimizers that a file need not give, by the name that they have in the file."""
