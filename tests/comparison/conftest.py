"""A small model, and the backend with planted faults behind the registry's door."""

from importlib.metadata import EntryPoint

import pytest

import netdesc
from netdesc import registry

TEXT = """
netdesc: 1
name: small
simulation: {duration: 40 ms, seed: 3}
populations:
  input: {size: 3, source: {spike_times: {times: [[1 ms, 9 ms], [3 ms, 14 ms], [5 ms]]}}}
  hidden: {size: 4, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 2, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  drive:
    pre: input
    post: hidden
    weight: {init: [[2.4, 2.6, 1.9, 2.2], [2.0, 3.1, 2.5, 1.7], [1.2, 0.8, 2.9, 2.0]], train: true}
    delay: 1 ms
  answer:
    pre: hidden
    post: output
    weight: {init: [[2.1, 1.4], [1.7, 2.2], [1.9, 2.0], [2.3, 1.2]], train: true}
    delay: 1 ms
losses:
  goal: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003, target: 0}}
backends:
  planted: {fault: none}
"""

YIN_YANG = """
netdesc: 1
name: points
simulation: {duration: 40 ms, seed: 3}
data:
  dataset: {yin_yang: {train: 8, validation: 4, test: 6}}
  encoder: {latency: {t_early: 0 ms, t_late: 30 ms, bias: 0 ms}}
populations:
  input: {size: 5, source: dataset}
  hidden: {size: 12, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  drive: {pre: input, post: hidden, weight: {init: {normal: {mu: 2.0, sigma: 0.8}}, train: true}}
  answer: {pre: hidden, post: output, weight: {init: {normal: {mu: 1.0, sigma: 0.2}}, train: true}}
losses:
  goal: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}
training: {epochs: 1, batch_size: 4}
"""


@pytest.fixture
def door(monkeypatch):
    """Offer the planted backend beside what is installed."""
    real = registry.entry_points

    def offered(group):
        return [*real(group=group), EntryPoint("planted", "planted:PlantedBackend", registry.GROUP)]

    monkeypatch.setattr(registry, "entry_points", offered)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def small(file):
    return netdesc.load(file)


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "points.yaml"
    path.write_text(YIN_YANG, encoding="utf-8")
    return netdesc.load(path)
