"""Small descriptions, made by hand so that the compiler is tested without the reader."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from netdesc.description.model import (
    Choice,
    Constant,
    Description,
    Explicit,
    Neuron,
    Parameter,
    Population,
    Projection,
    Simulation,
    Value,
)

LIF = {"tau_mem": 20.0, "tau_syn": 5.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, "tau_refrac": 0.0}
LI = {"tau_mem": 20.0, "tau_syn": 5.0, "v_leak": 0.0}
IF_CURR_EXP = {
    "v_rest": -65.0,
    "v_reset": -65.0,
    "v_thresh": -50.0,
    "cm": 1.0,
    "tau_m": 20.0,
    "tau_syn_E": 5.0,
    "tau_syn_I": 5.0,
    "tau_refrac": 0.1,
    "i_offset": 0.0,
}
DEFAULTS = {"LIF": LIF, "LI": LI, "IF_curr_exp": IF_CURR_EXP}


def as_value(value: object) -> Value:
    """Return a value from a number, a nested list or a value."""
    if isinstance(value, int | float):
        return Constant(float(value))
    if isinstance(value, list):
        return Explicit(np.array(value, dtype=float))
    return value


def as_parameter(value: object) -> Parameter:
    """Return a parameter from a number, a nested list, a value or a parameter."""
    return value if isinstance(value, Parameter) else Parameter(as_value(value))


def cells(name, size, model="LIF", *, initial=None, current=0.0, reset="to_value", **given) -> Population:
    """Return a population of neurons with default parameters but for those given."""
    parameters = {key: as_parameter(value) for key, value in (DEFAULTS.get(model, {}) | given).items()}
    start = {key: as_value(value) for key, value in (initial or {}).items()}
    return Population(name, size, (size,), Neuron(model, parameters, reset), None, start, as_value(current))


def sources(name, size, kind="dataset", **options) -> Population:
    """Return a population of sources."""
    return Population(name, size, (size,), None, Choice(kind, options), {}, Constant(0.0))


def projection(
    name,
    pre,
    post,
    *,
    rule="all_to_all",
    weight=1.0,
    delay=0.0,
    receptor="signed",
    plasticity=None,
    **options,
) -> Projection:
    """Return a projection; further options are those of the connector."""
    targets = (post,) if isinstance(post, str) else tuple(post)
    return Projection(
        name,
        pre,
        targets,
        Choice(rule, options),
        receptor,
        as_parameter(weight),
        as_parameter(delay),
        plasticity,
    )


def describe(
    populations: Iterable[Population],
    projections: Iterable[Projection] = (),
    *,
    seed=42,
    record=(),
    losses=None,
    locations=None,
    **simulation,
) -> Description:
    """Return a description of a network."""
    return Description(
        name="sketch",
        description="",
        simulation=Simulation(40.0, seed, **simulation),
        populations={item.name: item for item in populations},
        projections={item.name: item for item in projections},
        losses=losses or {},
        data=None,
        training=None,
        record=tuple(record),
        backends={},
        expect={},
        sweep={},
        locations=locations or {},
        resolved={},
        digest="digest",
    )
