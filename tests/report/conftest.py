"""A comparison to show, and the faults of a small network behind the registry's door."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import netdesc
from netdesc import registry
from netdesc.comparison import arrange, compare

sys.path.insert(0, str(Path(__file__).parents[1] / "comparison"))

TEXT = """
netdesc: 1
name: "shown </script> & <b>bold</b>"
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
    weight: {init: {uniform: {low: 1.2, high: 2.4}}, train: true}
    delay: 1 ms
  loop: {pre: output, post: hidden, weight: 0.1, delay: 2 ms}
losses:
  goal: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003, target: 0}}
backends:
  planted: {fault: none}
"""


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Return a comparison of four substrates, one of which refuses, as JSON data."""
    real = registry.entry_points

    def offered(group):
        return [*real(group=group), EntryPoint("planted", "planted:PlantedBackend", registry.GROUP)]

    path = tmp_path_factory.mktemp("shown") / "shown.yaml"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "entry_points", offered)
        substrates = [
            "numba",
            "grid=numba:solver.grid.timestep=1 ms",
            "bad=planted:fault=sign",
            "off=planted:fault=refuse",
        ]
        found = arrange(compare(netdesc.load(path), substrates))
    epochs = [float(number) for number in range(1, 31)]
    curve = {
        "epoch": epochs,
        "loss": [2.0 / number for number in epochs],
        "accuracy": [None] * 30,
        "validation_loss": [2.1 / number for number in epochs],
        "validation_accuracy": [None] * 30,
    }
    return {**found, "curves": {label: curve for label in found["substrates"]}}
