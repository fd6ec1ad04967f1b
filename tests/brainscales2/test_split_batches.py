"""Noise belongs to a sample: runs do not depend on how a batch is split."""

import numpy as np
import pytest
from netdesc_brainscales2.backend import BrainScaleS2Backend

from netdesc.api import batch, compile, evaluate_losses, load
from netdesc.comparison.samples import single
from netdesc.events import Events
from netdesc.training import evaluate, tally

MODEL = """
netdesc: 1
name: split
simulation: {duration: 20 ms, seed: 3}
data:
  dataset: {yin_yang: {train: 8, validation: 2, test: 8}}
  encoder: {latency: {t_early: 0 ms, t_late: 15 ms, bias: 0 ms}}
populations:
  input: {size: 5, source: dataset}
  noise: {size: 4, source: {poisson: {rate: 100 Hz}}}
  hidden: {size: 12, neuron: {LIF: {tau_mem: 10 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LI: {tau_mem: 10 ms, tau_syn: 5 ms}}}
projections:
  a: {pre: input, post: hidden, connector: all_to_all,
      weight: {init: {normal: {mu: 1.0, sigma: 0.5}}, train: true}}
  n: {pre: noise, post: hidden, connector: all_to_all, weight: 0.2}
  b: {pre: hidden, post: output, connector: all_to_all,
      weight: {init: {normal: {mu: 0.2, sigma: 0.3}}, train: true}}
record: {hidden: [{v: {every: 2 ms}}], output: [{v: {every: 2 ms}}]}
losses: {a: {max_voltage: {population: output}}}
training: {gradient: eventprop, optimizer: {adam: {learning_rate: 1e-3}}, epochs: 1, batch_size: 4}
"""
LOOP = "  r: {pre: hidden, post: hidden, connector: all_to_all, weight: 0.05}\nrecord:"
SPLITS = ([[0, 1, 2, 3], [4, 5, 6, 7]], [[k] for k in range(8)], [[6, 1], [7, 0, 3, 2]])


def model(folder, *, recurrent):
    file = folder / "split.yaml"
    file.write_text(MODEL.replace("record:", LOOP) if recurrent else MODEL)
    return load(file)


def run(compiled, events, labels):
    """Return, by sample, everything random that a run returns, and the gradient of every sample."""
    trace = compiled.forward(events)
    # sizes are powers of 2, so that dividing by the batch is exact
    evaluation = evaluate_losses(compiled, trace, labels)
    rows = []
    for sample in range(events.batch):
        gradient = compiled.backward(trace, single(evaluation.cotangent, trace, sample))
        spikes = {}
        for name, found in trace.spikes.items():
            span = slice(found.offsets[sample], found.offsets[sample + 1])
            spikes[f"times of {name}"] = found.times[span]
            spikes[f"sources of {name}"] = found.sources[span]
        recorded = {key: item.values[sample] for key, item in trace.recordings.items()}
        readings = {f"reading {key}": item.values[sample] for key, item in trace.readings.items()}
        rows.append(spikes | recorded | readings | dict(gradient.parameters))
    return rows, trace


@pytest.mark.parametrize("recurrent", [False, True], ids=["layered", "recurrent"])
def test_spikes_readings_and_gradients_do_not_depend_on_how_a_batch_is_split(tmp_path, recurrent):
    compiled = compile(model(tmp_path, recurrent=recurrent), "brainscales2")
    samples = batch(compiled.model, count=8, backend="brainscales2")
    whole, trace = run(compiled, samples.events, samples.labels)
    assert len(trace.spikes["hidden"]) > 20
    assert {"hidden.v", "output.v"} <= set(trace.recordings)
    assert not np.array_equal(whole[0]["times of noise"], whole[1]["times of noise"])
    for split in SPLITS:
        for indices in split:
            chosen = np.array(indices)
            rows, _ = run(compiled, samples.events.take(chosen), samples.labels[chosen])
            for index, row in zip(indices, rows, strict=True):
                assert row.keys() == whole[index].keys()
                for key, values in row.items():
                    assert np.asarray(values).tobytes() == np.asarray(whole[index][key]).tobytes(), key


def test_one_sample_with_other_identities_has_other_noise(tmp_path):
    compiled = compile(model(tmp_path, recurrent=False), "brainscales2")
    one = batch(compiled.model, count=1, backend="brainscales2").events
    places = np.arange(4) * len(one)
    same = Events(np.tile(one.times, 3), np.tile(one.sources, 3), places, np.array([5, 9, 5]))
    trace = compiled.machine.forward(same, seed=1)
    first, second, third = trace.recordings["output.v"].values
    assert np.array_equal(first, third)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("threads", [1, 3])
def test_noise_does_not_depend_on_threads(tmp_path, threads):
    compiled = compile(model(tmp_path, recurrent=False), "brainscales2")
    events = compiled.stimulate(batch(compiled.model, count=8, backend="brainscales2").events)
    machine = BrainScaleS2Backend({}).load(compiled.program, seed=3)
    machine.threads = threads
    found, expected = (one.forward(events, seed=3).recordings for one in (machine, compiled.machine))
    assert {key: item.values.tobytes() for key, item in found.items()} == {
        key: item.values.tobytes() for key, item in expected.items()
    }


def test_an_evaluation_does_not_depend_on_the_size_of_its_batches(tmp_path, monkeypatch):
    found = {}
    for size in (3, 1000):
        monkeypatch.setattr(tally, "CHUNK", size)
        found[size] = evaluate(model(tmp_path, recurrent=False), None, "brainscales2")
    assert found[3].accuracy == found[1000].accuracy
    assert found[3].spikes == found[1000].spikes
    # batch means are added, so the order of the sum is that of the batches
    assert found[3].loss == pytest.approx(found[1000].loss, rel=1e-14)
