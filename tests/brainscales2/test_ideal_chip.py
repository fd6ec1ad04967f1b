"""Spike times and gradients of the ideal chip on Yin-Yang, against the event-driven solver."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from netdesc_numba.event.machine import EventMachine
from netdesc_numba.options import Options as NumbaOptions

import netdesc
from netdesc.events import Events
from netdesc.losses.evaluation import evaluate
from netdesc.trace import Cotangent
from netdesc.training.preparation import load_samples
from netdesc.training.task import Feed
from netdesc.training.weights import load_weights

GRID, BATCH = 0.008, 100
PROJECTIONS = ("input_to_hidden", "hidden_to_output")
ONE_SPIKE, MANY_SPIKES = "{tau_mem: 6 ms, tau_syn: 6 ms, tau_refrac: 30 ms}", "{tau_mem: 6 ms, tau_syn: 3 ms}"
TEXT = """
netdesc: 1
name: yin-yang
simulation: {duration: 40 ms, seed: SEED}
data:
  dataset: {yin_yang: {train: 1000, validation: 0, test: 0}}
  encoder: {latency: {t_early: 2 ms, t_late: 26 ms, bias: 2 ms}}
neurons:
  lif: {LIF: NEURON}
populations:
  input:  {size: 5, source: dataset}
  hidden: {size: 120, neuron: lif}
  output: {size: 3, neuron: lif}
projections:
  input_to_hidden:
    pre: input
    post: hidden
    weight: {init: {normal: {mu: 1.4, sigma: 1.6}}, train: true}
  hidden_to_output:
    pre: hidden
    post: output
    weight: {init: {normal: {mu: 0.3, sigma: 0.3}}, train: true}
losses:
  class: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}
training: {optimizer: {adam: {learning_rate: 5e-3}}, epochs: 3, batch_size: 50}
backends:
  brainscales2: {profile: ideal}
