"""A slow simulator to hold the fast ones against.

One sample at a time, one event at a time, in plain Python numbers. It shares neither code nor method with any
backend: see ``netdesc.testing.membrane`` for how a threshold is found.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Generic

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats
from netdesc.program import Program
from netdesc.testing.membrane import (
    Arithmetic,
    Cell,
    Forecast,
    N,
    State,
    decimals,
    doubles,
    flow,
    forecast,
)

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


@dataclass(frozen=True, slots=True)
class ReferenceTrace:
    """The result of a reference run.

    Parameters
    ----------
    program : Program
    spikes : mapping of str to Events
        By population, sources included, read-outs not, with neurons counted within the population.
    currents : mapping of str to ndarray
        Total synaptic current just before each spike, aligned with ``spikes``, of the spiking populations.
    release_currents : mapping of str to ndarray
        The same at the end of the refractory period that follows; NaN where that is after the end.
    marginal : int
        How often a voltage turned, or stood when something happened, within 1e-12 of the threshold,
        relative to its distance from rest: there a spike is a matter of rounding.
    cells : sequence of Cell
        Constants of every neuron, as floats.
    states : sequence of sequences of sequences of State
        ``states[sample][neuron]``: after every event, as floats.
    """

    program: Program
    spikes: Mapping[str, Events]
    currents: Mapping[str, Floats]
    release_currents: Mapping[str, Floats]
    marginal: int
    cells: Sequence[Cell[float]]
    states: Sequence[Sequence[Sequence[State[float]]]]

    def state(self, population: str, neuron: int, times: Floats, *, sample: int = 0) -> tuple[Floats, Floats]:
        """Return voltage and total synaptic current at given times.

        Parameters
        ----------
        population : str
        neuron : int
            Within the population.
        times : ndarray, shape (k,)
            In ms; at the time of an event, what holds after it.
        sample : int

        Returns
        -------
        voltage, current : ndarray of float64, shape (k,)
            In the voltage of the cell.
        """
        index = self.program.population(population).start + neuron
        states = self.states[sample][index]
        starts = [state.time for state in states]
        found = [flow(self.cells[index], states[bisect_right(starts, time) - 1], time, doubles())
                 for time in np.asarray(times, dtype=np.float64).tolist()]
        return (np.array([state.voltage for state in found]),
                np.array([sum(state.currents) for state in found]))


def simulate(program: Program, stimulus: Events, *, digits: int | None = None) -> ReferenceTrace:
    """Run a network slowly and plainly.

    Arrivals of a time come first, then thresholds in the order of the neurons; a spike reaches its
    targets one delay later. Spikes and arrivals at the very end of the run belong to it.

    Parameters
    ----------
    program : Program
    stimulus : Events
        Spikes of the sources, by program-wide neuron index, times in ms.
    digits : int, optional
        Compute with that many decimal digits; with float64 where it is absent.

    Returns
    -------
    ReferenceTrace

    Raises
    ------
    NumericsError
        If a cell has no reset below its threshold, or more than two synaptic currents.
    """
    check_cells(program)
    if digits is None:
        courses = [run(program, stimulus, sample, doubles()) for sample in range(stimulus.batch)]
        return gather(program, stimulus, courses)
    with localcontext(Context(prec=digits)):
        precise = [run(program, stimulus, sample, decimals(digits)) for sample in range(stimulus.batch)]
    return gather(program, stimulus, [rounded(course) for course in precise])


def check_cells(program: Program) -> None:
    """Refuse cells that would spike without end, or that the search for thresholds does not cover.

    Parameters
    ----------
    program : Program

    Raises
    ------
    NumericsError
        With one diagnostic per population.
    """
    wrong = []
    for item in program.populations:
        span = slice(item.start, item.stop)
        if len(item.receptors) > 2:
            wrong.append(Diagnostic(f"{len(item.receptors)} synaptic currents; the reference has at most 2",
                                    item.path))
        if np.any(program.parameters["reset"][span] >= program.parameters["threshold"][span]):
            wrong.append(Diagnostic("a reset at or above the threshold; choose a lower reset", item.path))
    if wrong:
        raise NumericsError(wrong)


def cells(program: Program, arithmetic: Arithmetic[N]) -> list[Cell[N]]:
    """Return the constants of every neuron, those of sources meaningless.

    Parameters
    ----------
    program : Program
    arithmetic : Arithmetic

    Returns
    -------
    list of Cell
    """
    number, values = arithmetic.number, program.parameters
    result = []
    for item in program.populations:
        for n in range(item.start, item.stop):
            one = {name: number(float(values[name][n]))
                   for name in ("tau_m", "tau_ref", "rest", "threshold", "reset")}
            tau_s = tuple(number(float(tau)) for tau in values["tau_s"][n, :len(item.receptors)])
            result.append(Cell(tau_s=tau_s, **one))
    return result


def synapses(program: Program, arithmetic: Arithmetic[N]) -> list[list[tuple[int, int, N, N]]]:
    """Return what leaves every neuron.

    Parameters
    ----------
    program : Program
    arithmetic : Arithmetic

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
        delays = np.broadcast_to(block.delays, block.weights.shape)
        for source in range(block.n_pre):
            for k in range(int(indptr[source]), int(indptr[source + 1])):
                target = post + int(indices[k])
                jump = (number(float(block.weights[k])) * number(block.sign)
                        * number(float(program.parameters["resistance"][target])))
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
            Forecast(None) if math.isinf(self.cells[neuron].threshold)
            else forecast(self.cells[neuron], state, self.end, self.arithmetic))

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
        currents = tuple(current + jump if r == receptor else current
                         for r, current in enumerate(state.currents))
        self.begin(target, State(time, state.voltage, currents, state.release))

    def spike(self, neuron: int, time: N) -> None:
        """Let a neuron spike."""
        cell, state = self.cells[neuron], self.close(neuron, time)
        self.spikes.append(Spike(neuron, time, sum(state.currents, 0 * time), math.nan))
        self.begin(neuron, State(time, cell.reset, state.currents, time + cell.tau_ref))
        self.send(neuron, time)

    def next_crossing(self) -> tuple[N, int] | None:
        """Return the earliest threshold crossing, ties by neuron."""
        due = [(item.crossing, neuron) for neuron, item in enumerate(self.forecasts)
               if item.crossing is not None]
        return min(due, default=None)


