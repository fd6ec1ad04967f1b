"""A trace that was written to a file and read back gives the gradient that it gave before."""

import numpy as np
import pytest

import netdesc
from netdesc import results
from netdesc.api import evaluate_losses, first_batch

MODEL = """
netdesc: 1
simulation: {{duration: 30 ms, seed: 5}}
data:
  dataset: {{yin_yang: {{train: 4, validation: 2, test: 2}}}}
  encoder: {{latency: {{t_early: 1 ms, t_late: 16 ms, bias: 2 ms}}}}
training: {{optimizer: adam, epochs: 1, batch_size: 4}}
populations:
  x: {{size: 5, source: dataset}}
  h: {{size: 8, neuron: {{LIF: {{tau_mem: 12 ms, tau_syn: 6 ms}}}}}}
  o: {{size: 3, neuron: {{{output}: {{tau_mem: 12 ms, tau_syn: 6 ms}}}}}}
projections:
  p: {{pre: x, post: h, weight: {{init: {{normal: {{mu: 1.3, sigma: 0.9}}}}, train: true}}, delay: {delay}}}
  q: {{pre: h, post: o, weight: {{init: {{normal: {{mu: 0.8, sigma: 0.3}}}}, train: true}}, delay: {delay}}}
losses: {{l: {{{loss}: {{population: o}}}}}}
"""
SPIKES, VOLTAGES = ("LIF", "time_to_first_spike"), ("LI", "mean_voltage")
GRID = "backends.numba.solver={grid: {timestep: 1 ms, scheme: %s, precision: float32, transport: true}}"


@pytest.mark.parametrize(
    ("backend", "options", "kinds"),
    [
        ("numba", [], SPIKES),
        ("numba", [], VOLTAGES),
        ("numba", [GRID % "published"], SPIKES),
        ("numba", [GRID % "off_grid"], VOLTAGES),
        ("spinnaker2", [], SPIKES),
        ("spinnaker2", ["backends.spinnaker2.scheme=exact_exponential"], SPIKES),
        ("spinnaker2", ["backends.spinnaker2.scheme=off_grid"], SPIKES),
        ("spinnaker2", ["backends.spinnaker2={batch: 4, copies: 2, input_errors: true}"], SPIKES),
        ("spinnaker2", ["backends.spinnaker2={scheme: off_grid, weights: integer}"], SPIKES),
        ("brainscales2", [], SPIKES),
        ("brainscales2", ["backends.brainscales2.profile=ideal"], VOLTAGES),
    ],
)
def test_the_gradient_of_a_trace_from_a_file_has_the_same_bits(tmp_path, backend, options, kinds):
    delay = "0 ms" if backend == "brainscales2" else "1 ms"
    (tmp_path / "m.yaml").write_text(MODEL.format(output=kinds[0], loss=kinds[1], delay=delay))
    gradients = []
    compiled = netdesc.compile(netdesc.load(tmp_path / "m.yaml", options), backend)
    batch = first_batch(compiled)
    trace = compiled.forward(batch.events)
    results.write(results.collect(trace, compiled.program, {}), tmp_path / "run.h5")
    again = results.read(tmp_path / "run.h5").trace()
    other = netdesc.compile(netdesc.load(tmp_path / "m.yaml", options), backend)
    for machine, found in ((compiled, trace), (other, again)):
        gradients.append(machine.backward(found, evaluate_losses(machine, found, batch.goals).cotangent))
    assert gradients[0].parameters.keys() == gradients[1].parameters.keys() == {"p.weight", "q.weight"}
    assert any(np.any(values) for values in gradients[0].parameters.values())
    for key, values in gradients[0].parameters.items():
        assert values.tobytes() == gradients[1].parameters[key].tobytes()
    for name, values in gradients[0].spike_times.items():
        assert values.tobytes() == gradients[1].spike_times[name].tobytes()
