"""An exponential that loops can be vectorized over."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from netdesc.physics.jit import equation

LOG2E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
# Adding 1.5 * 2**52 leaves the nearest integer in the low bits of the significand.
ROUNDER = 6755399441055744.0
UNDERFLOW = -708.0


@intrinsic
def power_of_two(typingctx: Any, rounded: Any) -> Any:
    """Return 2**n for a double that holds ``ROUNDER + n``, by moving n into the exponent's bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        bits = builder.shl(builder.add(bits, ir.Constant(word, 1023)), ir.Constant(word, 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), codegen


@equation
def exponential(x: float) -> float:
    """Return exp(x) for x <= 700.

    Parameters
    ----------
    x : float
        Results below the smallest normal number are 0.

    Returns
    -------
    float
        Within about one unit in the last place.

    Notes
    -----
    Reduction to ``|r| <= ln(2) / 2`` by a two-part ln 2, Taylor series of degree 13 (remainder 4e-18).
    """
    rounded = x * LOG2E + ROUNDER
    n = rounded - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = 1.0 / 6227020800.0
    p = p * r + 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = 1.0 + (r + r * r * p)
    return 0.0 if x < UNDERFLOW else p * power_of_two(rounded)


@equation
def relative_decay(x: float) -> float:
    """Return phi(x) = (1 - exp(-x)) / x for ``|x| <= 1/4``, with phi(0) = 1.

    Parameters
    ----------
    x : float

    Returns
    -------
    float
        Taylor series of degree 11 (remainder 1e-17).
    """
    p = -1.0 / 479001600.0
    p = p * x + 1.0 / 39916800.0
    p = p * x - 1.0 / 3628800.0
    p = p * x + 1.0 / 362880.0
    p = p * x - 1.0 / 40320.0
    p = p * x + 1.0 / 5040.0
    p = p * x - 1.0 / 720.0
    p = p * x + 1.0 / 120.0
    p = p * x - 1.0 / 24.0
    p = p * x + 1.0 / 6.0
    p = p * x - 0.5
    return p * x + 1.0
