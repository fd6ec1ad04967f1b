"""A cell as equations: what its file in ``netdesc.models``, or a user, writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KIND = "equations"
"""What stands in a file in place of a model's name where a cell is given by its equations."""

OFFSET = "i_offset"
"""Name of the parameter to which a population's constant current is added."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a cell.

    Parameters
    ----------
    unit : str
        Base unit of its values: ``ms``, ``mV``, ``nA``, ``nF``, ``uS``, or empty for a number without unit.
    default : str
        As written in a file, with unit.
    meaning : str
        One phrase.
    low : float
        Smallest value, in the base unit.
    above : bool
        Whether ``low`` itself is excluded.
    """

    unit: str
    default: str
    meaning: str
    low: float = -float("inf")
    above: bool = False


@dataclass(frozen=True, slots=True)
class Receptor:
    """A kind of synapse.

    Parameters
    ----------
    state : mapping of str to str
        Unit of each state variable.
    dynamics : mapping of str to str
        d/dt of each.
    arrival : mapping of str to str
        New values of the variables that an arrival of ``weight`` changes.
    current : str
        What it adds to ``i_syn``.
    parameters : tuple of str
        Names of its own parameters; among those of the cell they end with an underscore and its name.
    """

    state: Mapping[str, str]
    dynamics: Mapping[str, str]
    arrival: Mapping[str, str]
    current: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Equations:
    """A cell; two are the same where they are one object, as in the catalogue of models.

    Parameters
    ----------
    name : str
    description : str
        One sentence.
    state : mapping of str to str
        Unit of each state variable; the first is the membrane voltage.
    initial : mapping of str to str
        Value of each at 0, as an expression of parameters; 0 where absent.
    parameters : mapping of str to Parameter
    dynamics : mapping of str to str
        d/dt of each state variable. ``i_syn`` is the sum of the currents of all receptors, ``i_RECEPTOR``
        that of one.
    receptors : mapping of str to Receptor
    threshold : str
        Expression; a spike where it reaches 0 from below.
    reset : mapping of str to str
        New values after a spike; what is absent stays.
    refractory : str
        Name of the parameter that holds the refractory period; empty for none.
    hold : tuple of str
        Variables that do not change during it.
    order : tuple of str
        Two parameters of which the first must lie below the second, or the neuron would spike endlessly.
    offset : str
        Name of the parameter to which a population's constant current is added; empty for none.
    weight : str
        Base unit of the weights.
    """

    name: str
    description: str
    state: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    dynamics: Mapping[str, str]
    receptors: Mapping[str, Receptor]
    threshold: str
    reset: Mapping[str, str]
    initial: Mapping[str, str] = field(default_factory=dict)
    refractory: str = ""
    hold: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    offset: str = ""
    weight: str = "nA"

    @property
    def conductance(self) -> bool:
        """Whether weights are conductances, so that they have no sign."""
        return self.weight == "uS"

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of all state variables; those of receptors end with an underscore and its name."""
        inner = (f"{name}_{receptor}" for receptor, item in self.receptors.items() for name in item.state)
        return (*self.state, *inner)