def run(program: Program, stimulus: Events, sample: int, arithmetic: Arithmetic[N]) -> Course[N]:
    """Run one sample.

    Parameters
    ----------
    program : Program
    stimulus : Events
    sample : int
    arithmetic : Arithmetic

    Returns
    -------
    Course
    """
    number, size = arithmetic.number, program.size
    still: Forecast[N] = Forecast(None)
    sweep: Sweep[N] = Sweep(
        arithmetic, number(program.duration), cells(program, arithmetic), synapses(program, arithmetic),
        [[] for _ in range(size)], [still] * size, [], [])
    span = slice(stimulus.offsets[sample], stimulus.offsets[sample + 1])
    for time, source in zip(stimulus.times[span].tolist(), stimulus.sources[span].tolist(), strict=True):
        sweep.send(source, number(time))
    zero = number(0.0)
    live = [n for item in program.populations if item.kind != "source"
            for n in range(item.start, item.stop)]
    for n in live:
        currents = tuple(number(float(program.parameters["i_init"][n, r]))
                         for r in range(len(sweep.cells[n].tau_s)))
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
    """Fill in the currents at the ends of the refractory periods.

    Parameters
    ----------
    sweep : Sweep
        Run to its end.

    Returns
    -------
    list of Spike
    """
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


def rounded(course: Course[Decimal]) -> Course[float]:
    """Turn the numbers of a course into floats.

    Parameters
    ----------
    course : Course

    Returns
    -------
    Course
    """
    return Course(
        [Spike(s.neuron, float(s.time), float(s.current), s.release_current) for s in course.spikes],
        [[State(float(s.time), float(s.voltage), tuple(float(i) for i in s.currents), float(s.release))
          for s in states] for states in course.states],
        course.marginal)


def gather(program: Program, stimulus: Events, courses: Sequence[Course[float]]) -> ReferenceTrace:
    """Sort the spikes of all samples by population.

    Parameters
    ----------
    program : Program
    stimulus : Events
    courses : sequence of Course

    Returns
    -------
    ReferenceTrace
    """
    spikes, currents, releases = {}, {}, {}
    for item in program.populations:
        if item.kind == "source":
            spikes[item.name] = stimulus.select(item.start, item.stop)
        elif item.kind == "spiking":
            rows = sorted(
                (sample, spike.time, spike.neuron - item.start, spike.current, spike.release_current)
                for sample, course in enumerate(courses) for spike in course.spikes
                if item.start <= spike.neuron < item.stop)
            table = np.array(rows, dtype=np.float64).reshape(-1, 5)
            samples, neurons = table[:, 0].astype(np.int64), table[:, 2].astype(np.int64)
            spikes[item.name] = Events.from_arrays(table[:, 1], neurons, samples, len(courses))
            currents[item.name], releases[item.name] = table[:, 3], table[:, 4]
    return ReferenceTrace(program, spikes, currents, releases, sum(course.marginal for course in courses),
                          cells(program, doubles()), [course.states for course in courses])
