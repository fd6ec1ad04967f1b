"""What never changes: patterns of chips, neurons that keep their places, quiet runs, counts of events."""

import os
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from chip_programs import layered, one_to_one, program
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.chip.pattern import draw_pattern

from netdesc.events import Events

LAYERED = (("input", "hidden"), ("hidden", "output"))
SIZES = {"input": 5, "hidden": 20, "output": 3}
PATTERN = """
import hashlib
from dataclasses import fields
from netdesc_brainscales2.chip.pattern import draw_pattern
raw = dict(tau_mem=0.35, tau_syn=0.35, gain=0.2, threshold=12.0, leak=12.0, reset=12.0, cadc=3.0)
found = draw_pattern(7, raw)
print(hashlib.sha256(b"".join(getattr(found, item.name).tobytes() for item in fields(found))).hexdigest())
"""
CALIBRATED = """
import hashlib
from netdesc_brainscales2.chip.calibration import QUANTITIES, calibrate
from netdesc_brainscales2.profile import Profile
from test_calibration import targets
found = calibrate(4, targets(), Profile.read("calibrated"))[0]
print(hashlib.sha256(b"".join(getattr(found, name).tobytes() for name in QUANTITIES)).hexdigest())
"""
LEAK = [25.561710367420964, -4.294932019170876, 7.3779556363149945]
TAU_MEM = [0.9081710710455544, 1.4494533656243078, 0.854325194599162]
RAW = dict(tau_mem=0.35, tau_syn=0.35, gain=0.2, threshold=12.0, leak=12.0, reset=12.0, cadc=3.0)


def draw(size=5, batch=8, duration=25.0):
    rng = np.random.default_rng(1)
    times = rng.uniform(0.0, duration, batch * size * 2)
    return Events.from_arrays(
        times, np.tile(np.arange(size), 2 * batch), np.repeat(np.arange(batch), 2 * size), batch
    )


def load(made, **options):
    return BrainScaleS2Backend(options).load(made, seed=0)


def tell(code, hash_seed):
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=os.path.dirname(__file__),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    return told.stdout.strip()


@pytest.mark.parametrize("code", [PATTERN, CALIBRATED], ids=["drawn", "calibrated"])
def test_a_pattern_is_the_same_bit_for_bit_in_processes_that_hash_in_other_ways(code):
    assert len({tell(code, "0"), tell(code, "12345")}) == 1


def test_a_pattern_is_the_one_that_it_has_always_been():
    found = draw_pattern(7, RAW)
    np.testing.assert_allclose(found.leak[[0, 100, 511]], LEAK, rtol=1e-12)
    np.testing.assert_allclose(found.tau_mem[[0, 100, 511]], TAU_MEM, rtol=1e-12)


def test_a_further_population_changes_nothing_of_what_keeps_its_place():
    rng = np.random.default_rng(2)
    weights = {link: rng.normal(0.5, 0.6, (SIZES[link[0]], SIZES[link[1]])) for link in LAYERED}
    more = {**weights, ("input", "other"): rng.normal(0.9, 0.8, (5, 4))}
    alone = load(program(SIZES, LAYERED, weights), noise=False)
    both = load(program({**SIZES, "other": 4}, tuple(more), more), noise=False)
    for name in ("hidden", "output"):
        mine, theirs = alone.membranes[name], both.membranes[name]
        for item in fields(mine):
            assert np.array_equal(getattr(mine, item.name), getattr(theirs, item.name)), item.name
    one, two = (machine.forward(draw(), seed=1) for machine in (alone, both))
    assert len(one.spikes["hidden"]) > 0
    for name in ("hidden", "output"):
        assert np.array_equal(one.spikes[name].times, two.spikes[name].times)
        assert np.array_equal(one.spikes[name].sources, two.spikes[name].sources)


