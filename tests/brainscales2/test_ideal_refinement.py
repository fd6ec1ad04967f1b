"""Measured spikes put where the model of the host has them."""

from dataclasses import replace

import numpy as np
import pytest
from chip_programs import program
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.host.refinement import refine
from netdesc_numba.event.machine import EventMachine
from netdesc_numba.options import Options as NumbaOptions

from netdesc.events import Events
from netdesc.trace import Cotangent

BATCH, GRID = 10, 0.008
SIZES = {"input": 5, "hidden": 20, "output": 3}
LAYERED = (("input", "hidden"), ("hidden", "output"))
RECURRENT = (*LAYERED, ("hidden", "hidden"))
MEANS = {("input", "hidden"): (0.9, 0.8), ("hidden", "output"): (0.25, 0.4), ("hidden", "hidden"): (0.0, 0.3)}
EXACT = {"noise": False, "profile_numbers": {"saturation_knee": 0}}


def draw(seed=1):
    rng = np.random.default_rng(seed)
    count = BATCH * 10
    return Events.from_arrays(
        rng.uniform(0.0, 25.0, count),
        np.tile(np.arange(5), 2 * BATCH),
        np.repeat(np.arange(BATCH), 10),
        BATCH,
    )


def network(links):
    rng = np.random.default_rng(2)
    weights = {link: rng.normal(*MEANS[link], (SIZES[link[0]], SIZES[link[1]])) for link in links}
    made = program(SIZES, links, weights)
    return replace(made, blocks=tuple(replace(block, train_weight=True) for block in made.blocks))


def load(made, **options):
    return BrainScaleS2Backend(options).load(made, seed=0)


def on_grid(events):
    return replace(events, times=np.rint(events.times / GRID) * GRID)


def refined(machine, trace):
    layout = machine.host.layout
    known = machine.host.known
    layout.write(trace.effective_parameters if known is None else known.split(trace.effective_parameters))
    return refine(layout, trace.spikes, GRID)


def in_order(events):
    return np.lexsort((events.times, events.sources, events.samples()))


@pytest.mark.parametrize("links", [LAYERED, RECURRENT], ids=["layered", "recurrent"])
def test_spikes_of_an_ideal_chip_are_put_where_the_solver_has_them(links):
    machine = load(network(links), profile="ideal")
    trace = machine.forward(draw(), seed=1)
    found = refined(machine, trace)
    exact = EventMachine(machine.program, NumbaOptions.read({"threads": 1}))
    exact.write(trace.effective_parameters)
    expected = exact.forward(on_grid(draw()), seed=1)
    for name in ("hidden", "output"):
        mine, theirs = found.spikes[name], expected.spikes[name]
        assert np.array_equal(mine.offsets, theirs.offsets)
        gaps = mine.times[in_order(mine)] - theirs.times[in_order(theirs)]
        assert np.mean(np.abs(gaps) < 1e-9) >= (1.0 if links is LAYERED else 0.99)
        assert np.abs(gaps).max() <= GRID
        assert np.mean(found.reproduced[name]) >= 0.99


@pytest.mark.parametrize("links", [LAYERED, RECURRENT], ids=["layered", "recurrent"])
def test_a_host_that_knows_its_chip_finds_the_spikes_of_one_without_noise(links):
    machine = load(network(links), profile="uncalibrated", adjoint="true", **EXACT)
    trace = machine.forward(draw(), seed=1)
    pull = Cotangent({"output": np.ones(len(trace.spikes["output"]))})
    gradient = machine.adjoint(trace, pull)
    total = len(trace.spikes["hidden"]) + len(trace.spikes["output"])
    assert gradient.health["reproduced"] >= 0.99 * total


def test_a_host_that_takes_a_chip_for_nominal_leaves_its_spikes_where_they_were_measured():
    machine = load(network(LAYERED), profile="calibrated")
    trace = machine.forward(draw(), seed=1)
    gradient = machine.adjoint(trace, Cotangent({"output": np.ones(len(trace.spikes["output"]))}))
    assert gradient.health["reproduced"] == 0


def test_derivatives_by_spikes_are_aligned_with_the_measured_ones():
    machine = load(network(LAYERED), profile="ideal")
    trace = machine.forward(draw(), seed=1)
    pull = np.random.default_rng(3).normal(size=len(trace.spikes["output"]))
    gradient = machine.adjoint(trace, Cotangent({"output": pull}))
    moved = refined(machine, trace)
    # the last spike of a neuron without a later one acts through nothing else
    events = trace.spikes["output"]
    last = np.array(
        [
            not np.any(
                (events.sources[k + 1 :] == events.sources[k])
                & (events.samples()[k + 1 :] == events.samples()[k])
            )
            for k in range(len(events))
        ]
    )
    np.testing.assert_allclose(gradient.spike_times["output"][last], pull[last], rtol=1e-12)
    assert np.array_equal(np.sort(moved.order["output"]), np.arange(len(events)))


def test_spikes_that_the_host_relays_stay_where_they_were_measured():
    machine = load(network(LAYERED), profile="ideal")
    trace = machine.forward(draw(), seed=1)
    refined(machine, trace)
    found = refine(machine.host.layout, trace.spikes, GRID, relayed={"hidden"})
    assert np.array_equal(found.spikes["hidden"].times, trace.spikes["hidden"].times)
    assert np.all(found.reproduced["hidden"])
    assert not np.array_equal(found.spikes["output"].times, trace.spikes["output"].times)
