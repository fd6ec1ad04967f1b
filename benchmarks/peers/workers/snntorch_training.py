"""Training in snnTorch: surrogate gradients on a grid, one step after the other in Python.

The product with the weights of a layer without feedback is taken for all steps at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
import snntorch
import torch
from protocol import Contestant, serve
from snntorch import surrogate
from torch import nn
from torch_layers import connect, read_batches, tune


class Network(nn.Module):
    """A hidden layer of current-based cells and an output of such cells or of integrators."""

    def __init__(self, settings: dict[str, Any], step: float) -> None:
        super().__init__()
        inputs, hidden, outputs = settings["inputs"], settings["hidden"], settings["outputs"]
        alpha, beta = (float(np.exp(-step / settings[name])) for name in ("tau_syn", "tau_mem"))
        slope = surrogate.fast_sigmoid()
        self.recurrent, self.spiking = settings["recurrent"], settings["spiking_output"]
        scale = step / settings["tau_mem"]
        self.first = connect(scale * samples.draw_weights(settings, inputs, hidden, "input"))
        if self.recurrent:
            self.cells = snntorch.RSynaptic(
                alpha, beta, all_to_all=True, linear_features=hidden, spike_grad=slope
            )
            weights = scale * samples.draw_weights(settings, hidden, hidden, "recurrent")
            self.cells.recurrent = connect(weights)
        else:
            self.cells = snntorch.Synaptic(alpha, beta, spike_grad=slope)
        self.second = connect(scale * samples.draw_weights(settings, hidden, outputs, "output"))
        if self.spiking:
            self.readout = snntorch.Synaptic(alpha, beta, spike_grad=slope)
        else:
            self.readout = snntorch.Leaky(beta, reset_mechanism="none", spike_grad=slope)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return spikes of the hidden layer and spikes or voltages of the output, by step."""
        currents = self.second(spikes := self.hide(self.first(x)))
        outputs = []
        if self.spiking:
            current, membrane = self.readout.reset_mem()
            for drive in currents:
                spike, current, membrane = self.readout(drive, current, membrane)
                outputs.append(spike)
        else:
            membrane = self.readout.reset_mem()
            for drive in currents:
                _, membrane = self.readout(drive, membrane)
                outputs.append(membrane)
        return spikes, torch.stack(outputs)

    def hide(self, currents: torch.Tensor) -> torch.Tensor:
        """Return spikes of the hidden layer, by step."""
        spikes = []
        if self.recurrent:
            spike, current, membrane = self.cells.reset_mem()
            for drive in currents:
                spike, current, membrane = self.cells(drive, spike, current, membrane)
                spikes.append(spike)
        else:
            current, membrane = self.cells.reset_mem()
            for drive in currents:
                spike, current, membrane = self.cells(drive, current, membrane)
                spikes.append(spike)
        return torch.stack(spikes)


def prepare(settings: dict[str, Any]) -> Contestant:
    """Build and tune the network."""
    torch.set_num_threads(settings["threads"])
    step, data = float(settings["step"]), samples.read(settings)
    network = Network(settings, step)
    x, labels = read_batches(data, step)
    spikes = tune(network, settings, x)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings["rate"])
    entropy = nn.CrossEntropyLoss()

    def run() -> None:
        for events, goals in zip(x, labels, strict=True):
            optimizer.zero_grad()
            _, traces = network(events)
            loss = entropy(traces.sum(0) if network.spiking else traces.mean(0), goals)
            loss.backward()
            optimizer.step()

    version = f"snntorch {snntorch.__version__}, torch {torch.__version__}"
    return Contestant(run, {"spikes": spikes, "precision": "float32", "version": version})


if __name__ == "__main__":
    serve(prepare)
