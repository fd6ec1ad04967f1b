"""Spike times of cells from equations against closed forms in 40 digits and against another solver."""

import mpmath
import numpy as np
import pytest
from cell_networks import random_description
from scipy.integrate import solve_ivp

import netdesc

mpmath.mp.dps = 40


def arrivals(program, trace, neuron):
    """Return time, weight and receptor of everything that arrives at a neuron of the second population."""
    found = []
    for block in program.blocks:
        spikes = trace.spikes[program.populations[block.pre].name]
        weights, delays = (
            np.broadcast_to(item, block.size).reshape(block.n_pre, block.n_post)
            for item in (block.weights, block.delays)
        )
        found += [
            (time + delays[source, neuron], block.sign * weights[source, neuron], block.receptor)
            for time, source in zip(spikes.times, spikes.sources, strict=True)
            if time + delays[source, neuron] < program.duration
        ]
    return sorted(found)


def run(model, seed, **options):
    compiled = netdesc.compile(netdesc.load(random_description(model, seed, **options)), "numba")
    return compiled.program, compiled.forward(compiled.stimulate(None))


def alpha_voltage(t, begin, start, inputs, p):
    """Return v at t of a membrane that starts with ``start`` at ``begin``."""
    rest, cm, tau_m = (mpmath.mpf(p[name][0]) for name in ("v_rest", "cm", "tau_m"))
    total = rest + (start - rest) * mpmath.exp(-(t - begin) / tau_m)
    for time, weight, receptor in inputs:
        tau = mpmath.mpf(p[("tau_syn_E", "tau_syn_I")[receptor]][0])
        rate = 1 / tau - 1 / tau_m
        low, high = max(begin, mpmath.mpf(time)) - mpmath.mpf(time), t - mpmath.mpf(time)
        if high <= low:
            continue

        def inner(s, rate=rate):
            return -(s / rate + 1 / rate**2) * mpmath.exp(-rate * s)

        # integral of exp(-(high - s)/tau_m) s exp(-s/tau) from low to high
        part = mpmath.exp(-high / tau_m) * (inner(high) - inner(low))
        total += mpmath.mpf(weight) * mpmath.e / tau / cm * part
    return total


@pytest.mark.parametrize("seed", range(3))
def test_spikes_of_if_curr_alpha_solve_their_closed_form(seed):
    program, trace = run("IF_curr_alpha", seed)
    p = program.populations[1].values
    threshold, reset, hold = (mpmath.mpf(p[name][0]) for name in ("v_thresh", "v_reset", "tau_refrac"))
    checked = 0
    for neuron in range(3):
        mine = trace.spikes["cells"].times[trace.spikes["cells"].sources == neuron]
        inputs = arrivals(program, trace, neuron)
        begin, start = mpmath.mpf(0), mpmath.mpf(p["v_rest"][0])
        for time in mine:
            exact = mpmath.findroot(
                lambda t, b=begin, s=start, i=inputs: alpha_voltage(t, b, s, i, p) - threshold,
                mpmath.mpf(time),
            )
            assert abs(exact - mpmath.mpf(time)) < 1e-9
            # no crossing before: the voltage stays below the threshold
            for part in np.linspace(0.0, 1.0, 40)[:-1]:
                assert alpha_voltage(begin + part * (exact - begin), begin, start, inputs, p) < threshold
            begin, start, checked = exact + hold, reset, checked + 1
        if begin < 50:
            for part in np.linspace(0.01, 1.0, 60):
                assert alpha_voltage(begin + part * (50 - begin), begin, start, inputs, p) < threshold
    assert checked >= 4


def adaptive_rates(t, x, p, held):
    v, w, excitation, inhibition = x
    current = excitation * (p["e_rev_E"][0] - v) + inhibition * (p["e_rev_I"][0] - v)
    rise = p["delta_T"][0] * np.exp((v - p["v_thresh"][0]) / p["delta_T"][0])
    dv = (p["v_rest"][0] - v + rise) / p["tau_m"][0] + (current + p["i_offset"][0] - w) / p["cm"][0]
    return [
        0.0 if held else dv,
        (p["a"][0] * (v - p["v_rest"][0]) - w) / p["tau_w"][0],
        -excitation / p["tau_syn_E"][0],
        -inhibition / p["tau_syn_I"][0],
    ]


def adaptive_spikes(inputs, p, duration):
    """Return the spikes of a neuron by an adaptive method of order 8 at a tolerance of 1e-12."""
    x, t, free, spikes = [p["v_rest"][0], 0.0, 0.0, 0.0], 0.0, 0.0, []

    def top(t, x, *_):
        return x[0] - p["v_spike"][0]

    top.terminal, top.direction = True, 1.0
    events = [*inputs, (duration, 0.0, 0)]
    while events:
        target = min(events[0][0], free) if free > t else events[0][0]
        held = free > t
        found = solve_ivp(
            adaptive_rates, (t, target), x, method="DOP853", rtol=1e-12, atol=1e-14, args=(p, held),
            events=None if held else top, max_step=0.2,
        )  # fmt: skip
        assert found.success
        x, t = list(found.y[:, -1]), float(found.t[-1])
        if not held and len(found.t_events[0]):
            spikes.append(t)
            x[0], x[1], free = p["v_reset"][0], x[1] + p["b"][0], t + p["tau_refrac"][0]
        elif t == events[0][0]:
            _, weight, receptor = events.pop(0)
            x[2 + receptor] += weight
    return np.array(spikes)


@pytest.mark.parametrize("seed", range(3))
def test_spikes_of_eif_cond_exp_isfa_ista_agree_with_another_solver(seed):
    program, trace = run("EIF_cond_exp_isfa_ista", seed)
    p = program.populations[1].values
    for neuron in range(3):
        mine = trace.spikes["cells"].times[trace.spikes["cells"].sources == neuron]
        expected = adaptive_spikes(arrivals(program, trace, neuron), p, program.duration)
        assert len(mine) == len(expected) > 0
        assert np.max(np.abs(mine - expected)) < 1e-7
