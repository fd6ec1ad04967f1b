"""Forward run, loss and adjoint in one: the same bits as one after the other, and the same errors."""

from dataclasses import replace

import numpy as np
import pytest

import netdesc
from netdesc.api import Model
from netdesc.description import describe_text
from netdesc.errors import DescriptionError, NumericsError
from netdesc.events import Events
from netdesc.goals import Goals
from netdesc.training.loop import train_batch
from netdesc.training.preparation import build_task, load_machine, require_training
from netdesc.training.tally import Tally
from netdesc.training.task import start

NETWORK = """
netdesc: 1
simulation: {duration: 40 ms, seed: 3}
neurons:
  lif: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}
populations:
  input:  {size: 6, source: dataset}
  hidden: {size: 23, neuron: lif}
  output: {size: 3, neuron: lif}
projections:
  input: {pre: input, post: hidden, delay: 1 ms, weight: {init: {normal: {mu: 1.5, sigma: 0.8}}, train: true}}
  output: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.6, sigma: 0.3}}, train: true}}
losses:
  class: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}
training:
  optimizer: {adam: {learning_rate: 0.05}}
  epochs: 1
  batch_size: 8
"""

DEEPER = NETWORK.replace(
    "  output: {size: 3, neuron: lif}",
    "  second: {size: 17, neuron: lif}\n  output: {size: 3, neuron: lif}",
).replace(
    "  output: {pre: hidden,",
    "  between: {pre: hidden, post: second, delay: 0.7 ms, "
    "weight: {init: {normal: {mu: 0.5, sigma: 0.3}}, train: true}}\n  output: {pre: second,",
)
LAST = "  output: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.6, sigma: 0.3}}, train: true}}\n"
ALONE = (
    NETWORK.replace("  hidden: {size: 23, neuron: lif}\n", "")
    .replace(LAST, "")
    .replace("post: hidden", "post: output")
)
MEANS = NETWORK.replace(
    "output: {size: 3, neuron: lif}", "output: {size: 3, neuron: {LI: {tau_mem: 20 ms, v_leak: 0.2}}}"
).replace("time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}",
          "mean_voltage: {population: output}")  # fmt: skip
FADING = MEANS.replace(
    "mean_voltage: {population: output}",
    "mean_voltage: {population: output, weighting: {exponential: {tau: 10 ms}}, weight: 0.7}",
)
EQUAL = NETWORK.replace("tau_syn: 5 ms", "tau_syn: 20 ms").replace("mu: 1.5", "mu: 0.6")
NARROW = NETWORK.replace("size: 23", "size: 2").replace("mu: 0.6", "mu: 9")
SWAPPED = NETWORK.replace("  hidden: {size: 23, neuron: lif}\n", "").replace(
    "  output: {size: 3, neuron: lif}\n",
    "  output: {size: 3, neuron: lif}\n  hidden: {size: 23, neuron: lif}\n",
)
BUMPED = NETWORK + "  silent_neurons: {weight_bump: {amount: 0.01}}\n"

CHAINS = {
    "layers": NETWORK,
    "deeper": DEEPER,
    "alone": ALONE,
    "means": MEANS,
    "fading": FADING,
    "equal": EQUAL,
    "narrow": NARROW,
    "bumped": BUMPED,
    "swapped": SWAPPED,
}


def load(text, *overrides, batch=8, threads=1):
    """Return a task, its state, and a batch."""
    model = Model(describe_text(text, overrides=[*overrides, f"backends.numba.threads={threads}"]))
    rng = np.random.default_rng(batch)
    count = 6 * batch
    times, channels = rng.uniform(0.0, 30.0, count), rng.integers(0, 6, count)
    events = Events.from_arrays(times, channels, np.repeat(np.arange(batch), 6), batch)
    labels = rng.integers(0, 3, batch)
    labels[:3] = np.arange(3)[: len(labels)]
    training = require_training(model.description, "numba")
    data = netdesc.Samples.from_events(events, np.array(["a", "b", "c"])[labels])
    task = build_task(load_machine(netdesc.compile(model)), model.description, training, data)
    stimulus, goals = task.feeds["train"].draw(np.arange(batch), 0)
    return task, start(task), (stimulus, goals)


def learn(task, state, batch, steps=3):
    """Take some steps; return the state and what was counted."""
    tally = Tally(task.program)
    grazing = []
    task.machine.write(task.flat.split(state.values))
    for _ in range(steps):
        state, raised = train_batch(task, state, batch[0], goals=batch[1], tally=tally)
        grazing.append(raised)
    return state, tally, grazing


