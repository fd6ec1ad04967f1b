"""What a YAML file says, as frozen records with units resolved.

All quantities are in PyNN's base units: ms, mV, nA, nF, MOhm, uS; rates in 1/ms. Voltages of the
normalized cells (``LIF``, ``LI``) are dimensionless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.equations import Equations
from netdesc.errors import Location


@dataclass(frozen=True, slots=True)
class Constant:
    """One number for every element.

    Parameters
    ----------
    value : float
        In base units.
    """

    value: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """A random draw for every element.

    Parameters
    ----------
    kind : str
        ``normal``, ``uniform``, ``lognormal``, ``normal_clipped``, ``gamma`` or ``exponential``
        (PyNN's names).
    parameters : mapping of str to float
        PyNN's parameter names, for example ``{"mu": 1.5, "sigma": 0.78}``, in base units.
    """

    kind: str
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Explicit:
    """A value for every element, written out or read from a file.

    Parameters
    ----------
    values : ndarray of float64
        Shape (pre, post) for projections, (size,) for populations, in base units; NaN stands where
        there is no element (``null`` in the file).
    """

    values: NDArray[np.float64]


Value = Constant | Distribution | Explicit


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that may be trained.

    Parameters
    ----------
    init : Constant, Distribution or Explicit
        Value at the start.
    train : bool
        Whether training changes it.
    low, high : float
        Bounds kept during training, in base units.
    """

    init: Value
    train: bool = False
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind with its options, each option with its default filled in and its unit resolved.

    Parameters
    ----------
    kind : str
        The key of the one-key mapping, for example ``fixed_probability``.
    options : mapping
        For example ``{"p": 0.1, "allow_self_connections": True}``.
    """

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neuron:
    """A neuron type.

    Parameters
    ----------
    model : str
        ``LIF``, ``LI``, ``IF_curr_exp``, ``IF_cond_exp``, ...
    parameters : mapping of str to Parameter
        Every parameter of the model, defaults filled in, by the name it has in the file.
    reset : str
        ``to_value`` or ``subtract``.
    equations : Equations or None
        Of a type that the file, or the catalogue of models, gives by its equations.
    initial : mapping of str to Value
        Values of its state variables at t = 0 where the type says so.
    """

    model: str
    parameters: Mapping[str, Parameter]
    reset: str = "to_value"
    equations: Equations | None = None
    initial: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Population:
    """A population of neurons or of spike sources.

    Parameters
    ----------
    name : str
    size : int
        Number of neurons.
    shape : tuple of int
        As written; ``(size,)`` where the file has a number.
    neuron : Neuron or None
        None for a source.
    source : Choice or None
        ``dataset`` (no options), ``spike_times`` (``times``: tuple of tuples of ms, one per neuron),
        ``poisson`` (``rate``: Value in 1/ms, ``start``, ``stop`` in ms).
    initial : mapping of str to Value
        ``v`` and ``i`` (``i_exc``, ``i_inh``) at t = 0 where the file says so; a neuron that is not
        mentioned starts at rest.
    current : Value
        Constant input current, added to the cell's own ``i_offset``.
    """

    name: str
    size: int
    shape: tuple[int, ...]
    neuron: Neuron | None
    source: Choice | None
    initial: Mapping[str, Value]
    current: Value


@dataclass(frozen=True, slots=True)
class Projection:
    """Synapses from one population to one or several others.

    Parameters
    ----------
    name : str
    pre : str
        Population of the sources.
    post : tuple of str
        Populations of the targets.
    connector : Choice
        ``all_to_all``, ``one_to_one``, ``fixed_probability``, ``fixed_number_pre``,
        ``fixed_number_post``, ``fixed_total_number``, ``list`` (``pairs``: tuple of (pre, post)),
        ``array`` (``values``: ndarray of bool, pre by post).
    receptor : str
        ``excitatory``, ``inhibitory`` or ``signed``.
    weight, delay : Parameter
        Weight in units of the cell, delay in ms.
    plasticity : Choice or None
        None for static weights.
    """

    name: str
    pre: str
    post: tuple[str, ...]
    connector: Choice
    receptor: str
    weight: Parameter
    delay: Parameter
    plasticity: Choice | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """Where samples come from.

    Parameters
    ----------
    dataset : Choice or None
        For example ``yin_yang`` with ``train``, ``validation``, ``test`` sizes; None where a Python program
        passes the samples.
    encoder : Choice or None
        For example ``latency`` with ``t_early``, ``t_late``, ``bias`` in ms.
    augmentation : tuple of Choice
    directory : Path
        Where relative paths of the dataset begin: the folder of the file.
    """

    dataset: Choice | None
    encoder: Choice | None
    augmentation: tuple[Choice, ...] = ()
    directory: Path = Path()

    def drawn(self) -> bool:
        """Return whether the samples are drawn, not read."""
        return self.dataset is not None and self.dataset.kind == "yin_yang"

    def option(self, name: str) -> Any:
        """Return an option of the dataset; None where it, or the dataset, is missing."""
        return None if self.dataset is None else self.dataset.options.get(name)


@dataclass(frozen=True, slots=True)
class Loss:
    """One term of the total loss.

    Parameters
    ----------
    name : str
    kind : str
        For example ``time_to_first_spike``.
    population : str
    weight : float
        Factor of this term in the total.
    options : mapping
        The other keys of the loss, for example ``tau_0`` in ms; ``target`` is None where the label
        of the dataset serves.
    """

    name: str
    kind: str
    population: str
    weight: float
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Training:
    """How to train.

    Parameters
    ----------
    gradient : Choice
        ``eventprop`` or ``surrogate``.
    optimizer : Choice
        ``adam``, ``adamw`` or ``sgd`` with their options.
    schedule : Choice
        ``constant``, ``exponential``, ``step`` or ``cosine``.
    epochs, batch_size : int
    silent_neurons : Choice
        ``ignore`` or ``weight_bump``.
    early_stopping : Choice or None
    options : mapping
        Every other key of the section, for example ``forward_backend`` and ``on_device``.
    """

    gradient: Choice
    optimizer: Choice
    schedule: Choice
    epochs: int
    batch_size: int
    silent_neurons: Choice
    early_stopping: Choice | None
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """A quantity to keep from a run.

    Parameters
    ----------
    population : str
    variable : str
        ``spikes``, ``v``, ``i``, ``lam_v`` or ``lam_i``.
    neurons : tuple of int or None
        Which neurons; None for all.
    every : float or None
        Sampling interval in ms; None for ``spikes``.
    """

    population: str
    variable: str
    neurons: tuple[int, ...] | None
    every: float | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What holds for the whole run.

    Parameters
    ----------
    duration : float
        Length of a sample in ms.
    seed : int
        Seed of all random numbers.
    loop_delay : str
        ``exact`` or ``one_tick``: what a grid makes of a cycle without delay.
    carry_state : bool
        Whether a sample starts in the state in which the one before it ended.
    max_memory : float
        Bytes that the drawn network and the spikes of a run may take.
    """

    duration: float
    seed: int
    loop_delay: str = "exact"
    carry_state: bool = False
    max_memory: float = 16 * 2.0**30


@dataclass(frozen=True, slots=True)
class Description:
    """A whole file, valid and resolved.

    Parameters
    ----------
    name, description : str
    simulation : Simulation
    populations, projections, losses : mapping of str to records, in the order of the file
    data : Data or None
    training : Training or None
    record : tuple of Recording
    backends : mapping of str to mapping
        Options per backend, units resolved, as the schema of that backend orders them.
    expect : mapping
        Checks on results, quantities in base units.
    sweep : mapping
        As written.
    locations : mapping of str to Location
        Dotted path to its place in the file.
    resolved : mapping
        The file as plain data with parameters evaluated, overrides applied and every default written out.
    digest : str
        SHA-256 of the canonical JSON text of ``resolved``, hexadecimal.
    mentions : tuple of str
        Texts of the file that may name other files.
    """

    name: str
    description: str
    simulation: Simulation
    populations: Mapping[str, Population]
    projections: Mapping[str, Projection]
    losses: Mapping[str, Loss]
    data: Data | None
    training: Training | None
    record: tuple[Recording, ...]
    backends: Mapping[str, Mapping[str, Any]]
    expect: Mapping[str, Any]
    sweep: Mapping[str, Any]
    locations: Mapping[str, Location]
    resolved: Mapping[str, Any]
    digest: str
    mentions: tuple[str, ...] = field(default=(), compare=False)
