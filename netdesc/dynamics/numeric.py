"""Cells without a closed form: steps of an explicit method of order 8, and a root search within a step.

The steps are those of Dormand and Prince's method of order 8 with error estimates of order 5 and 3 (Hairer,
Norsett and Wanner 1993, Solving Ordinary Differential Equations I, section II.5: DOP853). Their lengths come
from the state at the start of an interval, not from its length, so that a spike found in a step lies on the
same steps when the state is carried there. The adjoint is that of the steps that ran.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.dynamics.jit import shared
from netdesc.dynamics.linear import margin, margin_rate
from netdesc.dynamics.protocol import NEVER, State, load, operation
from netdesc.events import Floats

TOLERANCE = 1e-11
"""Error of a step, relative to the variable or to ``LEAST``, whichever is larger."""

LEAST = 1e-3
FIRST = 0.5
"""Length of the first step that is tried, in ms."""

LONGEST = 20.0
SHORTEST = 1e-9
STEPS = 60

A: tuple[tuple[tuple[int, float], ...], ...] = (
    (),
    ((0, 0.05260015195876773),),
    ((0, 0.0197250569845379), (1, 0.0591751709536137)),
    ((0, 0.02958758547680685), (2, 0.08876275643042054)),
    ((0, 0.2413651341592667), (2, -0.8845494793282861), (3, 0.924834003261792)),
    ((0, 0.037037037037037035), (3, 0.17082860872947386), (4, 0.12546768756682242)),
    ((0, 0.037109375), (3, 0.17025221101954405), (4, 0.06021653898045596), (5, -0.017578125)),
    (
        (0, 0.03709200011850479), (3, 0.17038392571223998), (4, 0.10726203044637328),
        (5, -0.015319437748624402), (6, 0.008273789163814023),
    ),
    (
        (0, 0.6241109587160757), (3, -3.3608926294469414), (4, -0.868219346841726), (5, 27.59209969944671),
        (6, 20.154067550477894), (7, -43.48988418106996),
    ),
    (
        (0, 0.47766253643826434), (3, -2.4881146199716677), (4, -0.590290826836843), (5, 21.230051448181193),
        (6, 15.279233632882423), (7, -33.28821096898486), (8, -0.020331201708508627),
    ),
    (
        (0, -0.9371424300859873), (3, 5.186372428844064), (4, 1.0914373489967295), (5, -8.149787010746927),
        (6, -18.52006565999696), (7, 22.739487099350505), (8, 2.4936055526796523), (9, -3.0467644718982196),
    ),
    (
        (0, 2.273310147516538), (3, -10.53449546673725), (4, -2.0008720582248625), (5, -17.9589318631188),
        (6, 27.94888452941996), (7, -2.8589982771350235), (8, -8.87285693353063), (9, 12.360567175794303),
        (10, 0.6433927460157636),
    ),
)  # fmt: skip
B = (
    (0, 0.054293734116568765), (5, 4.450312892752409), (6, 1.8915178993145003), (7, -5.801203960010585),
    (8, 0.3111643669578199), (9, -0.1521609496625161), (10, 0.20136540080403034), (11, 0.04471061572777259),
)  # fmt: skip
E3 = (
    (0, -0.18980075407240762), (5, 4.450312892752409), (6, 1.8915178993145003), (7, -5.801203960010585),
    (8, -0.4226823213237919), (9, -0.1521609496625161), (10, 0.20136540080403034), (11, 0.02265179219836082),
)  # fmt: skip
E5 = (
    (0, 0.01312004499419488), (5, -1.2251564463762044), (6, -0.4957589496572502),
    (7, 1.6643771824549864), (8, -0.35032884874997366), (9, 0.3341791187130175),
    (10, 0.08192320648511571), (11, -0.022355307863886294),
)  # fmt: skip
"""Coefficients of the stages, of the result and of both error estimates, those that are not 0, by stage."""


@operation
def attempt(x: State, cells: Any, cell: int, h: float, within: bool) -> tuple[State, float]:
    """Return the state after one step of h ms, and its error in units of the tolerance."""


@operation
def attempt_adjoint(lam: State, x: State, cells: Any, cell: int, h: float, within: bool) -> State:
    """Return the adjoint before one step of h ms from state x."""


@shared
def error_of(first: float, second: float, width: int) -> float:
    """Return the error of a step in units of the tolerance, from the sums of squares of both estimates."""
    whole = first + 0.01 * second
    if not whole < np.inf:
        return np.inf
    return first / np.sqrt(whole * width) if whole > 0.0 else 0.0


@shared
def next_length(h: float, error: float) -> float:
    """Return the length of the next step, or of a shorter one in place of a step whose error is above 1."""
    if not error < np.inf:
        return 0.2 * h
    factor = 5.0 if error < 1e-6 else 0.9 * error**-0.125
    return min(LONGEST, h * min(5.0, max(0.2, factor)))


@shared
def take_step(
    x: State, cells: Any, cell: int, h: float, left: float, within: bool
) -> tuple[State, float, float]:
    """Return the state after the next step of at most ``left`` ms, its length, and what to try after it."""
    while True:
        span = min(h, left)
        y, error = attempt(x, cells, cell, span, within)
        h = next_length(span, error)
        if error <= 1.0 or span <= SHORTEST:
            return y, span, h


@shared
def integrate(x: State, cells: Any, cell: int, s: float, within: bool) -> State:
    """Return the state after s ms."""
    t, h = 0.0, FIRST
    while t < s:
        x, span, h = take_step(x, cells, cell, h, s - t, within)
        t = s if span == s - t else t + span
    return x


@shared
def integrate_adjoint(lam: State, x: State, cells: Any, cell: int, s: float, within: bool) -> State:
    """Return the adjoint before s ms from state x, along the steps of ``integrate``."""
    room, used = 64, 0
    lengths, states = np.empty(room), np.empty((room, len(x)))
    t, h = 0.0, FIRST
    while t < s:
        if used == room:
            room *= 2
            lengths, states = widen(lengths, states, room)
        for k in range(len(x)):
            states[used, k] = x[k]
        x, span, h = take_step(x, cells, cell, h, s - t, within)
        lengths[used] = span
        used += 1
        t = s if span == s - t else t + span
    for m in range(used - 1, -1, -1):
        lam = attempt_adjoint(lam, load(states, m, cells), cells, cell, lengths[m], within)
    return lam


@shared
def widen(lengths: Floats, states: Floats, room: int) -> tuple[Floats, Floats]:
    """Return longer copies."""
    wider, more = np.empty(room), np.empty((room, states.shape[1]))
    # assignments of slices would take seconds to compile
    for m in range(len(lengths)):
        wider[m] = lengths[m]
        for k in range(states.shape[1]):
            more[m, k] = states[m, k]
    return wider, more


@shared
def root_in_step(x: State, cells: Any, cell: int, right: float) -> float:
    """Return the step from x after which the margin is 0; it is below 0 at x, and not so at ``right``."""
    left, free = 0.0, bool(0)
    here = margin(x, cells, cell)
    s = right * here / (here - margin(attempt(x, cells, cell, right, free)[0], cells, cell))
    for _ in range(STEPS):
        if not left < s < right:
            s = 0.5 * (left + right)
        y, _ = attempt(x, cells, cell, s, free)
        miss = margin(y, cells, cell)
        if miss < 0.0:
            left = s
        else:
            right = s
        step = miss / margin_rate(y, cells, cell)
        if miss == 0.0 or abs(step) <= 1e-14 * (1.0 + s) or right - left <= 1e-15 * right:
            return min(max(s - step, left), right)
        s -= step
    return right


@shared
def summit(x: State, cells: Any, cell: int, span: float) -> float:
    """Return where within a step the margin is largest; it rises at its start and falls at its end."""
    left, right, free = 0.0, span, bool(0)
    for _ in range(STEPS):
        s = 0.5 * (left + right)
        if margin_rate(attempt(x, cells, cell, s, free)[0], cells, cell) > 0.0:
            left = s
        else:
            right = s
    return left


@shared
def first_crossing(x: State, cells: Any, cell: int, s: float) -> float:
    """Return the first time within s ms at which the margin reaches 0 from below; ``NEVER`` without.

    Within a step the margin has at most one summit: its third derivative keeps its sign on steps whose error
    is that small.
    """
    t, h, free = 0.0, FIRST, bool(0)
    here, rate = margin(x, cells, cell), margin_rate(x, cells, cell)
    if here >= 0.0 and rate > 0.0:
        return 0.0
    while t < s:
        y, span, h = take_step(x, cells, cell, h, s - t, free)
        there, rate_there = margin(y, cells, cell), margin_rate(y, cells, cell)
        if there >= 0.0 and here < 0.0:
            return t + root_in_step(x, cells, cell, span)
        if here < 0.0 and rate > 0.0 and rate_there < 0.0:
            # both tangents lie above the margin
            top = (there - here - rate_there * span) / (rate - rate_there) * rate + here
            if top >= 0.0:
                peak = summit(x, cells, cell, span)
                if margin(attempt(x, cells, cell, peak, free)[0], cells, cell) >= 0.0:
                    return t + root_in_step(x, cells, cell, peak)
        x, here, rate = y, there, rate_there
        t = s if span == s - t else t + span
    return NEVER
