"""Runs and gradients of the emulated chip, against the event-driven solver."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from chip_programs import program
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_numba.event.machine import EventMachine
from netdesc_numba.options import Options as NumbaOptions

from netdesc.budget import PER_FOUND_SPIKE
from netdesc.errors import NumericsError
from netdesc.events import Events
from netdesc.trace import Cotangent

BATCH = 12
GRID = 0.008
SLOW_OUT = {"output_rate": 0.2, "fifo_depth": 1}
FEW = {"hidden": 1e-3, "output": 1e-3}
QUIET = {"noise": False, "profile_numbers": {"saturation_knee": 0, "event_grid": 1e-6}}


def draw(size=5, seed=1, batch=BATCH):
    rng = np.random.default_rng(seed)
    times = np.rint(rng.uniform(0.0, 25.0, batch * size * 2) / GRID) * GRID
    sources = np.tile(np.arange(size), 2 * batch)
    return Events.from_arrays(times, sources, np.repeat(np.arange(batch), 2 * size), batch)


def network(links=(("input", "hidden"), ("hidden", "output")), **sizes):
    sizes = {"input": 5, "hidden": 20, "output": 3} | sizes
    rng = np.random.default_rng(2)
    means = {
        ("input", "hidden"): (0.9, 0.8),
        ("hidden", "output"): (0.25, 0.4),
        ("hidden", "hidden"): (0.0, 0.3),
        ("input", "other"): (0.9, 0.8),
    }
    weights = {link: rng.normal(*means[link], (sizes[link[0]], sizes[link[1]])) for link in links}
    made = program(sizes, links, weights)
    return replace(made, blocks=tuple(replace(block, train_weight=True) for block in made.blocks))


def load(made, **options):
    return BrainScaleS2Backend(options).load(made, seed=0)


def same(one, two):
    return all(
        np.array_equal(one.spikes[k].times, two.spikes[k].times)
        and np.array_equal(one.spikes[k].sources, two.spikes[k].sources)
        for k in one.spikes
    )


def cotangent(trace, seed=5):
    rng = np.random.default_rng(seed)
    return Cotangent({"output": rng.normal(size=len(trace.spikes["output"]))})


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


LAYERED = (("input", "hidden"), ("hidden", "output"))
RECURRENT = (*LAYERED, ("hidden", "hidden"))


@pytest.mark.parametrize("links", [LAYERED, RECURRENT], ids=["layered", "recurrent"])
def test_spikes_of_an_ideal_chip_are_exact_up_to_their_stamps(links):
    made = network(links)
    machine, exact = load(made, profile="ideal"), EventMachine(made, NumbaOptions.read({"threads": 1}))
    trace = machine.forward(draw(), seed=1)
    exact.write(trace.effective_parameters)
    expected = exact.forward(draw(), seed=1)
    for name in ("hidden", "output"):
        late = trace.spikes[name].lists(20), expected.spikes[name].lists(20)
        for mine, theirs in zip(
            np.ravel(np.array(late[0], dtype=object)), np.ravel(np.array(late[1], dtype=object)), strict=True
        ):
            gaps = np.subtract(mine, theirs)
            assert len(mine) == len(theirs)
            assert (gaps > -1e-9).all()
            assert (gaps < GRID).all()


@pytest.mark.parametrize("links", [LAYERED, RECURRENT], ids=["layered", "recurrent"])
def test_circuits_that_differ_follow_the_solver_with_their_own_parameters(links):
    made = network(links)
    machine = load(made, profile="uncalibrated", adjoint="true", **QUIET)
    trace = machine.forward(draw(), seed=1)
    model = machine.host.known
    exact = EventMachine(model.program, NumbaOptions.read({"threads": 1}))
    exact.write(model.split(trace.effective_parameters))
    expected = exact.forward(draw(), seed=1)
    for name in ("hidden", "output"):
        mine, theirs = trace.spikes[name], expected.spikes[name]
        assert np.array_equal(mine.sources, theirs.sources)
        np.testing.assert_allclose(mine.times, theirs.times, atol=2e-6, rtol=0.0)
    gradient, reference = (m.adjoint(t, cotangent(t)) for m, t in ((machine, trace), (exact, expected)))
    joined = model.join(reference.parameters, trace.effective_parameters)
    for key, values in joined.items():
        assert cosine(gradient.parameters[key], values) > 0.9999


def test_the_median_gradient_of_an_ideal_chip_is_the_exact_one():
    made = network()
    machine, exact = load(made, profile="ideal"), EventMachine(made, NumbaOptions.read({"threads": 1}))
    found = {block.weight_key: [] for block in made.blocks}
    for seed in range(12):
        stimulus = draw(seed=seed, batch=1)
        trace = machine.forward(stimulus, seed=1)
        exact.write(trace.effective_parameters)
        expected = exact.forward(stimulus, seed=1)
        rng = np.random.default_rng(seed)
        loss = Cotangent({"output": rng.normal(size=len(trace.spikes["output"]))})
        mine, theirs = machine.adjoint(trace, loss), exact.adjoint(expected, loss)
        for key, values in found.items():
            if theirs.parameters[key].any():
                values.append(cosine(mine.parameters[key], theirs.parameters[key]))
    assert all(np.median(values) > 0.9999 for values in found.values())


@pytest.mark.parametrize("profile", ["calibrated", "uncalibrated"])
def test_circuits_side_by_side_do_what_they_do_one_after_the_other(profile):
    # a loop of weights 0 makes the same circuits a network that is run spike by spike
    still = {"profile": profile, "profile_numbers": {"spike_jitter": 0}}
    alone, looped = network(LAYERED), network(RECURRENT)
    blocks = (*alone.blocks, replace(looped.blocks[2], weights=np.zeros(400), train_weight=False))
    looped = replace(looped, blocks=blocks)
    mine, theirs = (load(made, **still).forward(draw(), seed=3) for made in (alone, looped))
    assert len(mine.spikes["hidden"]) > 10 * BATCH
    assert mine.health["compressed"] > 0
    assert same(mine, theirs)


def test_without_noise_runs_are_the_same_bit_for_bit():
    machine = load(network(), noise=False)
    assert same(machine.forward(draw(), seed=1), machine.forward(draw(), seed=2))


def test_noise_is_that_of_the_seed():
    machine = load(network())
    first, again, other = (machine.forward(draw(), seed=seed) for seed in (1, 1, 2))
    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize("links", [LAYERED, RECURRENT], ids=["layered", "recurrent"])
def test_noise_does_not_depend_on_threads(links):
    machine = load(network(links))
    traces = []
    for threads in (1, 2, 3):
        machine.threads = threads
        traces.append(machine.forward(draw(), seed=1))
    assert same(traces[0], traces[1])
    assert same(traces[0], traces[2])


def test_a_further_population_leaves_the_others_neurons():
    alone, both = (
        load(network(links, **sizes), noise=False)
        for links, sizes in ((LAYERED, {}), ((*LAYERED, ("input", "other")), {"other": 4}))
    )
    both.write({block.weight_key: block.weights for block in alone.program.blocks})
    assert np.array_equal(alone.membranes["hidden"].tau_m, both.membranes["hidden"].tau_m)


def test_no_event_is_lost_without_a_count():
    made = network()
    trace = load(made, profile_numbers=SLOW_OUT, rates=FEW).forward(draw(), seed=1)
    whole = load(made).forward(draw(), seed=1)
    kept, sent = (sum(len(t.spikes[k]) for k in ("hidden", "output")) for t in (trace, whole))
    assert trace.health["dropped_out"] == sent - kept > 0


def test_events_that_the_link_into_the_chip_loses_are_counted():
    trace = load(network(), profile_numbers={"input_rate": 0.13, "fifo_depth": 1}).forward(draw(), seed=1)
    lost = trace.health["dropped_in"]
    assert lost > 0
    delivered = (len(draw()) - lost) * 20 + len(trace.spikes["hidden"]) * 3
    assert trace.health["arrivals"] + trace.health["in_flight"] == delivered


def test_an_input_that_saturates_lets_fewer_spikes_through():
    counts = Counter()
    for knee in (0, 0.5):
        numbers = {"saturation_knee": knee, "saturation_limit": 1.0}
        trace = load(network(), noise=False, profile_numbers=numbers).forward(draw(), seed=1)
        counts[knee] = len(trace.spikes["hidden"])
        assert (trace.health["compressed"] > 0) == (knee > 0)
    assert counts[0.5] < counts[0]


def test_weights_as_run_are_whole_steps():
    machine = load(network())
    for wiring, block in zip(machine.plan.wirings, machine.program.blocks, strict=True):
        steps = machine.as_run[block.weight_key] * wiring.demand.scale
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)


@pytest.mark.parametrize("policy", ["clamp", "drop"])
def test_spikes_that_the_model_would_not_produce_are_counted(policy):
    machine = load(network(), profile="uncalibrated", unmodelled=policy)
    trace = machine.forward(draw(), seed=1)
    gradient = machine.adjoint(trace, cotangent(trace))
    assert gradient.health["unmodelled"] > 0
    assert all(np.isfinite(values).all() for values in gradient.parameters.values())
    assert len(gradient.spike_times["hidden"]) == len(trace.spikes["hidden"])


def test_the_spikes_of_a_batch_are_bounded_by_max_memory():
    made, stimulus = network(), draw()
    trace = load(made, **QUIET).forward(stimulus, seed=0)
    total = sum(len(trace.spikes[name]) for name in ("hidden", "output"))
    fixed = made.memory
    load(replace(made, max_memory=fixed + (total + 0.5) * PER_FOUND_SPIKE), **QUIET).forward(stimulus, seed=0)
    short = load(replace(made, max_memory=fixed + (total - 0.5) * PER_FOUND_SPIKE), **QUIET)
    with pytest.raises(NumericsError, match=f"in population hidden; .* has room for {total - 1}; "):
        short.forward(stimulus, seed=0)
