"""Projections in PyTorch, and the scaling of their weights."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from protocol import calibrate
from samples import Samples
from torch import nn


class Network(Protocol):
    """Two projections, and a call that returns the spikes of the populations behind them by step."""

    first: nn.Linear
    second: nn.Linear

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return spikes or voltages of both populations, by step."""
        ...


def connect(weights: Any) -> nn.Linear:
    """Return a projection with weights of shape (fan_in, fan_out)."""
    projection = nn.Linear(*weights.shape, bias=False)
    projection.weight.data = torch.from_numpy(np.ascontiguousarray(weights.T))
    return projection


def read_batches(data: Samples, step: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return input on a grid, (batches, steps, batch, channels), and labels, (batches, batch)."""
    return torch.from_numpy(data.bins(step)), torch.from_numpy(data.targets()).long()


def tune(network: Network, settings: dict[str, Any], x: torch.Tensor) -> dict[str, float]:
    """Scale weights until the populations spike as often as wanted, and return spikes per sample."""
    batch = settings["batch"]
    whole = x[: max(1, min(len(x), 150 // batch))].transpose(0, 1).flatten(1, 2)
    spikes = dict[str, float]()
    for place, (name, target) in enumerate(settings["targets"].items()):
        projection = network.second if place else network.first
        weights = projection.weight.data.clone()

        @torch.no_grad()
        def count(
            gain: float, place: int = place, projection: Any = projection, weights: Any = weights
        ) -> float:
            projection.weight.data = gain * weights
            return float(network(whole)[place].sum()) / whole.shape[1]

        spikes[name] = count(calibrate(count, target))
    return spikes
