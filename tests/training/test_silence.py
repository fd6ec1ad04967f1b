import numpy as np
from linear_machine import prepare

from netdesc.block import Block
from netdesc.events import Events
from netdesc.program import PopulationSlice, Program
from netdesc.trace import Trace
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.loop import run_epoch
from netdesc.training.tally import bump_weights, find_silent
from netdesc.training.task import start


def make_program(sign=1.0, sparse=False):
    populations = (
        PopulationSlice("input", 0, 2, "source", "dataset", (), False, (2,), {}),
        PopulationSlice("output", 2, 5, "spiking", "LIF", ("signed",), False, (3,), {}),
    )
    indptr, indices = (np.array([0, 2, 3]), np.array([0, 2, 1])) if sparse else (None, None)
    count = 3 if sparse else 6
    block = Block(
        "only",
        "projections.only",
        0,
        1,
        2,
        3,
        0,
        np.full(3, sign),
        indptr,
        indices,
        np.zeros(count),
        np.zeros(count),
        train_weight=True,
        train_delay=True,
    )
    return Program("test", 40.0, 0, populations, (block,), {}, ())


def make_trace(lists):
    events = Events.from_lists(lists)
    return Trace({"input": Events.from_lists([[]] * events.batch), "output": events}, None)


def test_a_neuron_that_spikes_in_one_sample_is_not_silent():
    silent = find_silent(make_trace([[[1.0], [], []], [[], [], [2.0]]]), make_program())
    assert silent.tolist() == [False, False, False, True, False, False]


def test_the_bump_reaches_all_weights_onto_a_silent_neuron_and_no_delay():
    program = make_program()
    flat = FlatParameters.of(program)
    silent = find_silent(make_trace([[[1.0], [], [1.0]]]), program)
    parts = flat.split(bump_weights(np.zeros(12), flat, silent, amount=0.5))
    assert parts["only.weight"].tolist() == [0.0, 0.5, 0.0, 0.0, 0.5, 0.0]
    assert not parts["only.delay"].any()


def test_the_bump_follows_the_indices_of_a_sparse_block():
    program = make_program(sparse=True)
    flat = FlatParameters.of(program)
    silent = find_silent(make_trace([[[1.0], [1.0], []]]), program)
    parts = flat.split(bump_weights(np.zeros(6), flat, silent, amount=0.5))
    assert parts["only.weight"].tolist() == [0.0, 0.5, 0.0]


def test_the_bump_lowers_magnitudes_of_inhibition():
    program = make_program(sign=-1.0)
    flat = FlatParameters.of(program)
    silent = find_silent(make_trace([[[], [1.0], [1.0]]]), program)
    parts = flat.split(bump_weights(np.ones(12), flat, silent, amount=0.5))
    assert parts["only.weight"].tolist() == [0.5, 1.0, 1.0, 0.5, 1.0, 1.0]


def test_a_silent_network_wakes_up_under_the_weight_bump():
    asleep = ["projections.only.weight={init: -7, train: true}", "training.batch_size=60"]
    still = run_epoch(prepare(*asleep)[0], start(prepare(*asleep)[0]))
    assert still.reports[0].silent_fraction == 1.0
    np.testing.assert_array_equal(still.values, -7.0)
    woken = prepare(*asleep, "training.silent_neurons={weight_bump: {amount: 10}}")[0]
    state = run_epoch(woken, run_epoch(woken, start(woken)))
    assert state.reports[1].silent_fraction == 0.0