@pytest.mark.parametrize("kind", ["spiking", "readout"])
def test_runs_without_noise_repeat_bit_for_bit_in_a_chip_that_is_loaded_anew(kind):
    made = program(SIZES, LAYERED, 0.4, kinds={"output": kind})
    traces = [load(made, noise=False).forward(draw(), seed=seed) for seed in (1, 2)]
    assert traces[0].health == traces[1].health
    for name, events in traces[0].spikes.items():
        assert events.times.tobytes() == traces[1].spikes[name].times.tobytes()
        assert np.array_equal(events.sources, traces[1].spikes[name].sources)


@pytest.mark.parametrize("numbers", [{}, {"input_rate": 0.3, "fifo_depth": 1}], ids=["fast", "slow"])
def test_every_event_that_the_host_sends_or_relays_arrives_or_is_counted_as_lost(numbers):
    drawn = layered(5, 20, 3, weights=2.0)
    late = replace(drawn.blocks[1], delays=np.array([2.0]))
    machine = load(
        replace(drawn, blocks=(drawn.blocks[0], late)),
        delays="instance",
        profile_numbers=numbers,
        rates={"layer0": 1e-4, "layer1": 1e-4, "layer2": 1e-4},
    )
    assert len(machine.plan.instances) == 2
    trace = machine.forward(draw(), seed=1)
    health, relayed = trace.health, len(trace.spikes["layer1"])
    assert relayed > 0
    assert health["dropped_out"] == 0
    assert (health["dropped_in"] > 0) == bool(numbers)
    assert trace.costs["events_in"] + health["dropped_in"] == len(draw()) + relayed
    delivered = health["arrivals"] + health["in_flight"]
    most = len(draw()) * 20 + relayed * 3
    # each lost event is one of 20 synapses or of 3
    assert most - 20 * health["dropped_in"] <= delivered <= most - 3 * health["dropped_in"]


def test_the_host_relays_no_event_that_it_has_lost():
    drawn = layered(5, 20, 3, weights=2.0)
    late = replace(drawn.blocks[1], delays=np.array([2.0]))
    made = replace(drawn, blocks=(drawn.blocks[0], late))
    machine = load(
        made,
        delays="instance",
        profile_numbers={"output_rate": 0.2, "fifo_depth": 1},
        rates={"layer1": 1e-4, "layer2": 1e-4},
    )
    trace = machine.forward(draw(), seed=1)
    kept = len(trace.spikes["layer1"])
    whole = load(made, delays="instance").forward(draw(), seed=1)
    assert 0 < kept < len(whole.spikes["layer1"])
    assert trace.costs["events_in"] == len(draw()) + kept
    assert trace.health["arrivals"] + trace.health["in_flight"] == len(draw()) * 20 + kept * 3


def fit_labels(labels):
    return one_to_one(4 * 32 * labels, weight=1.05), {"profile_numbers": {"labels": labels}}


FULL = {
    "circuits": (layered(10, 512, weights=1.0), {}),
    "rows of one sign": (layered(256, 4, weights=0.06), {"profile_numbers": {"merged_max": 1}}),
    "rows of both signs": (
        layered(128, 4, weights=np.tile([0.3, -0.1], 256)),
        {"profile_numbers": {"merged_max": 1}},
    ),
    "labels": fit_labels(3),
    "rows of a bus": (
        layered(32, 1, weights=np.resize([1.0, 0.9, -0.2], 32)),
        {"rows": {"layer0_layer1": 4}, "profile_numbers": {"merged_max": 1}},
    ),
}


@pytest.mark.parametrize("name", FULL)
def test_what_just_fits_runs(name):
    made, section = FULL[name]
    machine = load(made, profile="ideal", instances=1, **section)
    active = min(made.populations[0].size, 40)
    times = np.sort(np.random.default_rng(3).uniform(0.0, 20.0, 12 * active))
    trace = machine.forward(
        Events.from_arrays(times, np.resize(np.arange(active), 12 * active), np.zeros(12 * active, int), 1),
        seed=1,
    )
    assert trace.health["dropped_in"] == 0
    target = made.populations[1]
    assert len(trace.spikes[target.name]) > 0
