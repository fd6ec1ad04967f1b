"""Room that a run turns out to need: it changes nothing, and is found in few attempts."""

from itertools import pairwise

import netdesc_spinnaker2.host.device as device
import numpy as np
import pytest
from emulated import SCHEMES, chip, inputs, layered, same_spikes
from hypothesis import given, settings
from hypothesis import strategies as st
from netdesc_spinnaker2.board.packets import KNOWN, find_block

from netdesc.events import Events

RARE = {"input": 1.0, "hidden_0": 1e-4, "output": 1e-4}
OFTEN = {"input": 1.0, "hidden_0": 4.0, "output": 20.0}


@pytest.fixture
def attempts(monkeypatch):
    """Count the runs that stopped for more room."""
    calls = []

    def relieve(code, status, emulation, old=device.relieve):
        calls.append(int(code))
        return old(code, status, emulation)

    monkeypatch.setattr(device, "relieve", relieve)
    return calls


@pytest.mark.parametrize("scheme", SCHEMES)
def test_stores_that_fill_alike_grow_together(scheme, attempts):
    program, many = layered((5, 30, 3), ticks=40, gain=6.0), {"hidden_0": 1}
    wide = chip(program, scheme, rates=OFTEN, slices=many).forward(inputs(2, ticks=30), seed=0)
    assert not attempts
    narrow = chip(program, scheme, rates=RARE, slices=many)
    assert same_spikes(wide, narrow.forward(inputs(2, ticks=30), seed=0))
    assert 0 < len(attempts) < 12, "30 slices begin with room for one spike each, and all of them need more"


@pytest.mark.parametrize("copies", [1, 2])
def test_the_host_makes_room_between_rounds_without_another_run(copies, attempts):
    program, stimulus = layered((5, 30, 3), ticks=40, gain=6.0), inputs(7, ticks=30)
    tight, other = (chip(program, "off_grid", rates=OFTEN, copies=copies) for _ in range(2))
    tight.device.room = 1
    whole = tight.forward(stimulus, seed=0)
    assert tight.device.room > 1
    assert not attempts
    assert same_spikes(whole, other.forward(stimulus, seed=0))
    alone = [
        other.forward(Events(stimulus.times[a:b], stimulus.sources[a:b], np.array([0, b - a])), seed=0)
        for a, b in pairwise(stimulus.offsets)
    ]
    assert whole.health["packets_sent"] == sum(trace.health["packets_sent"] for trace in alone)


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(0, 400), st.data())
def test_a_key_is_found_from_any_block_before_it(gaps, key, data):
    known = np.zeros(len(gaps), dtype=KNOWN)
    known["base"], known["size"] = np.cumsum(gaps), 1
    after = int(np.searchsorted(known["base"], key, side="right"))
    low = data.draw(st.integers(0, after))
    assert find_block(key, known, low, len(known)) == after
