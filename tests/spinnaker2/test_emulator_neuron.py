"""One neuron at a tick of 0.1 ms spikes at the ticks of the event-driven solution."""

import numpy as np
from emulated import chip
from netdesc_numba import NumbaBackend

from netdesc.description import describe_text
from netdesc.graph.pipeline import compile_graph
from netdesc.lower import lower
from netdesc.stimulus import stimulus

TICK = 0.1

TEXT = """
netdesc: 1
name: one-neuron
simulation: {duration: 100 ms}
populations:
  input: {size: 1, source: {spike_times: {times: [[44.3 ms, 50.3 ms, 69.4 ms, 75.3 ms]]}}}
  output: {size: 1, neuron: {LIF: {tau_mem: 2.5 ms, tau_syn: 2.5 ms}}}
projections:
  drive: {pre: input, post: output, weight: 3.02, delay: 0.1 ms}
"""


def test_a_neuron_spikes_at_the_first_tick_after_each_crossing():
    program = lower(compile_graph(describe_text(TEXT, "one_neuron.yaml")))
    driven = stimulus(program, dataset_events=None, batch=1, seed=0)
    exact = NumbaBackend({"threads": 1}).load(program, seed=0).forward(driven, seed=0).spikes["output"].times
    found = chip(program, "exact_exponential", TICK).forward(driven, seed=0).spikes["output"].times
    assert np.ceil(exact / TICK).astype(int).tolist() == [460, 510, 710, 760]
    assert np.round(found / TICK).astype(int).tolist() == [460, 510, 710, 760]
    assert np.abs(found / TICK - np.round(found / TICK)).max() < 1e-4
