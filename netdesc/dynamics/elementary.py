"""An exponential and a logarithm that loops can be vectorized over."""

from __future__ import annotations

from math import frexp, isfinite, ldexp
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from netdesc.dynamics.jit import inlined, instruction

LOG2E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
# Adding 1.5 * 2**52 leaves the nearest integer in the low bits of the significand.
ROUNDER = 6755399441055744.0
UNDERFLOW = -708.0


def _power_of_two(rounded: float) -> float:
    bits = np.float64(rounded).view(np.int64)
    return float(((bits + 1023) << 52).view(np.float64))


def _fused_multiply_add(x: float, y: float, z: float) -> float:
    plain = float(x) * float(y) + float(z)
    if not isfinite(plain):
        return plain
    (a, b), (c, d), (e, f) = (float(item).as_integer_ratio() for item in (x, y, z))
    exact = a * c * f + e * b * d
    # a quotient of integers is rounded once
    return exact / (b * d * f) if exact else plain


def _exponent_bits(x: float) -> float:
    return float(np.float64(x).view(np.int64) >> 52)


def _significand(x: float) -> float:
    return ldexp(frexp(x)[0], 1)


@instruction(_power_of_two)
def power_of_two(typingctx: Any, rounded: Any) -> Any:
    """Return 2**n for a double that holds ``ROUNDER + n``, by moving n into the exponent's bits."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        bits = builder.shl(builder.add(bits, ir.Constant(word, 1023)), ir.Constant(word, 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), codegen


@instruction(_fused_multiply_add)
def fused_multiply_add(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x * y + z, rounded once."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), codegen


@inlined
def fused(x: float, y: float, z: float) -> float:
    """Return x * y + z, rounded once."""
    return fused_multiply_add(x, y, z)


@inlined
def reduce(x: float) -> tuple[float, float]:
    """Return n and ``exp(x - n ln 2) - 1`` for the integer n next to ``x / ln 2``, as ``ROUNDER + n``.

    Notes
    -----
    A two-part ln 2, and the Taylor series of degree 13 (remainder 4e-18).
    """
    rounded = fused(x, LOG2E, ROUNDER)
    n = rounded - ROUNDER
    r = fused(-n, LN2_LOW, fused(-n, LN2_HIGH, x))
    # in pairs, not one term after the other: what limits a loop is how long one result waits for the other
    r2 = r * r
    r4 = r2 * r2
    low = fused(fused(1.0 / 120.0, r, 1.0 / 24.0), r2, fused(1.0 / 6.0, r, 0.5))
    middle = fused(fused(1.0 / 362880.0, r, 1.0 / 40320.0), r2, fused(1.0 / 5040.0, r, 1.0 / 720.0))
    high = fused(1.0 / 6227020800.0, r, 1.0 / 479001600.0)
    high = fused(high, r2, fused(1.0 / 39916800.0, r, 1.0 / 3628800.0))
    p = fused(high, r4 * r4, fused(middle, r4, low))
    return rounded, fused(r2, p, r)


@inlined
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
    """
    rounded, less = reduce(x)
    return 0.0 if x < UNDERFLOW else (1.0 + less) * power_of_two(rounded)


@inlined
def exponential_less_one(x: float) -> float:
    """Return exp(x) - 1 for x <= 700, without cancellation where x is small.

    Returns
    -------
    float
        Within about two units in the last place.
    """
    rounded, less = reduce(x)
    power = power_of_two(rounded)
    return -1.0 if x < UNDERFLOW else fused(power, less, power - 1.0)


@inlined
def relative_decay(x: float) -> float:
    """Return phi(x) = (1 - exp(-x)) / x for ``|x| <= 1``, with phi(0) = 1.

    Returns
    -------
    float
        Taylor series of degree 18 (remainder 8e-18).
    """
    p = 1.0 / 121645100408832000.0
    p = fused(p, x, -1.0 / 6402373705728000.0)
    p = fused(p, x, 1.0 / 355687428096000.0)
    p = fused(p, x, -1.0 / 20922789888000.0)
    p = fused(p, x, 1.0 / 1307674368000.0)
    p = fused(p, x, -1.0 / 87178291200.0)
    p = fused(p, x, 1.0 / 6227020800.0)
    p = fused(p, x, -1.0 / 479001600.0)
    p = fused(p, x, 1.0 / 39916800.0)
    p = fused(p, x, -1.0 / 3628800.0)
    p = fused(p, x, 1.0 / 362880.0)
    p = fused(p, x, -1.0 / 40320.0)
    p = fused(p, x, 1.0 / 5040.0)
    p = fused(p, x, -1.0 / 720.0)
    p = fused(p, x, 1.0 / 120.0)
    p = fused(p, x, -1.0 / 24.0)
    p = fused(p, x, 1.0 / 6.0)
    p = fused(p, x, -0.5)
    return fused(p, x, 1.0)


@instruction(_exponent_bits)
def exponent_bits(typingctx: Any, x: Any) -> Any:
    """Return the biased exponent of a positive normal double, as a double."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        # 2**52 + n as a double has n in its low bits
        shifted = builder.or_(
            builder.lshr(bits, ir.Constant(word, 52)), ir.Constant(word, 0x4330000000000000)
        )
        return builder.fsub(builder.bitcast(shifted, ir.DoubleType()), ir.Constant(ir.DoubleType(), 2.0**52))

    return types.float64(types.float64), codegen


@instruction(_significand)
def significand(typingctx: Any, x: Any) -> Any:
    """Return the significand of a positive normal double, in [1, 2)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.bitcast(args[0], word)
        kept = builder.and_(bits, ir.Constant(word, 0x000FFFFFFFFFFFFF))
        return builder.bitcast(builder.or_(kept, ir.Constant(word, 0x3FF0000000000000)), ir.DoubleType())

    return types.float64(types.float64), codegen


@inlined
def logarithm(x: float) -> float:
    """Return ln(x) for a positive normal number.

    Returns
    -------
    float
        Within about two units in the last place.

    Notes
    -----
    ``x = 2**e m`` with m around 1, and the series of ``2 artanh((m - 1) / (m + 1))`` (remainder 1e-18).
    """
    e = exponent_bits(x) - 1023.0
    m = significand(x)
    large = m > 1.4142135623730951
    m = 0.5 * m if large else m
    e = e + 1.0 if large else e
    f = (m - 1.0) / (m + 1.0)
    z = f * f
    z2 = z * z
    z4 = z2 * z2
    low = fused(fused(1.0 / 9.0, z, 1.0 / 7.0), z2, fused(1.0 / 5.0, z, 1.0 / 3.0))
    middle = fused(fused(1.0 / 17.0, z, 1.0 / 15.0), z2, fused(1.0 / 13.0, z, 1.0 / 11.0))
    p = fused(fused(1.0 / 21.0, z, 1.0 / 19.0), z4 * z4, fused(middle, z4, low))
    return fused(e, LN2_HIGH, fused(e, LN2_LOW, fused(2.0 * f * z, p, 2.0 * f)))
