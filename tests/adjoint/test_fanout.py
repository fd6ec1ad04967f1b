"""The fan-out of a stage refers to the projections and gives every synapse once, by slot, then by delay."""

import numpy as np
import pytest

import netdesc
from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.fanout import first_delays
from netdesc.adjoint.synapses import (
    BEGIN,
    END,
    PART,
    delay_at,
    number_at,
    receptor_by,
    target_of,
    weight_of,
)
from netdesc.adjoint.synapses import label as label_of
from netdesc.events import is_fixed

DRAWN = {"normal": {"mu": 0.5, "sigma": 0.1}}
LATE = {"uniform": {"low": "1 ms", "high": "2 ms"}}


def network(weight, delay, *, several: bool):
    cell = {"LIF": {"tau_mem": "20 ms", "tau_syn": "5 ms", "tau_refrac": "2 ms"}}
    sparse = {"connector": {"fixed_probability": {"p": 0.4}}, "weight": weight}
    projections = {"aa": {"pre": "a", "post": "a", **sparse, "delay": delay}}
    if several:
        projections |= {
            "ab": {"pre": "a", "post": "b", **sparse, "delay": "1.5 ms"},
            "ba": {"pre": "b", "post": "a", "weight": weight, "delay": delay},
            "xa": {"pre": "x", "post": "a", **sparse, "delay": delay},
            "ax": {"pre": "a", "post": "a", **sparse, "delay": "1.5 ms"},
        }
    described = {
        "netdesc": 1,
        "simulation": {"duration": "20 ms", "seed": 1},
        "populations": {
            "a": {"size": 30, "neuron": cell},
            **(
                {"b": {"size": 20, "neuron": cell}, "x": {"size": 10, "source": "dataset"}} if several else {}
            ),
        },
        "projections": projections,
    }
    return netdesc.compile(netdesc.load(described), "numba").program


def plain(function):
    """Return a function without the compiler, which is off already where kernels are interpreted."""
    return getattr(function, "py_func", function)


def listed(fan):
    """Return slot, delay, target, weight and receptor of every synapse as a kernel meets them."""
    found = []
    for slot in range(len(fan.first) - 1):
        for g in range(fan.first[slot], fan.first[slot + 1]):
            part = int(fan.runs[g, PART])
            for place in range(int(fan.runs[g, BEGIN]), int(fan.runs[g, END])):
                number = int(plain(number_at)(place, fan))
                values = (
                    slot,
                    plain(delay_at)(place, part, fan),
                    int(plain(target_of)(number, fan)),
                    plain(weight_of)(number, part, fan),
                    plain(receptor_by)(plain(label_of)(number, part), fan),
                )
                found.append(values)
    return found


def expected(layout, index):
    """Return the same from the projections themselves."""
    wiring, found = layout.wirings[index], []
    for block in layout.blocks[index]:
        indptr, indices = block.sparse()
        slots = np.repeat(np.arange(block.n_pre), np.diff(indptr)) + wiring.slots[block.pre]
        delays = np.broadcast_to(layout.store[block.delay_key], block.size)
        charges = block.charges(layout.store[block.weight_key])
        targets = indices + wiring.places[block.post]
        found += zip(
            slots.tolist(),
            delays.tolist(),
            targets.tolist(),
            charges.tolist(),
            [block.receptor] * block.size,
            strict=True,
        )
    return found


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("delay", ["1.5 ms", LATE])
@pytest.mark.parametrize("weight", [0.5, DRAWN])
def test_a_fanout_holds_every_synapse_once_in_order(weight, delay, several):
    layout = Layout(network(weight, delay, several=several))
    fan, found = layout.fanout(0), listed(layout.fanout(0))
    assert sorted(found) == sorted(expected(layout, 0))
    assert [item[:2] for item in found] == sorted(item[:2] for item in found)
    assert all(is_fixed(array) or not array.flags.writeable for array in fan)
    slots = np.arange(len(fan.first) - 1)
    soonest = {slot: delay for slot, delay, *_ in reversed(found)}
    assert first_delays(fan, slots).tolist() == [soonest.get(slot, 0.0) for slot in slots]


def test_a_projection_alone_is_not_copied():
    program = network(DRAWN, LATE, several=False)
    layout = Layout(program)
    fan, block = layout.fanout(0), program.blocks[0]
    assert np.shares_memory(fan.target, block.indices)
    assert np.shares_memory(fan.weight, block.weights)
    assert np.shares_memory(fan.delay, block.delays)
    assert len(fan.order) == block.size


def test_one_number_for_all_is_stored_once():
    fan = Layout(network(0.5, "1.5 ms", several=False)).fanout(0)
    assert (len(fan.weight), len(fan.delay), len(fan.order)) == (1, 1, 1)
    several = Layout(network(0.5, "1.5 ms", several=True)).fanout(0)
    assert (len(several.weight), len(several.delay), len(several.order)) == (5, 5, 1)


def test_new_weights_keep_the_order_of_the_synapses():
    layout = Layout(network(DRAWN, LATE, several=True))
    before = layout.fanout(0)
    key = layout.blocks[0][0].weight_key
    layout.write({key: layout.store[key] + 1.0})
    after = layout.fanout(0)
    assert after.runs is before.runs
    assert after.order is before.order
    assert sorted(listed(after)) == sorted(expected(layout, 0))
    delays = layout.blocks[0][0].delay_key
    layout.write({delays: layout.store[delays][::-1].copy()})
    assert sorted(listed(layout.fanout(0))) == sorted(expected(layout, 0))
