"""The gradient check, on a machine whose gradient is known."""

from dataclasses import replace

import numpy as np
import pytest

from netdesc.errors import NumericsError
from netdesc.events import Events
from netdesc.gradient import Gradient
from netdesc.testing.conformance.spikes import ordinals
from netdesc.testing.gradcheck import gradcheck
from netdesc.trace import Cotangent, Trace
from tests.generate.neuron import one_neuron
from tests.generate.objective import SmoothLoss, random_loss

KEYS = ("input_to_cell_0.weight", "input_to_cell_0.delay")


class Sums:
    """One output spike per sample, at ``sum_k time_k + delay_k + weight_k ** 2``; none for a large weight."""

    def __init__(self, network, wrong=1.0, limit=np.inf):
        self.program, self.wrong, self.limit = network.program, wrong, limit
        self.values = network.program.trainable()

    def write(self, parameters):
        self.values = {**self.values, **{key: np.array(value) for key, value in parameters.items()}}

    def forward(self, stimulus, *, seed):
        weights, delays = (self.values[key] for key in KEYS)
        sources = stimulus.sources
        moments = stimulus.times + delays[sources] + weights[sources] ** 2
        totals = np.bincount(stimulus.samples(), moments, stimulus.batch)
        quiet = weights.max() > self.limit
        lists = [[[] if quiet else [total]] for total in totals]
        return Trace(
            {"input": stimulus, "cell": Events.from_lists(lists)},
            None,
            effective_parameters=self.values,
        )

    def adjoint(self, trace, cotangent):
        slope, stimulus = cotangent.spikes["cell"], trace.spikes["input"]
        each = slope[stimulus.samples()]
        by_source = np.bincount(stimulus.sources, each, len(self.values[KEYS[0]]))
        return Gradient(
            {KEYS[0]: self.wrong * 2 * self.values[KEYS[0]] * by_source, KEYS[1]: by_source},
            {"input": each, "cell": slope},
        )


def square(trace):
    times = trace.spikes["cell"].times
    return SmoothLoss(float(np.sum(times**2)), Cotangent({"cell": 2 * times}))


@pytest.fixture
def network():
    return one_neuron([(3.0, 0.5), (5.0, -0.7), (0.0, 1.1)], delay=1.0)


def test_a_right_gradient_passes(network):
    result = gradcheck(Sums(network), network.stimulus, square)
    assert result.deviation < 1e-9
    assert set(result.comparisons) == {*KEYS, "input.spike_times"}
    assert (result.checked, result.skipped) == (9, 0)


def test_a_wrong_gradient_is_seen_in_its_kind_only(network):
    result = gradcheck(Sums(network, wrong=1.001), network.stimulus, square)
    assert result.deviations["weight"] == pytest.approx(1e-3, rel=1e-2)
    assert result.deviations["delay"] < 1e-9


def test_a_delay_of_zero_is_checked_to_one_side():
    network = one_neuron([(3.0, 0.5)], delay=0.0)
    assert gradcheck(Sums(network), network.stimulus, square).comparisons[KEYS[1]].deviation < 1e-8


def test_entries_where_spikes_come_or_go_are_counted_and_left_out(network):
    result = gradcheck(Sums(network, limit=1.1), network.stimulus, square)
    assert result.comparisons[KEYS[0]].skipped == 1
    assert np.isnan(result.comparisons[KEYS[0]].differences[2])


def test_the_machine_keeps_its_parameters(network):
    machine = Sums(network)
    before = machine.forward(network.stimulus, seed=0).spikes["cell"].times
    gradcheck(machine, network.stimulus, square)
    assert machine.forward(network.stimulus, seed=0).spikes["cell"].times.tolist() == before.tolist()


def test_a_limit_looks_at_entries_spread_evenly(network):
    comparison = gradcheck(Sums(network), network.stimulus, square, limit=2).comparisons[KEYS[0]]
    assert np.isfinite(comparison.differences).tolist() == [True, False, True]


def test_a_batch_may_hold_several_samples(network):
    stimulus = Events.from_lists([[[1.0], [2.0], [3.0]], [[4.0], [], [6.0, 7.0]]])
    assert gradcheck(Sums(network), stimulus, square).deviation < 1e-9


def test_a_step_that_is_not_positive_is_refused(network):
    with pytest.raises(NumericsError, match="positive"):
        gradcheck(Sums(network), network.stimulus, square, step=0.0)


def test_the_random_loss_has_its_own_derivative(network):
    machine = Sums(network)
    score = random_loss(machine, 3)
    trace = machine.forward(network.stimulus, seed=0)
    cell = trace.spikes["cell"]
    moved = [replace(trace, spikes={"cell": replace(cell, times=cell.times + h)}) for h in (1e-4, -1e-4)]
    slope = (score(moved[0]).loss - score(moved[1]).loss) / 2e-4
    assert score(trace).cotangent.spikes["cell"][0] == pytest.approx(slope, rel=1e-7)


def test_spikes_are_numbered_by_neuron_and_sample():
    events = Events.from_lists([[[1.0, 4.0], [2.0, 3.0]], [[5.0], []]])
    assert ordinals(events).tolist() == [0, 0, 1, 1, 0]
