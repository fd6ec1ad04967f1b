"""Training in Norse: surrogate gradients on a grid, modules of PyTorch that take all steps at once."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import samples
import torch
from norse.torch import LIF, LIFParameters
from protocol import Contestant, serve
from torch import nn
from torch_layers import connect, read_batches, tune


class Network(nn.Module):
    """Two layers of current-based cells."""

    def __init__(self, settings: dict[str, Any], step: float) -> None:
        super().__init__()
        inputs, hidden, outputs = settings["inputs"], settings["hidden"], settings["outputs"]
        parameters = LIFParameters(
            tau_syn_inv=torch.as_tensor(1e3 / settings["tau_syn"]),
            tau_mem_inv=torch.as_tensor(1e3 / settings["tau_mem"]),
        )
        self.first = connect(samples.draw_weights(settings, inputs, hidden, "input"))
        self.cells = LIF(parameters, dt=1e-3 * step)
        self.second = connect(samples.draw_weights(settings, hidden, outputs, "output"))
        self.readout = LIF(parameters, dt=1e-3 * step)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return spikes of both layers, by step."""
        spikes, _ = self.cells(self.first(x))
        outputs, _ = self.readout(self.second(spikes))
        return spikes, outputs


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
            _, outputs = network(events)
            entropy(outputs.sum(0), goals).backward()
            optimizer.step()

    text = f"norse {version('norse')}, torch {torch.__version__}"
    return Contestant(run, {"spikes": spikes, "precision": "float32", "version": text})


if __name__ == "__main__":
    serve(prepare)
