"""A slow simulator to hold the fast ones against.

One sample at a time, one event at a time, in plain Python numbers. It shares neither code nor method with any
backend: see ``netdesc.testing.reference.membrane`` for how a threshold is found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats
from netdesc.program import Program
from netdesc.testing.reference.arithmetic import decimals, doubles
from netdesc.testing.reference.membrane import Cell, State, flow
from netdesc.testing.reference.sample import Course, Spike, cells, run


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
        found = [
            flow(self.cells[index], states[bisect_right(starts, time) - 1], time, doubles())
            for time in np.asarray(times, dtype=np.float64).tolist()
        ]
        return (
            np.array([state.voltage for state in found]),
            np.array([sum(state.currents) for state in found]),
        )


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

    Raises
    ------
    NumericsError
        With one diagnostic per population.
    """
    wrong = []
    for item in program.populations:
        span = slice(item.start, item.stop)
        if len(item.receptors) > 2:
            wrong.append(
                Diagnostic(f"{len(item.receptors)} synaptic currents; the reference has at most 2", item.path)
            )
        if np.any(program.parameters["reset"][span] >= program.parameters["threshold"][span]):
            wrong.append(Diagnostic("a reset at or above the threshold; choose a lower reset", item.path))
    if wrong:
        raise NumericsError(wrong)


def rounded(course: Course[Decimal]) -> Course[float]:
    """Turn the numbers of a course into floats."""
    return Course(
        [Spike(s.neuron, float(s.time), float(s.current), s.release_current) for s in course.spikes],
        [
            [
                State(float(s.time), float(s.voltage), tuple(float(i) for i in s.currents), float(s.release))
                for s in states
            ]
            for states in course.states
        ],
        course.marginal,
    )


def gather(program: Program, stimulus: Events, courses: Sequence[Course[float]]) -> ReferenceTrace:
    """Sort the spikes of all samples by population."""
    spikes, currents, releases = {}, {}, {}
    for item in program.populations:
        if item.kind == "source":
            spikes[item.name] = stimulus.select(item.start, item.stop)
        elif item.kind == "spiking":
            rows = sorted(
                (sample, spike.time, spike.neuron - item.start, spike.current, spike.release_current)
                for sample, course in enumerate(courses)
                for spike in course.spikes
                if item.start <= spike.neuron < item.stop
            )
            table = np.array(rows, dtype=np.float64).reshape(-1, 5)
            samples, neurons = table[:, 0].astype(np.int64), table[:, 2].astype(np.int64)
            spikes[item.name] = Events.from_arrays(table[:, 1], neurons, samples, len(courses))
            currents[item.name], releases[item.name] = table[:, 3], table[:, 4]
    return ReferenceTrace(
        program,
        spikes,
        currents,
        releases,
        sum(course.marginal for course in courses),
        cells(program, doubles()),
        [course.states for course in courses],
    )
