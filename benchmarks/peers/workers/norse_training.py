"""Training in Norse: surrogate gradients on a grid, modules of PyTorch that take all steps at once."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import samples
import torch
from norse.torch import LIF, LIFParameters
from protocol import Contestant, calibrate, serve
from torch import nn


def connect(weights: Any) -> nn.Linear:
    """Return a projection with weights of shape (fan_in, fan_out)."""
    projection = nn.Linear(*weights.shape, bias=False)
    projection.weight.data = torch.from_numpy(np.ascontiguousarray(weights.T))
    return projection


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


def tune(network: Network, settings: dict[str, Any], x: torch.Tensor) -> dict[str, float]:
    """Scale weights until the layers spike as often as wanted, and return spikes per sample."""
    spikes = dict[str, float]()
    for name, target in settings["targets"].items():
        projection = network.first if name == "hidden" else network.second
        weights = projection.weight.data.clone()

        @torch.no_grad()
        def count(
            gain: float, name: str = name, projection: Any = projection, weights: Any = weights
        ) -> float:
            projection.weight.data = gain * weights
            hidden, output = network(x)
            return float((hidden if name == "hidden" else output).sum()) / x.shape[1]

        spikes[name] = count(calibrate(count, target))
    return spikes


def prepare(settings: dict[str, Any]) -> Contestant:
    """Build and tune the network."""
    torch.set_num_threads(settings["threads"])
    step, data = float(settings["step"]), samples.read(settings)
    network = Network(settings, step)
    x, labels = torch.from_numpy(data.bins(step)), torch.from_numpy(data.targets()).long()
    whole = x[: max(1, min(len(x), 150 // data.batch))].transpose(0, 1).flatten(1, 2)
    spikes = tune(network, settings, whole)
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
