"""What the host makes of measured spikes that its model has barely, or not at all."""

from dataclasses import replace

import numpy as np
import pytest
from chip_programs import program
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.options import Options

from netdesc.errors import BackendError
from netdesc.events import Events
from netdesc.trace import Cotangent

BATCH, HIDDEN = 12, 20


def draw():
    rng = np.random.default_rng(1)
    times = np.rint(rng.uniform(0.0, 25.0, BATCH * 10) / 0.008) * 0.008
    return Events.from_arrays(times, np.tile(np.arange(5), 2 * BATCH), np.repeat(np.arange(BATCH), 10), BATCH)


def differentiate(**options):
    """Run a network on an uncalibrated chip, and return its trace and the gradient of its output spikes."""
    rng = np.random.default_rng(2)
    links = (("input", "hidden"), ("hidden", "output"))
    weights = {links[0]: rng.normal(0.9, 0.8, (5, HIDDEN)), links[1]: rng.normal(0.25, 0.4, (HIDDEN, 3))}
    made = program({"input": 5, "hidden": HIDDEN, "output": 3}, links, weights)
    made = replace(made, blocks=tuple(replace(block, train_weight=True) for block in made.blocks))
    machine = BrainScaleS2Backend({"profile": "uncalibrated", **options}).load(made, seed=0)
    trace = machine.forward(draw(), seed=1)
    return trace, machine.adjoint(trace, Cotangent({"output": np.ones(len(trace.spikes["output"]))}))


def length(gradient):
    return float(np.sqrt(sum(values @ values for values in gradient.parameters.values())))


def count_spikes(trace):
    return sum(len(trace.spikes[name]) for name in ("hidden", "output"))


def test_a_tiny_bound_raises_only_slopes_of_spikes_that_the_model_would_not_produce():
    _, gradient = differentiate(denominator_floor=1e-9)
    assert gradient.health["grazing"] == gradient.health["unmodelled"] > 0


def test_a_huge_bound_raises_all_slopes_and_shrinks_the_gradient_with_it():
    trace, gradient = differentiate(denominator_floor=1e3)
    assert gradient.health["grazing"] == count_spikes(trace)
    _, larger = differentiate(denominator_floor=1e4)
    key = next(name for name in gradient.parameters if "hidden_output" in name)
    np.testing.assert_allclose(
        larger.parameters[key],
        gradient.parameters[key] / 10.0,
        rtol=1e-2,
        atol=1e-3 * np.abs(gradient.parameters[key]).max(),
    )


def test_the_default_bound_keeps_spikes_that_barely_happened_from_outweighing_the_rest():
    lengths = [length(differentiate(**options)[1]) for options in ({"denominator_floor": 1e-9}, {})]
    assert lengths[1] < 0.01 * lengths[0]


@pytest.mark.parametrize("value", [0, -0.1, True, "much"])
def test_a_bound_that_is_no_positive_number_is_refused(value):
    with pytest.raises(BackendError, match="denominator_floor"):
        Options.read({"denominator_floor": value})


def test_spikes_that_are_dropped_have_no_slope_and_pass_none_on():
    trace, gradient = differentiate(unmodelled="drop")
    zeros = sum(int(np.sum(gradient.spike_times[name] == 0.0)) for name in ("hidden", "output"))
    assert zeros >= gradient.health["unmodelled"] > 0
    assert sum(len(gradient.spike_times[name]) for name in ("hidden", "output")) == count_spikes(trace)


def test_clamping_and_dropping_count_the_same_spikes_and_give_different_gradients():
    clamped, dropped = (differentiate(unmodelled=policy)[1] for policy in ("clamp", "drop"))
    assert clamped.health["unmodelled"] == dropped.health["unmodelled"]
    assert length(clamped) != length(dropped)


def test_a_host_that_knows_its_circuits_meets_fewer_spikes_that_it_would_not_produce():
    nominal, true = (differentiate(adjoint=choice)[1].health["unmodelled"] for choice in ("nominal", "true"))
    assert true < nominal
