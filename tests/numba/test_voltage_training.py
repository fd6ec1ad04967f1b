"""Training with losses of voltages."""

import netdesc

FILE = """
netdesc: 1
name: voltages
simulation: {duration: 40 ms, seed: 3}
data:
  dataset: {yin_yang: {train: 60, validation: 0, test: 0}}
  encoder: {latency: {t_early: 2 ms, t_late: 25 ms}}
populations:
  input: {size: 5, source: dataset}
  hidden: {size: 20, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LI: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  a: {pre: input, post: hidden, weight: {init: {normal: {mu: 1.5, sigma: 0.8}}, train: true}}
  b: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.2, sigma: 0.4}}, train: true}}
losses:
  activity: {firing_rate: {population: hidden, target: 2, strength: 1e-3}}
  class: {max_voltage: {population: output}}
training: {epochs: 8, batch_size: 20, optimizer: {adam: {learning_rate: 1e-2}}}
"""


def test_training_of_maxima_lowers_the_loss_and_answers_every_sample(tmp_path):
    file = tmp_path / "voltages.yaml"
    file.write_text(FILE)
    result = netdesc.train(netdesc.load(file), output=tmp_path / "run")
    losses = [report.loss for report in result.reports]
    assert losses[-1] < losses[0] - 0.02
    assert result.reports[-1].silent_samples == 0
