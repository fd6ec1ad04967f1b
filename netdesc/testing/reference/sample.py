"""One sample of a network, event by event."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from netdesc.events import Events
from netdesc.program import Program
from netdesc.testing.reference.arithmetic import Arithmetic, N
from netdesc.testing.reference.membrane import Cell, Forecast, State, flow, forecast

MARGIN = 1e-12
"""Distance from the threshold, relative to the cell's scale, within which a spike is a matter of rounding."""


@dataclass(frozen=True, slots=True)
class Spike(Generic[N]):
    """One spike: neuron, time in ms, total current before it, and at the end of its refractory period."""

    neuron: int
    time: N
    current: N
    release_current: float


@dataclass(frozen=True, slots=True)
class Course(Generic[N]):
    """One sample: its spikes, the states of every neuron after each event, the marginal peaks."""

    spikes: Sequence[Spike[N]]
    states: Sequence[Sequence[State[N]]]
    marginal: int


def cells(program: Program, arithmetic: Arithmetic[N]) -> list[Cell[N]]:
    """Return the constants of every neuron, those of sources meaningless."""
    number, values = arithmetic.number, program.parameters
    result = []
    for item in program.populations:
        for n in range(item.start, item.stop):
            one = {
                name: number(float(values[name][n]))
                for name in ("tau_m", "tau_ref", "rest", "threshold", "reset")
            }
            tau_s = tuple(number(float(tau)) for tau in values["tau_s"][n, : len(item.receptors)])
            result.append(Cell(tau_s=tau_s, **one))
    return result


def synapses(program: Program, arithmetic: Arithmetic[N]) -> list[list[tuple[int, int, N, N]]]:
    """Return what leaves every neuron.

    Returns
    -------
    list of list of (target, receptor, jump, delay)
        Program-wide target, jump of its current in the voltage of the cell, delay in ms.
    """
    number = arithmetic.number
    result: list[list[tuple[int, int, N, N]]] = [[] for _ in range(program.size)]
    for block in program.blocks:
        indptr, indices = block.sparse()
        pre, post = program.populations[block.pre].start, program.populations[block.post].start
        delays, weights = np.broadcast_to(block.delays, block.size), block.spread(block.weights)
        for source in range(block.n_pre):
            for k in range(int(indptr[source]), int(indptr[source + 1])):
                target = post + int(indices[k])
                jump = number(float(weights[k])) * number(float(block.charge[indices[k]]))
                result[pre + source].append((target, block.receptor, jump, number(float(delays[k]))))
    return result


@dataclass(slots=True)
class Sweep(Generic[N]):
    """A sample while it runs: everything that changes, and what it needs to change."""

    arithmetic: Arithmetic[N]
    end: N
    cells: list[Cell[N]]
    synapses: list[list[tuple[int, int, N, N]]]
    states: list[list[State[N]]]
    forecasts: list[Forecast[N]]
    arrivals: list[tuple[N, int, int, int, N]]
    spikes: list[Spike[N]]
    sent: int = 0
    marginal: int = 0

    def send(self, source: int, time: N) -> None:
        """Put a spike on its way to all targets."""
        for target, receptor, jump, delay in self.synapses[source]:
            if time + delay <= self.end:
                heapq.heappush(self.arrivals, (time + delay, self.sent, target, receptor, jump))
                self.sent += 1

    def begin(self, neuron: int, state: State[N]) -> None:
        """Start a new interval of a neuron."""
        self.states[neuron].append(state)
        self.forecasts[neuron] = (
            Forecast(None)
            if math.isinf(self.cells[neuron].threshold)
            else forecast(self.cells[neuron], state, self.end, self.arithmetic)
        )

    def close(self, neuron: int, time: N) -> State[N]:
        """End an interval of a neuron and count what was marginal in it."""
        cell, before = self.cells[neuron], self.states[neuron][-1]
        after = flow(cell, before, time, self.arithmetic)
        if math.isinf(cell.threshold):
            return after
        crossing = self.forecasts[neuron].crossing
        if crossing is not None and crossing <= time:
            after = State(time, cell.threshold, after.currents, after.release)
            levels = [level for _, level in self.forecasts[neuron].knots]
        else:
            levels = [level for when, level in self.forecasts[neuron].knots if when < time]
            levels += [after.voltage] if before.time < time and time > after.release else []
        tolerance = cell.scale * self.arithmetic.number(MARGIN)
        self.marginal += sum(abs(level - cell.threshold) <= tolerance for level in levels)
        return after

    def deliver(self) -> None:
        """Apply the next arrival."""
        time, _, target, receptor, jump = heapq.heappop(self.arrivals)
        state = self.close(target, time)
        currents = tuple(
            current + jump if r == receptor else current for r, current in enumerate(state.currents)
        )
        self.begin(target, State(time, state.voltage, currents, state.release))

    def spike(self, neuron: int, time: N) -> None:
        """Let a neuron spike."""
        cell, state = self.cells[neuron], self.close(neuron, time)
        self.spikes.append(Spike(neuron, time, sum(state.currents, 0 * time), math.nan))
        self.begin(neuron, State(time, cell.reset, state.currents, time + cell.tau_ref))
        self.send(neuron, time)

    def next_crossing(self) -> tuple[N, int] | None:
        """Return the earliest threshold crossing, ties by neuron."""
        due = [
            (item.crossing, neuron) for neuron, item in enumerate(self.forecasts) if item.crossing is not None
        ]
        return min(due, default=None)


def run(program: Program, stimulus: Events, sample: int, arithmetic: Arithmetic[N]) -> Course[N]:
    """Run one sample."""
    number, size = arithmetic.number, program.size
    still: Forecast[N] = Forecast(None)
    sweep: Sweep[N] = Sweep(
        arithmetic,
        number(program.duration),
        cells(program, arithmetic),
        synapses(program, arithmetic),
        [[] for _ in range(size)],
        [still] * size,
        [],
        [],
    )
    span = slice(stimulus.offsets[sample], stimulus.offsets[sample + 1])
    for time, source in zip(stimulus.times[span].tolist(), stimulus.sources[span].tolist(), strict=True):
        sweep.send(source, number(time))
    zero = number(0.0)
    live = [n for item in program.populations if item.kind != "source" for n in range(item.start, item.stop)]
    for n in live:
        currents = tuple(
            number(float(program.parameters["i_init"][n, r])) for r in range(len(sweep.cells[n].tau_s))
        )
        sweep.begin(n, State(zero, number(float(program.parameters["v_init"][n])), currents, zero))
    while True:
        crossing = sweep.next_crossing()
        if sweep.arrivals and (crossing is None or sweep.arrivals[0][0] <= crossing[0]):
            sweep.deliver()
        elif crossing is not None:
            sweep.spike(crossing[1], crossing[0])
        else:
            break
    for n in live:
        sweep.close(n, sweep.end)
    return Course(released(sweep), sweep.states, sweep.marginal)


def released(sweep: Sweep[N]) -> list[Spike[N]]:
    """Return the spikes of a sweep that is over, with the currents at the ends of the refractory periods."""
    result = []
    for spike in sweep.spikes:
        cell, states = sweep.cells[spike.neuron], sweep.states[spike.neuron]
        release = spike.time + cell.tau_ref
        current = math.nan
        if release <= sweep.end:
            state = states[max(k for k, state in enumerate(states) if state.time <= release)]
            current = float(sum(flow(cell, state, release, sweep.arithmetic).currents, 0 * release))
        result.append(Spike(spike.neuron, spike.time, spike.current, current))
    return result
