"""Every delivery is an arrival, in flight, or dropped, however narrow the link."""

import numpy as np
import pytest

from netdesc.api import Model, compile
from netdesc.description import describe_text

FILE = """
netdesc: 1
simulation: {{duration: 20 ms}}
populations:
  a: {{size: 4, source: {{spike_times: {{times: [[1 ms, 2 ms], [1 ms], [1 ms, 3 ms], [1 ms]]}}}}}}
  b: {{size: 3, neuron: LIF}}
  c: {{size: 2, neuron: LIF}}
projections:
  p: {{pre: a, post: b, weight: 3}}
  q: {{pre: b, post: c, weight: 3}}
backends: {{brainscales2: {{profile_numbers: {{input_rate: {into}, output_rate: {out}, fifo_depth: 1}}}}}}
"""


@pytest.mark.parametrize(("into", "out"), [(125, 125), (0.4, 125), (125, 0.4)])
def test_deliveries_add_up(into, out):
    compiled = compile(Model(describe_text(FILE.format(into=into, out=out), "model.yaml")), "brainscales2")
    trace = compiled.forward()
    program, health = compiled.program, trace.health
    sent = sum(
        int(np.diff(block.sparse()[0])[trace.spikes[program.populations[block.pre].name].sources].sum())
        for block in program.blocks
    )
    accounted = health["arrivals"] + health["in_flight"] + health["dropped"]
    assert accounted == sent + health["unrecorded"]
    assert health["dropped"] == 3 * health["dropped_in"]
    assert health["dropped_in"] + health["dropped_out"] > 0
