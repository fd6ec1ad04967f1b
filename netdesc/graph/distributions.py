"""Values for every element of an object: constant, drawn or written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from netdesc.description.model import Constant, Distribution, Explicit, Value
from netdesc.errors import GraphError
from netdesc.events import Floats
from netdesc.streams import stream

_ROUNDS = 200

Sampler = Callable[[np.random.Generator, Mapping[str, float], int], Floats]


def _normal_clipped(generator: np.random.Generator, given: Mapping[str, float], size: int) -> Floats:
    low, high = given.get("low", -np.inf), given.get("high", np.inf)
    values = generator.normal(given["mu"], given["sigma"], size)
    for _ in range(_ROUNDS):
        outside = np.flatnonzero((values < low) | (values > high))
        if not len(outside):
            return values
        values[outside] = generator.normal(given["mu"], given["sigma"], len(outside))
    raise GraphError(
        f"normal_clipped: after {_ROUNDS} rounds {len(outside)} of {size} draws still lie outside "
        f"{low:g} to {high:g}; move mu towards that interval"
    )


_SAMPLERS: Mapping[str, Sampler] = {
    "normal": lambda generator, given, size: generator.normal(given["mu"], given["sigma"], size),
    "uniform": lambda generator, given, size: generator.uniform(given["low"], given["high"], size),
    "lognormal": lambda generator, given, size: generator.lognormal(given["mu"], given["sigma"], size),
    "normal_clipped": _normal_clipped,
    "gamma": lambda generator, given, size: generator.gamma(given["k"], given["theta"], size),
    "exponential": lambda generator, given, size: generator.exponential(given["beta"], size),
}


def draw(distribution: Distribution, size: int, *, seed: int, path: str) -> Floats:
    """Draw independent values, shape (size,), from the stream of ``path``.

    The parameters have the meaning they have in PyNN: ``lognormal`` takes mean and standard deviation of the
    logarithm, ``gamma`` shape and scale, ``exponential`` its mean, ``normal_clipped`` redraws what lies
    outside.

    Raises
    ------
    GraphError
        If the distribution is not known, or an interval is out of its reach.
    """
    sampler = _SAMPLERS.get(distribution.kind)
    if sampler is None:
        known = ", ".join(_SAMPLERS)
        raise GraphError(f"{distribution.kind} is not a distribution; choose one of {known}", path)
    try:
        return sampler(stream(seed, path), distribution.parameters, size)
    except GraphError as error:
        raise GraphError(error.diagnostics[0].message, path) from None


def resolve(value: Value, size: int, *, seed: int, path: str) -> Floats:
    """Return a value for each of ``size`` neurons, shape (size,), random ones from the stream of ``path``.

    Raises
    ------
    GraphError
        If the shape of explicit values does not fit, or a draw fails.
    """
    match value:
        case Constant():
            return np.full(size, value.value)
        case Distribution():
            return draw(value, size, seed=seed, path=path)
        case Explicit():
            if value.values.size != size:
                raise GraphError(
                    f"{value.values.size} values for {size} neurons; give one value per neuron", path
                )
            return np.array(value.values, dtype=np.float64).reshape(size)
