"""The paper's scheme against a literal transcription of its equations."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.block import Block
from netdesc.events import Events
from netdesc.program import PopulationSlice, Program, Stage
from netdesc.trace import Cotangent

TAU_M, TAU_S, INPUTS, SIZE, STEPS = 20.0, 5.0, 4, 6, 60


def make(seed, timestep, gain=1.0):
    """Return a recurrent population behind an input, and one sample on the grid."""
    random = np.random.default_rng(seed)
    total = INPUTS + SIZE
    per_neuron = lambda x: np.r_[np.full(INPUTS, np.nan), np.full(SIZE, x)]  # noqa: E731
    parameters = {
        "tau_m": per_neuron(TAU_M),
        "tau_s": per_neuron(TAU_S)[:, None],
        "tau_ref": per_neuron(0.0),
        "rest": per_neuron(0.0),
        "threshold": per_neuron(1.0),
        "reset": per_neuron(0.0),
        "v_init": per_neuron(0.0),
        "i_init": per_neuron(0.0)[:, None],
    }
    forward = random.normal(1.0, 1.5, (INPUTS, SIZE)) * gain
    loop = random.normal(0.0, 0.6, (SIZE, SIZE)) * gain
    blocks = tuple(
        Block(
            name,
            f"projections.{name}",
            pre,
            1,
            len(w),
            SIZE,
            0,
            np.ones(SIZE),
            None,
            None,
            w.ravel(),
            np.array([timestep]),
            True,
        )
        for name, pre, w in (("forward", 0, forward), ("loop", 1, loop))
    )
    populations = (
        PopulationSlice("input", 0, INPUTS, "source", "spike_times", (), False, (INPUTS,), {}),
        PopulationSlice("cells", INPUTS, total, "spiking", "LIF", ("signed",), False, (SIZE,), {}),
    )
    program = Program("published", STEPS * timestep, 0, populations, blocks, parameters, (Stage((1,), True),))
    z_in = random.random((STEPS + 1, INPUTS)) < 0.08
    times = [[(np.flatnonzero(z_in[:, k]) * timestep).tolist() for k in range(INPUTS)]]
    return program, Events.from_lists(times), z_in.astype(float), forward, loop


def forward_literally(z_in, w, r, timestep):
    """Return i, p and z per step."""
    alpha, beta = np.exp(-timestep / TAU_S), np.exp(-timestep / TAU_M)
    i, p, z, v = (np.zeros((STEPS + 1, SIZE)) for _ in range(4))
    for n in range(1, STEPS + 1):
        i[n] = alpha * i[n - 1] + w.T @ z_in[n - 1] + r.T @ z[n - 1]
        p[n] = beta * v[n - 1] + (1 - beta) * i[n]
        z[n] = p[n] > 1.0
        v[n] = (1 - z[n]) * p[n]
    return i, p, z


def backward_literally(z_in, w, r, timestep, i, p, z, outside):
    """Return the gradients of both matrices and what reaches the input, from dL/dt per step and neuron."""
    alpha, beta = np.exp(-timestep / TAU_S), np.exp(-timestep / TAU_M)
    lv, li, g = np.zeros((STEPS + 1, SIZE)), np.zeros((STEPS + 1, SIZE)), outside.copy()
    dw, dr, e_in = np.zeros_like(w), np.zeros_like(r), np.zeros((STEPS + 1, INPUTS))
    for n in range(STEPS - 1, -1, -1):
        e_in[n] = w @ (lv[n + 1] - li[n + 1])
        g[n] += r @ (lv[n + 1] - li[n + 1])
        li[n] = alpha * li[n + 1] + (1 - alpha) * lv[n + 1]
        lv[n] = beta * lv[n + 1]
        fired = z[n + 1] > 0
        lv[n, fired] += (lv[n + 1] + g[n + 1])[fired] / (i[n + 1] - p[n + 1])[fired]
        dw -= TAU_S * np.outer(z_in[n], li[n])
        dr -= TAU_S * np.outer(z[n], li[n])
    return dw, dr, e_in


def machine(program, timestep, precision):
    solver = {"grid": {"timestep": timestep, "scheme": "published", "precision": precision}}
    return NumbaBackend({"threads": 1, "solver": solver}).load(program, seed=0)


@pytest.mark.parametrize("timestep", [1.0, 0.2])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(4))
def test_spikes_are_those_of_the_equations_tick_for_tick(seed, precision, timestep):
    program, stimulus, z_in, w, r = make(seed, timestep, gain=2.0)
    _, _, z = forward_literally(z_in, w, r, timestep)
    spikes = machine(program, timestep, precision).forward(stimulus, seed=0).spikes["cells"]
    steps, neurons = np.nonzero(z)
    assert len(steps) > 0
    assert np.round(spikes.times / timestep).astype(int).tolist() == steps.tolist()
    assert spikes.sources.tolist() == neurons.tolist()


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("float64", 1e-11)])
@pytest.mark.parametrize("seed", range(4))
def test_gradients_are_those_of_the_equations(seed, precision, tolerance):
    program, stimulus, z_in, w, r = make(seed, 1.0)
    i, p, z = forward_literally(z_in, w, r, 1.0)
    device = machine(program, 1.0, precision)
    trace = device.forward(stimulus, seed=0)
    outside = np.random.default_rng(seed).normal(size=z.shape) * z
    cotangent = Cotangent({"cells": outside[np.nonzero(z)]})
    dw, dr, e_in = backward_literally(z_in, w, r, 1.0, i, p, z, outside)
    gradient = device.adjoint(trace, cotangent)
    for found, expected in (
        (gradient.parameters["forward.weight"], dw.ravel()),
        (gradient.parameters["loop.weight"], dr.ravel()),
        (gradient.spike_times["input"], e_in[np.nonzero(z_in)]),
    ):
        assert np.allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_the_adjoint_of_an_older_trace_is_the_same():
    program, stimulus, _, _, _ = make(0, 1.0)
    device = machine(program, 1.0, "float32")
    trace = device.forward(stimulus, seed=0)
    cotangent = Cotangent({"cells": np.cos(np.arange(len(trace.spikes["cells"])))})
    first = device.adjoint(trace, cotangent)
    device.forward(replace(stimulus, times=stimulus.times + 3.0), seed=0)
    again = device.adjoint(trace, cotangent)
    assert first.parameters["loop.weight"].tobytes() == again.parameters["loop.weight"].tobytes()
