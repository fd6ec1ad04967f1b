"""The solver on a time grid: against plain steps in Python, and against continuous time for short steps."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from netdesc_numba import NumbaBackend
from sketches import cells, describe, projection, sources

from netdesc.description.model import Distribution, Parameter
from netdesc.events import Events
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.observation import Sampling
from netdesc.trace import Cotangent
from tests.generate.networks import random_network
from tests.generate.neuron import one_neuron
from tests.generate.traits import Recipe, recipes

STEP = 0.1


def on_grid(program, step=STEP):
    return NumbaBackend({"solver": {"grid": {"timestep": step}}}).load(program, seed=0)


def in_time(program):
    return NumbaBackend({}).load(program, seed=0)


def plain_charge(tau_m, tau_s):
    """Return what one step of a unit current adds to the voltage."""
    if abs(tau_m / tau_s - 1) < 1e-3:
        x = STEP * (1 / tau_s - 1 / tau_m)
        return STEP / tau_m * math.exp(-STEP / tau_m) * (1 - x / 2 + x * x / 6 - x**3 / 24)
    return tau_s / (tau_m - tau_s) * (math.exp(-STEP / tau_m) - math.exp(-STEP / tau_s))


class Cell:
    """One neuron, stepped plainly."""

    def __init__(self, program, index, subtract):
        value = {key: float(values[index]) for key, values in program.parameters.items() if values.ndim == 1}
        self.rest, self.threshold, self.reset = value["rest"], value["threshold"], value["reset"]
        self.tau_s = [tau for tau in program.parameters["tau_s"][index].tolist() if not math.isnan(tau)]
        self.leak = math.exp(-STEP / value["tau_m"])
        self.gains = [plain_charge(value["tau_m"], tau) for tau in self.tau_s]
        self.hold, self.subtract = round(value["tau_ref"] / STEP), subtract
        self.v = value["v_init"]
        self.currents = program.parameters["i_init"][index].tolist()
        self.held = 0

    def move(self):
        if self.held > 0:
            self.held -= 1
        else:
            self.v = (
                self.rest
                + (self.v - self.rest) * self.leak
                + sum(i * gain for i, gain in zip(self.currents, self.gains, strict=False))
            )
        self.currents = [i * math.exp(-STEP / tau) for i, tau in zip(self.currents, self.tau_s, strict=False)]

    def fires(self):
        if self.held > 0 or self.v < self.threshold:
            return False
        self.v = self.v - (self.threshold - self.reset) if self.subtract else self.reset
        self.held = self.hold
        return True


def step_by_step(program, stimulus, subtract):
    """Return spikes as a set of (tick, neuron), and voltages and currents per tick of all neurons."""
    steps = round(program.duration / STEP)
    neurons = {
        k: Cell(program, k, subtract)
        for p in program.populations
        if p.kind != "source"
        for k in range(p.start, p.stop)
    }
    synapses = {}
    for block in program.blocks:
        pre, post = program.populations[block.pre].start, program.populations[block.post].start
        looped = any({block.pre, block.post} <= set(s.populations) for s in program.stages if s.recurrent)
        weights = block.matrix(block.weights)
        delays = block.matrix(block.delays)
        for i, j in zip(*np.nonzero(~np.isnan(weights)), strict=True):
            jump = weights[i, j] * block.charge[j]
            ticks = max(round(delays[i, j] / STEP), int(looped))
            synapses.setdefault(pre + i, []).append((post + j, block.receptor, jump, ticks))
    mail = {}
    inputs = sorted(
        (round(t / STEP), n) for t, n in zip(stimulus.times.tolist(), stimulus.sources.tolist(), strict=True)
    )
    spikes, states = set(), []
    for tick in range(steps + 1):
        fired = [n for t, n in inputs if t == tick]
        for k, cell in neurons.items():
            if tick > 0:
                cell.move()
            if cell.fires():
                fired.append(k)
                spikes.add((tick, k))
        for n in fired:
            for target, receptor, jump, ticks in synapses.get(n, []):
                mail.setdefault(tick + ticks, []).append((target, receptor, jump))
        for target, receptor, jump in mail.pop(tick, []):
            neurons[target].currents[receptor] += jump
        states.append({k: (cell.v, sum(cell.currents)) for k, cell in neurons.items()})
    return spikes, states


def shorter(network):
    return replace(network.program, duration=36.0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(recipes(batch=1))
def test_the_grid_spikes_as_plain_steps_do(recipe):
    network = random_network(recipe)
    for subtract in (False, True):
        program = shorter(network)
        program = replace(
            program, populations=tuple(replace(p, subtractive_reset=subtract) for p in program.populations)
        )
        trace = on_grid(program).forward(network.stimulus, seed=0)
        expected, _ = step_by_step(program, network.stimulus, subtract)
        found = {
            (round(t / STEP), p.start + n)
            for p in program.populations
            if p.kind == "spiking"
            for t, n in zip(trace.spikes[p.name].times, trace.spikes[p.name].sources, strict=True)
        }
        assert found == expected


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(1, gain=4.0, batch=1),
        Recipe(2, delay="mixed", refractory=True, gain=4.0, batch=1),
        Recipe(3, loop="cycle", layers=2, delay="mixed", refractory=True, gain=3.0, batch=1, readout=True),
        Recipe(4, two_currents=True, mixed_cells=True, gain=4.0, batch=1, millivolts=True),
    ],
)
def test_the_grid_records_what_plain_steps_show(recipe, subtract):
    network = random_network(recipe)
    program = shorter(network)
    names = [p.name for p in program.populations if p.kind != "source"]
    program = replace(
        program,
        populations=tuple(replace(p, subtractive_reset=subtract) for p in program.populations),
        sampling=tuple(
            Sampling(name, variable, np.arange(recipe.size), STEP)
            for name in names
            for variable in ("v", "i")
        ),
    )
    trace = on_grid(program).forward(network.stimulus, seed=0)
    assert sum(len(events) for name, events in trace.spikes.items() if name != "input") > 3
    _, states = step_by_step(program, network.stimulus, subtract)
    for name in names:
        start = program.population(name).start
        for column, variable in enumerate(("v", "i")):
            found = trace.recordings[f"{name}.{variable}"]
            assert np.allclose(found.times, STEP * np.arange(361), rtol=0, atol=1e-9)
            expected = [[state[start + k][column] for state in states] for k in range(recipe.size)]
            assert np.allclose(found.values[0], expected, rtol=0, atol=1e-9 * (1 + np.abs(expected).max()))


def test_times_delays_and_refractory_periods_are_rounded_to_steps():
    network = one_neuron([(1.04, 9.0), (20.06, 9.0)], delay=0.27, tau_ref=2.04)
    trace = on_grid(network.program).forward(network.stimulus, seed=0)
    other = one_neuron([(1.0, 9.0), (20.1, 9.0)], delay=0.3, tau_ref=2.0)
    expected = on_grid(other.program).forward(other.stimulus, seed=0)
    assert trace.spikes["cell"].times.tolist() == expected.spikes["cell"].times.tolist()
    assert np.allclose(trace.spikes["input"].times, [1.0, 20.1])
    assert np.allclose(trace.effective_parameters["input_to_cell_0.delay"], 0.3)
    assert (trace.health["inputs_moved"], expected.health["inputs_moved"]) == (2, 0)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(1, layers=2, gain=1.5),
        Recipe(2, layers=2, loop="self", delay="uniform"),
        Recipe(3, layers=2, refractory=True, gain=3.0, delay="uniform"),
    ],
)
def test_spikes_on_the_grid_approach_those_in_continuous_time_to_first_order(recipe):
    network = random_network(recipe)
    stimulus = replace(network.stimulus, times=np.round(network.stimulus.times))
    stimulus = Events.from_arrays(stimulus.times, stimulus.sources, stimulus.samples(), stimulus.batch)
    exact = in_time(network.program).forward(stimulus, seed=0)
    errors = {}
    for step in (0.02, 0.005, 0.00125):
        trace = on_grid(network.program, step).forward(stimulus, seed=0)
        deviations = []
        for name in ("layer_1", "layer_2"):
            pairs = zip(
                exact.spikes[name].lists(recipe.size), trace.spikes[name].lists(recipe.size), strict=True
            )
            for sample, other in pairs:
                # early spikes only: at every spike the deviations of all those before it come together
                deviations += [
                    abs(a - b)
                    for x, y in zip(sample, other, strict=True)
                    for a, b in zip(x[:3], y[:3], strict=True)
                ]
        errors[step] = np.mean(deviations)
    assert errors[0.005] < 0.4 * errors[0.02]
    assert errors[0.00125] < 0.4 * errors[0.005]
    assert errors[0.00125] < 10 * 0.00125


def yin_yang(random):
    """Return a network of the size and kind that sorts points of the plane into three classes."""
    train = {
        "hidden": Distribution("normal", {"mu": 1.5, "sigma": 0.78}),
        "output": Distribution("normal", {"mu": 2.1, "sigma": 0.4}),
    }
    description = describe(
        [sources("input", 5), cells("hidden", 30), cells("output", 3)],
        [
            projection("first", "input", "hidden", weight=Parameter(train["hidden"], True)),
            projection("second", "hidden", "output", weight=Parameter(train["output"], True)),
        ],
    )
    points = random.uniform(0.0, 1.0, (40, 2))
    times = np.hstack([points, 1 - points, np.zeros((40, 1))]) * 20.0
    return lower(compile_graph(description)), [[[t] for t in row] for row in times.tolist()]


def cross_entropy_slopes(trace, label):
    """Return the cotangent of the cross entropy of the first spikes of one sample."""
    events = trace.spikes["output"]
    first = events.first_spikes(3)[0]
    shares = np.exp(-(first - first.min()) / 2.0)
    slopes = ((np.arange(3) == label) - shares / shares.sum()) / 2.0
    values = np.zeros(len(events))
    for neuron in range(3):
        mine = np.flatnonzero(events.sources == neuron)
        values[mine[:1]] = slopes[neuron]
    return Cotangent({"output": values})


def median_cosines(step):
    random = np.random.default_rng(1)
    program, samples = yin_yang(random)
    cosines = {"first.weight": [], "second.weight": []}
    for label, sample in enumerate(samples):
        stimulus = Events.from_lists([sample])
        gradients = []
        for machine in (in_time(program), on_grid(program, step)):
            trace = machine.forward(stimulus, seed=0)
            if len(trace.spikes["output"]):
                slopes = cross_entropy_slopes(trace, label % 3)
                gradients.append(machine.adjoint(trace, slopes).parameters)
        for key, values in cosines.items():
            norms = [np.linalg.norm(gradient[key]) for gradient in gradients]
            if len(norms) == 2 and min(norms) > 0:
                values.append(float(gradients[0][key] @ gradients[1][key] / np.prod(norms)))
    assert all(len(values) >= 35 for values in cosines.values())
    return {key: float(np.median(values)) for key, values in cosines.items()}


@pytest.mark.parametrize(
    ("step", "bounds"),
    [(1.0, (0.8, 0.95)), (0.2, (0.997, 0.997)), (0.1, (0.999, 0.999)), (0.05, (0.9997, 0.9997))],
)
def test_gradients_on_the_grid_point_where_those_of_continuous_time_do(step, bounds):
    """Over 40 samples the medians are 0.841 and 0.978, then 0.9992, 0.9997 and 0.9999 for both."""
    found = median_cosines(step)
    assert found["first.weight"] >= bounds[0]
    assert found["second.weight"] >= bounds[1]