"""


@dataclass
class Pair:
    """The same weights on the chip and in the solver, with a loss."""

    model: netdesc.Model
    compiled: object
    chip: object
    solver: EventMachine

    def draw(self, *indices):
        data = load_samples(self.model.description, self.compiled.program)
        events, labels = Feed(self.compiled.program, data.train).draw(np.array(indices), 0)
        return replace(events, times=np.rint(events.times / GRID) * GRID), labels

    def both(self, events, labels):
        found = []
        for machine in (self.chip, self.solver):
            trace = machine.forward(events, seed=1)
            told = evaluate(self.model.description.losses, trace, self.compiled.program, labels)
            found.append((trace, machine.adjoint(trace, told.cotangent)))
        return found


def write(folder, neuron, seed):
    file = folder / "yin_yang.yaml"
    file.write_text(TEXT.replace("SEED", str(seed)).replace("NEURON", neuron), encoding="utf-8")
    return netdesc.load(file)


def pair(model, weights=None):
    compiled = netdesc.compile(model, "brainscales2")
    if weights is not None:
        compiled.write(load_weights(Path(weights), compiled.program))
    solver = EventMachine(compiled.program, NumbaOptions.read({"threads": 1}))
    solver.write(compiled.machine.forward(silence(), seed=1).effective_parameters)
    return Pair(model, compiled, compiled.machine, solver)


def carry_over(cotangent, mine, theirs):
    """Give each output spike of the solver the derivative of its partner on the chip."""
    ours, others = (
        np.lexsort((item.times, item.sources, item.samples()))
        for item in (mine.spikes["output"], theirs.spikes["output"])
    )
    values = np.empty(len(ours))
    values[others] = cotangent.spikes["output"][ours]
    return Cotangent({"output": values})


def silence():
    return Events(np.empty(0), np.empty(0, dtype=np.int64), np.zeros(2, dtype=np.int64))


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def demand_same_spikes(mine, theirs):
    for name, size in (("hidden", 120), ("output", 3)):
        lists = mine.spikes[name].lists(size), theirs.spikes[name].lists(size)
        for sample in range(mine.batch):
            for found, expected in zip(lists[0][sample], lists[1][sample], strict=True):
                gaps = np.subtract(found, expected)
                assert len(found) == len(expected)
                assert (gaps > -1e-9).all()
                assert (gaps < GRID + 1e-9).all()


CASES = {
    "one-1": (ONE_SPIKE, 1),
    "one-2": (ONE_SPIKE, 2),
    "many-2": (MANY_SPIKES, 2),
    "many-3": (MANY_SPIKES, 3),
}


@pytest.mark.parametrize(("neuron", "seed"), CASES.values(), ids=CASES)
def test_spikes_and_the_gradient_of_a_batch_are_those_of_the_solver(tmp_path, neuron, seed):
    both = pair(write(tmp_path, neuron, seed))
    (mine, gradient), (theirs, exact) = both.both(*both.draw(*range(BATCH)))
    demand_same_spikes(mine, theirs)
    assert gradient.health["reproduced"] == len(mine.spikes["hidden"]) + len(mine.spikes["output"])
    for name in PROJECTIONS:
        assert cosine(gradient.parameters[f"{name}.weight"], exact.parameters[f"{name}.weight"]) > 0.9999


@pytest.mark.parametrize("neuron", [ONE_SPIKE, MANY_SPIKES], ids=["one", "many"])
def test_the_gradient_of_trained_weights_is_that_of_the_solver_with_the_same_derivative_of_the_loss(
    tmp_path, neuron
):
    # samples nearly cancel after training, and what stamps do to the loss itself shows in their sum
    model = write(tmp_path, neuron, 2)
    netdesc.train(model, backend="brainscales2", output=tmp_path / "run")
    both = pair(model, tmp_path / "run")
    events, labels = both.draw(*range(BATCH))
    (mine, gradient), (theirs, exact) = both.both(events, labels)
    demand_same_spikes(mine, theirs)
    told = evaluate(model.description.losses, mine, both.compiled.program, labels)
    same = both.solver.adjoint(theirs, carry_over(told.cotangent, mine, theirs))
    for name in PROJECTIONS:
        key = f"{name}.weight"
        assert cosine(gradient.parameters[key], same.parameters[key]) > 1.0 - 1e-9
        assert cosine(gradient.parameters[key], exact.parameters[key]) > 0.999


def test_the_median_gradient_of_a_sample_is_that_of_the_solver(tmp_path):
    both = pair(write(tmp_path, MANY_SPIKES, 2))
    cosines = {name: [] for name in PROJECTIONS}
    for sample in range(BATCH):
        (_, gradient), (_, exact) = both.both(*both.draw(sample))
        for name, values in cosines.items():
            wanted = exact.parameters[f"{name}.weight"]
            if wanted.any():
                values.append(cosine(gradient.parameters[f"{name}.weight"], wanted))
    assert all(len(values) >= 0.9 * BATCH for values in cosines.values())
    assert all(np.median(values) > 0.9999 for values in cosines.values())


def test_a_neuron_that_touches_its_threshold_spikes_as_in_the_solver(tmp_path):
    # a weight of 4 lifts a membrane with twice the time constant of the current exactly to 1, and weights in
    # steps of 1/60 hit 4; the threshold is lower by more than rounding, and by so little that the derivative
    # of the spike's time is as good as infinite
    both = pair(write(tmp_path, MANY_SPIKES.replace("}", ", v_threshold: 0.9999999999999}"), 1))
    (mine, gradient), (theirs, exact) = both.both(*both.draw(*range(BATCH)))
    demand_same_spikes(mine, theirs)
    slow = np.unique(theirs.spikes["hidden"].sources[theirs.residuals["hidden"]["current"] - 1.0 < 1e-3])
    assert len(slow) == 1
    weights = mine.effective_parameters["input_to_hidden.weight"].reshape(5, 120)
    assert np.isclose(weights[4, slow[0]], 4.0)
    rest = np.delete(np.arange(120), slow)
    found, wanted = (
        item.parameters["input_to_hidden.weight"].reshape(5, 120)[:, rest].ravel()
        for item in (gradient, exact)
    )
    assert cosine(found, wanted) > 0.9999
    assert gradient.health["grazing"] > 0
    assert all(np.abs(values).max() < 1e3 for values in gradient.parameters.values())
