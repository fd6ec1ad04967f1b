"""Numbers of the reference simulator: those of the machine, or decimal ones with many digits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

N = TypeVar("N", float, Decimal)
"""A kind of number."""


@dataclass(frozen=True, slots=True)
class Arithmetic(Generic[N]):
    """Numbers to compute with.

    Parameters
    ----------
    number : callable
        Makes such a number from a float, exactly.
    exp, expm1 : callable
        ``exp(x)`` and ``exp(x) - 1``.
    resolution : number
        Width at which a bisection ends; 0 for the last bit.
    """

    number: Callable[[float], N]
    exp: Callable[[N], N]
    expm1: Callable[[N], N]
    resolution: N


def doubles() -> Arithmetic[float]:
    """Return the arithmetic of the machine: float64."""
    return Arithmetic(float, math.exp, math.expm1, 0.0)


def decimals(digits: int) -> Arithmetic[Decimal]:
    """Return an arithmetic of as many digits as the decimal context has in which the caller computes.

    A bisection ends eight digits before the last.
    """
    return Arithmetic(Decimal, Decimal.exp, lambda x: x.exp() - 1, Decimal(10) ** (8 - digits))
