"""One membrane between two events: where it is, and when it first reaches the threshold.

The equations are those of a leaky integrator with exponential synaptic currents (Gerstner, Kistler, Naud and
Paninski, Neuronal Dynamics, 2014, chapter 1),

    tau_m dv/dt = rest - v + i,        i = sum_r i_r,        tau_r di_r/dt = -i_r.

The threshold is found by bisection alone. From ``d/ds (exp(s/tau_m) dv/dt) = exp(s/tau_m) di/dt / tau_m``
the scaled slope of the voltage is monotone wherever the total current is; so the slope changes its sign at
most once between two turning points of the current, and the voltage is monotone between the points so found.
The first of them at or above the threshold closes the bracket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic

from netdesc.testing.reference.arithmetic import Arithmetic, N


@dataclass(frozen=True, slots=True)
class Cell(Generic[N]):
    """Constants of one neuron.

    Parameters
    ----------
    tau_m, tau_ref : number
        In ms.
    tau_s : tuple of number
        One per synaptic current, at most two, in ms.
    rest, threshold, reset : number
        In the voltage of the cell; the threshold is infinite for a neuron that cannot spike.
    """

    tau_m: N
    tau_ref: N
    tau_s: tuple[N, ...]
    rest: N
    threshold: N
    reset: N

    @property
    def scale(self) -> N:
        """Voltage that counts as one when something is said to be close to the threshold."""
        return max(abs(self.threshold - self.rest), abs(self.threshold - self.reset))


@dataclass(frozen=True, slots=True)
class State(Generic[N]):
    """A neuron just after an event.

    Parameters
    ----------
    time : number
        In ms.
    voltage : number
    currents : tuple of number
        One per synaptic current, in the voltage of the cell.
    release : number
        Until when the voltage is held, in ms; not after ``time`` where it runs freely.
    """

    time: N
    voltage: N
    currents: tuple[N, ...]
    release: N


@dataclass(frozen=True, slots=True)
class Forecast(Generic[N]):
    """What a neuron does if nothing else happens to it.

    Parameters
    ----------
    crossing : number or None
        When it reaches the threshold, in ms.
    knots : tuple of (time, voltage)
        Where the voltage turns, up to the first turn at or above the threshold.
    """

    crossing: N | None
    knots: tuple[tuple[N, N], ...] = ()


def response(cell: Cell[N], tau_s: N, span: N, arithmetic: Arithmetic[N], *, lift: N) -> N:
    """Return the voltage that a unit of synaptic current has made after a time.

    Parameters
    ----------
    cell : Cell
    tau_s : number
        Time constant of the current, in ms.
    span : number
        Time since the voltage was zero and the current one, in ms.
    arithmetic : Arithmetic
    lift : number
        Exponent of a common factor of the result.

    Returns
    -------
    number
        ``exp(lift) tau_s / (tau_m - tau_s) (exp(-span/tau_m) - exp(-span/tau_s))``, without its cancellation.
    """
    slow = arithmetic.exp(lift - span / max(tau_s, cell.tau_m))
    gap = abs(span / tau_s - span / cell.tau_m)
    mean = -arithmetic.expm1(-gap) / gap if gap else arithmetic.number(1.0)
    return span / cell.tau_m * slow * mean


def flow(cell: Cell[N], state: State[N], time: N, arithmetic: Arithmetic[N]) -> State[N]:
    """Carry a neuron on to a later time in ms without events."""
    span = time - state.time
    currents = tuple(
        current * arithmetic.exp(-span / tau) for current, tau in zip(state.currents, cell.tau_s, strict=True)
    )
    if time <= state.release:
        return State(time, state.voltage, currents, state.release)
    if state.time < state.release:
        state = flow(cell, state, state.release, arithmetic)
        span = time - state.time
    return State(time, voltage_after(cell, state, span, arithmetic), currents, state.release)


def voltage_after(cell: Cell[N], state: State[N], span: N, arithmetic: Arithmetic[N]) -> N:
    """Return the voltage of a neuron that is not held, ``span`` ms after ``state.time``."""
    voltage = cell.rest + (state.voltage - cell.rest) * arithmetic.exp(-span / cell.tau_m)
    for current, tau in zip(state.currents, cell.tau_s, strict=True):
        voltage += current * response(cell, tau, span, arithmetic, lift=0 * span)
    return voltage


def forecast(cell: Cell[N], state: State[N], end: N, arithmetic: Arithmetic[N]) -> Forecast[N]:
    """Find when a neuron next reaches its threshold.

    Parameters
    ----------
    cell : Cell
    state : State
        Of a neuron below its threshold, or above it and to spike at once.
    end : number
        Time beyond which nobody asks, in ms.
    arithmetic : Arithmetic
    """
    if state.time < state.release:
        if state.release >= end:
            return Forecast(None)
        state = flow(cell, state, state.release, arithmetic)
    if state.voltage >= cell.threshold:
        return Forecast(state.time)
    ceiling = cell.rest + sum((max(current, 0 * current) for current in state.currents), 0 * cell.rest)
    if cell.threshold - ceiling > cell.scale * arithmetic.number(1e-9):
        return Forecast(None)

    def excess(span: N) -> N:
        return voltage_after(cell, state, span, arithmetic) - cell.threshold

    knots: list[tuple[N, N]] = []
    last = 0 * end
    for knot in turns(cell, state, end - state.time, arithmetic):
        above = excess(knot)
        knots.append((state.time + knot, cell.threshold + above))
        if above >= 0:
            return Forecast(state.time + bisect(excess, last, knot, arithmetic), tuple(knots))
        last = knot
    return Forecast(None, tuple(knots))


def turns(cell: Cell[N], state: State[N], span: N, arithmetic: Arithmetic[N]) -> list[N]:
    """Return the times between which the voltage is monotone.

    Parameters
    ----------
    cell : Cell
    state : State
        Of a neuron that is not held.
    span : number
        How far to look, in ms.
    arithmetic : Arithmetic

    Returns
    -------
    list of number
        Since ``state.time``, ascending, ``span`` last; turning points of the current, at which the voltage
        need not turn, are among them.
    """
    # Both slopes are divided by their slowest exponential, or their sign would be lost to underflow.
    slowest = max(cell.tau_s)

    def current_slope(time: N) -> N:
        return -sum(
            (
                current / tau * arithmetic.exp(time / slowest - time / tau)
                for current, tau in zip(state.currents, cell.tau_s, strict=True)
            ),
            0 * time,
        )

    def voltage_slope(time: N) -> N:
        lift = time / max(cell.tau_m, slowest)
        slope = (cell.rest - state.voltage) * arithmetic.exp(lift - time / cell.tau_m)
        for current, tau in zip(state.currents, cell.tau_s, strict=True):
            slope += current * (
                arithmetic.exp(lift - time / tau) - response(cell, tau, time, arithmetic, lift=lift)
            )
        return slope

    # At its turning points the voltage is flat, so half the digits of their times give all of its own.
    coarse = replace(arithmetic, resolution=span * arithmetic.number(1e-10))
    ends: list[N] = [0 * span, span]
    stops: list[N] = sorted(ends + sign_changes(current_slope, ends, coarse))
    return sorted(sign_changes(voltage_slope, stops, coarse) + stops[1:])


def sign_changes(function: Callable[[N], N], stops: list[N], arithmetic: Arithmetic[N]) -> list[N]:
    """Return where a function changes its sign, for one change at most between two ascending stops."""
    values = [function(stop) for stop in stops]
    found = []
    for index in range(len(stops) - 1):
        if values[index] < 0 < values[index + 1]:
            found.append(bisect(function, stops[index], stops[index + 1], arithmetic))
        elif values[index + 1] < 0 < values[index]:
            found.append(bisect(lambda time: -function(time), stops[index], stops[index + 1], arithmetic))
    return found


def bisect(function: Callable[[N], N], low: N, high: N, arithmetic: Arithmetic[N]) -> N:
    """Halve a bracket until it cannot be halved any more, and return its upper end.

    The function is negative at ``low``, not negative at ``high``.
    """
    while high - low > arithmetic.resolution:
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if function(middle) < 0:
            low = middle
        else:
            high = middle
    return high
