"""The same device with faults planted, one at a time, and one that learns by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.backend import LearningState, StepReport
from netdesc.events import Events
from netdesc.gradient import Gradient
from netdesc.testing.conformance.spikes import silence
from netdesc.trace import Cotangent
from stranger.backend import StrangerBackend
from stranger.machine import StrangerMachine


def planted(machine_class):
    """Return the backend with machines of another class."""

    class Planted(StrangerBackend):
        def load(self, program, *, seed):
            return machine_class(program, self.look)

    return Planted


class SwappedSign(StrangerMachine):
    """Inhibition excites."""

    def run(self, stimulus, number):
        honest = self.values
        self.values = {key: np.abs(value) for key, value in honest.items()}
        try:
            return super().run(stimulus, number)
        finally:
            self.values = honest


class LateDelay(StrangerMachine):
    """Every delay is longer by 0.1 ms."""

    def run(self, stimulus, number):
        honest = self.values
        self.values = {key: value + 0.1 * key.endswith(".delay") for key, value in honest.items()}
        try:
            return super().run(stimulus, number)
        finally:
            self.values = honest


class DroppedSpike(StrangerMachine):
    """The last spike of a batch is lost on its way to the trace."""

    def forward(self, stimulus, *, seed):
        trace = super().forward(stimulus, seed=seed)
        name = self.program.populations[-1].name
        events = trace.spikes[name]
        if not len(events):
            return trace
        offsets = np.minimum(events.offsets, len(events) - 1)
        fewer = Events(events.times[:-1], events.sources[:-1], offsets)
        return replace(
            trace,
            spikes={**trace.spikes, name: fewer},
            residuals={
                **trace.residuals,
                name: {kind: values[:-1] for kind, values in trace.residuals[name].items()},
            },
        )


class OneSampleGradient(StrangerMachine):
    """Only the first sample of a batch has a gradient."""

    def adjoint(self, trace, cotangent):
        first = {
            name: np.where(trace.spikes[name].samples() == 0, values, 0.0)
            for name, values in cotangent.spikes.items()
        }
        return super().adjoint(trace, Cotangent(first))


class SwappedGradient(StrangerMachine):
    """The gradient points uphill."""

    def adjoint(self, trace, cotangent):
        gradient = super().adjoint(trace, cotangent)
        return replace(gradient, parameters={key: -value for key, value in gradient.parameters.items()})


class BentGradient(StrangerMachine):
    """Large entries of the gradient are made smaller."""

    def adjoint(self, trace, cotangent):
        gradient = super().adjoint(trace, cotangent)
        return replace(
            gradient, parameters={key: np.tanh(value) for key, value in gradient.parameters.items()}
        )


class LateGradientOfTimes(StrangerMachine):
    """The gradient of the stimulus has a factor too many."""

    def adjoint(self, trace, cotangent):
        gradient = super().adjoint(trace, cotangent)
        return replace(
            gradient, spike_times={name: 2.0 * values for name, values in gradient.spike_times.items()}
        )


class GradientWithoutEnd(StrangerMachine):
    """What is not finite becomes 0."""

    def adjoint(self, trace, cotangent):
        return super().adjoint(
            trace,
            Cotangent(
                {
                    name: np.where(np.isfinite(values), values, 0.0)
                    for name, values in cotangent.spikes.items()
                }
            ),
        )


class MissingKey(StrangerMachine):
    """The gradient lacks a parameter."""

    def adjoint(self, trace, cotangent):
        return Gradient({}, super().adjoint(trace, cotangent).spike_times)


class DeafWrite(StrangerMachine):
    """What is written is told, but does not run."""

    def write(self, parameters):
        super().write(parameters)
        self.told = dict(self.values)

    def forward(self, stimulus, *, seed):
        told = getattr(self, "told", self.values)
        honest = StrangerMachine(self.program, self.look).forward(stimulus, seed=seed)
        return replace(honest, effective_parameters=told)


class SilentWrite(StrangerMachine):
    """What is written neither runs nor is told."""

    def write(self, parameters):
        before = dict(self.values)
        super().write(parameters)
        self.values = before


class CarelessWrite(StrangerMachine):
    """Anything can be written."""

    def write(self, parameters):
        self.values = {**self.values, **parameters}


class LeakingSamples(StrangerMachine):
    """A sample also hears the inputs of the one before it."""

    def run(self, stimulus, number):
        samples = stimulus.samples()
        heard = (samples == number) | (samples == number - 1)
        return super().run(
            Events.from_arrays(
                stimulus.times[heard], stimulus.sources[heard], np.zeros(int(heard.sum()), dtype=np.int64), 1
            ),
            0,
        )


class UnevenRuns(StrangerMachine):
    """Every run is later by 0.01 ms than the one before."""

    runs = 0

    def forward(self, stimulus, *, seed):
        self.runs += 1
        later = replace(stimulus, times=stimulus.times + 0.01 * self.runs)
        return super().forward(later, seed=seed)


class Disorder(StrangerMachine):
    """Spikes come sample by sample, but last first."""

    def forward(self, stimulus, *, seed):
        trace = super().forward(stimulus, seed=seed)
        turned = {}
        for name, events in trace.spikes.items():
            order = np.lexsort((-events.times, events.samples()))
            turned[name] = Events(events.times[order], events.sources[order], events.offsets)
        return replace(trace, spikes=turned)


class LostDeliveries(StrangerMachine):
    """Deliveries after the end are not counted."""

    def forward(self, stimulus, *, seed):
        trace = super().forward(stimulus, seed=seed)
        return replace(trace, health={**trace.health, "arrivals": trace.health["arrivals"] - 1})


class Nameless(StrangerMachine):
    """A trace does not say where it comes from."""

    def forward(self, stimulus, *, seed):
        return replace(super().forward(stimulus, seed=seed), provenance={})


class MutedSources(StrangerMachine):
    """Sources are not echoed."""

    def forward(self, stimulus, *, seed):
        trace = super().forward(stimulus, seed=seed)
        names = [item.name for item in self.program.populations if item.kind == "source"]
        sources = {name: silence(stimulus.batch) for name in names}
        return replace(trace, spikes={**trace.spikes, **sources})


class WrongCurrents(StrangerMachine):
    """Currents are those after the spike, in other units."""

    def forward(self, stimulus, *, seed):
        trace = super().forward(stimulus, seed=seed)
        wrong = {
            name: {**found, "current": 1.01 * found["current"]} for name, found in trace.residuals.items()
        }
        return replace(trace, residuals=wrong)


class DeafToStrays(StrangerMachine):
    """Spikes of neurons that are not sources are left out."""

    def forward(self, stimulus, *, seed):
        size = min(item.start for item in self.program.populations if item.kind != "source")
        return super().forward(stimulus.select(0, size), seed=seed)


class TakesAnything(StrangerBackend):
    """Nothing is checked."""

    def passes(self):
        return ()


class KnowsEveryOption(StrangerBackend):
    """Options that are not known are left out."""

    def __init__(self, options):
        super().__init__({key: value for key, value in options.items() if key == "look"})


@dataclass(frozen=True)
class Spoil:
    """A pass that counts its calls in the graph that it makes."""

    calls: list = field(default_factory=list)
    name: str = field(default="spoil", init=False)

    def __call__(self, graph):
        self.calls.append(1)
        edges = [replace(edge, delays=edge.delays + len(self.calls)) for edge in graph.edges]
        return graph.with_edges(edges)


class ImpurePass(StrangerBackend):
    """A pass that makes another graph every time."""

    def passes(self):
        return (*super().passes(), Spoil())


class Learner(StrangerMachine):
    """Makes the spikes of the target earlier, by gradient descent."""

    haste = 1.0

    def prepare(self, rule):
        self.rate = self.haste * rule.options["learning_rate"]
        self.taught = rule.objectives[0].population
        self.steps = 0

    def learn(self, stimulus, targets, *, seed, factor=1.0):
        trace = self.forward(stimulus, seed=seed)
        spikes = trace.spikes[self.taught]
        slopes = np.array(
            [
                1.0 if neuron == targets[sample] else 0.25
                for neuron, sample in zip(spikes.sources, spikes.samples(), strict=True)
            ]
        )
        gradient = self.adjoint(trace, Cotangent({self.taught: slopes}))
        for key, value in gradient.parameters.items():
            self.values[key] = self.values[key] - factor * self.rate * value
        self.steps += 1
        first = spikes.first_spikes(self.program.population(self.taught).size)
        predictions = np.where(np.isfinite(first.min(axis=1)), first.argmin(axis=1), -1)
        counts = {name: len(events) for name, events in trace.spikes.items()}
        return StepReport(
            float(slopes @ spikes.times),
            predictions == targets,
            predictions,
            (first == first.min(axis=1)[:, None]).sum(axis=1) > 1,
            0,
            0,
            counts,
        )

    def state(self):
        return LearningState(self.steps, {key: self.values[key] for key in self.program.trainable()}, {})

    def restore(self, state):
        self.steps = state.steps
        self.write(state.parameters)


class HastyLearner(Learner):
    """Learns a little faster than it is told."""

    haste = 1.01
