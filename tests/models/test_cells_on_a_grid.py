"""Cells from equations on a time grid: refining it leads to continuous time."""

import numpy as np
import pytest
from cell_networks import random_description

import netdesc
from netdesc import results
from netdesc.errors import LimitError
from netdesc.trace import Cotangent

STEPS = (0.2, 0.05, 0.0125, 0.003125)
NETWORKS = [
    ("IF_curr_alpha", 0),
    ("IF_curr_alpha", 1),
    ("EIF_cond_exp_isfa_ista", 0),
    ("EIF_cond_exp_isfa_ista", 2),
]


def compile_on_grid(description, **options):
    solver = {"grid": options} if options else "event"
    return netdesc.compile(netdesc.load({**description, "backends": {"numba": {"solver": solver}}}), "numba")


def cotangent_of(trace):
    spikes = trace.spikes["cells"]
    return Cotangent({"cells": np.cos(0.3 * spikes.times) * (1.0 + spikes.sources)})


def by_neuron(spikes):
    order = np.lexsort((spikes.times, spikes.sources))
    return spikes.times[order], spikes.sources[order]


@pytest.mark.parametrize(("model", "seed"), NETWORKS)
def test_spikes_and_gradients_converge(model, seed):
    description = random_description(model, seed, refractory="2 ms", recurrent=True)
    continuous = compile_on_grid(description)
    stimulus = continuous.stimulate(None)
    trace = continuous.machine.forward(stimulus, seed=0)
    gradient = continuous.machine.adjoint(trace, cotangent_of(trace))
    times, sources = by_neuron(trace.spikes["cells"])
    late, off = [], []
    for step in STEPS:
        machine = compile_on_grid(description, timestep=f"{step} ms").machine
        found = machine.forward(stimulus, seed=0)
        moved, same = by_neuron(found.spikes["cells"])
        np.testing.assert_array_equal(same, sources)
        ticks = moved / step
        np.testing.assert_allclose(ticks, np.round(ticks), rtol=0.0, atol=1e-6)
        late.append(np.abs(moved - times).max())
        back = machine.adjoint(found, cotangent_of(found))
        off.append(
            max(
                np.abs(back.parameters[key] - values).max() / np.abs(values).max()
                for key, values in gradient.parameters.items()
            )
        )
    assert late[-1] <= 8.0 * STEPS[-1]
    assert off[-1] <= 0.03
    assert late[-1] <= late[0] / 10.0
    assert off[-1] <= off[0] / 10.0


def test_a_lif_network_spikes_as_on_the_grid_of_linear_membranes():
    """The cell from equations and the vectorized membranes share no code of a tick."""
    description = random_description("IF_curr_alpha", 0)
    parameters = {"tau_syn_E": "6 ms", "tau_syn_I": "3 ms", "tau_refrac": "2 ms"}
    description["populations"]["cells"]["neuron"] = {"IF_curr_exp": parameters}
    plain = compile_on_grid(description, timestep="0.1 ms")
    alone = {"size": 1, "neuron": "IF_curr_alpha"}
    description["populations"] = {**description["populations"], "other": alone}
    mixed = compile_on_grid(description, timestep="0.1 ms")
    wanted, found = (item.machine.forward(item.stimulate(None), seed=0) for item in (plain, mixed))
    assert len(wanted.spikes["cells"]) > 4
    np.testing.assert_allclose(found.spikes["cells"].times, wanted.spikes["cells"].times, rtol=0.0, atol=1e-9)
    np.testing.assert_array_equal(found.spikes["cells"].sources, wanted.spikes["cells"].sources)


def test_a_trace_from_a_file_gives_the_same_gradient(tmp_path):
    compiled = compile_on_grid(random_description("IF_curr_alpha", 0), timestep="0.1 ms")
    trace = compiled.machine.forward(compiled.stimulate(None), seed=0)
    results.write(results.collect(trace, compiled.program, {}), tmp_path / "run.h5")
    again = results.read(tmp_path / "run.h5").trace()
    first, second = (compiled.machine.adjoint(item, cotangent_of(item)) for item in (trace, again))
    for key, values in first.parameters.items():
        np.testing.assert_array_equal(second.parameters[key], values)


def test_every_spike_arrives_or_is_in_flight():
    compiled = compile_on_grid(random_description("IF_curr_alpha", 1), timestep="0.1 ms")
    trace = compiled.machine.forward(compiled.stimulate(None), seed=0)
    sent = sum(
        len(trace.spikes[compiled.program.populations[block.pre].name]) * block.n_post
        for block in compiled.program.blocks
    )
    assert trace.health["arrivals"] + trace.health["in_flight"] == sent


@pytest.mark.parametrize(
    "options", [{"scheme": "off_grid"}, {"scheme": "published"}, {"precision": "float32"}]
)
def test_other_schemes_refuse_the_cell(options):
    description = random_description("IF_curr_alpha", 0)
    for projection in description["projections"].values():
        projection["delay"] = "1 ms"
    with pytest.raises(LimitError, match="IF_curr_alpha on a grid needs scheme exact_exponential in float64"):
        compile_on_grid(description, timestep="0.1 ms", **options)