def require_same(mine, others):
    """Compare two trainings to the last bit."""
    assert np.array_equal(mine[0].values, others[0].values)
    for name, moment in mine[0].optimizer.moments.items():
        assert np.array_equal(moment, others[0].optimizer.moments[name])
    assert mine[2] == others[2]
    for name in set(Tally.__slots__) - {"program"}:
        assert getattr(mine[1], name) == getattr(others[1], name), name


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("batch", [3, 21])
def test_a_fused_step_is_the_step_of_its_parts(name, batch):
    task, state, given = load(CHAINS[name], batch=batch)
    assert task.fused is not None
    plain = learn(replace(task, fused=None), state, given)
    assert plain[1].spikes["input"] == 18 * batch
    assert not np.array_equal(plain[0].values, state.values)
    require_same(learn(task, state, given), plain)


@pytest.mark.parametrize("name", ["deeper", "means"])
def test_threads_change_no_bit(name):
    results = []
    for threads in (1, 2, 3):
        task, state, given = load(CHAINS[name], batch=70, threads=threads)
        results.append(learn(task, state, given))
    require_same(results[0], results[1])
    require_same(results[0], results[2])


def test_room_grows_with_the_spikes():
    strong = ["projections.input.weight.init.normal.mu=150", "projections.output.weight.init.normal.mu=20"]
    task, state, given = load(NETWORK, *strong)
    mine = learn(task, state, given, steps=1)
    assert mine[1].spikes["hidden"] > 2 * 23 * 8 + 64
    require_same(mine, learn(replace(task, fused=None), state, given, steps=1))


@pytest.mark.parametrize(
    "change",
    [
        ("time_to_first_spike: {population: output,", "time_to_first_spike: {population: output, target: 1,"),
        ("time_to_first_spike: {population: output,", "time_to_first_spike: {population: output, pull: 0.1,"),
        ("0.003}}", "0.003}}\n  rate: {firing_rate: {population: hidden, target: 1, strength: 0.1}}"),
        ("projections:", "projections:\n  loop: {pre: hidden, post: hidden, weight: 0.1, delay: 2 ms}"),
        ("projections:", "projections:\n  skip: {pre: input, post: output, weight: 0.1}"),
        ("mu: 1.5, sigma: 0.8}}, train: true", "mu: 1.5, sigma: 0.8}}"),
        ("tau_syn: 5 ms", "tau_syn: 5 ms, tau_refrac: 1 ms"),
        ("post: output, weight", "post: output, delay: {init: 1 ms, train: true}, weight"),
        ("post: output, weight", "post: output, connector: {fixed_probability: {p: 0.5}}, weight"),
        ("training:", "backends: {numba: {solver: {grid: {timestep: 1 ms}}}}\ntraining:"),
    ],
)
def test_other_networks_and_losses_are_run_in_parts(change):
    assert change[0] in NETWORK
    task, _, _ = load(NETWORK.replace(*change))
    assert task.fused is None


def test_a_label_without_a_neuron_is_the_same_error():
    task, state, (stimulus, _) = load(NETWORK)
    wrong = stimulus, Goals(np.full(8, 3))
    with pytest.raises(DescriptionError, match="labels run from 3 to 3, but population output has 3 neurons"):
        learn(task, state, wrong)


def test_too_many_spikes_are_the_same_error():
    strong = ["projections.input.weight.init.normal.mu=150", "backends.numba.max_spikes=20"]
    task, state, given = load(NETWORK, *strong)
    with pytest.raises(NumericsError, match="sample 0 has more than 20 spikes in hidden"):
        learn(task, state, given)


def test_a_stimulus_that_is_none_is_the_same_error():
    task, state, (stimulus, goals) = load(NETWORK)
    late = np.array(stimulus.times)
    late[-1] = np.inf
    with pytest.raises(NumericsError, match="not finite"):
        learn(task, state, (Events(late, stimulus.sources, stimulus.offsets), goals))


def test_the_machine_has_the_weights_after_an_epoch():
    from netdesc.training.loop import train_epoch
    from netdesc.training.signs import Watch

    task, state, given = load(NETWORK)
    after, _, _ = train_epoch(task, state, Watch(task, state.values))
    trace = task.machine.forward(given[0], seed=0)
    expected = task.flat.split(after.values)
    assert all(np.array_equal(trace.effective_parameters[key], values) for key, values in expected.items())
