"""Input spikes and weights that all contestants of a work share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Samples:
    """Input spikes in ms, the channel and the sample of each, and a label for every sample."""

    times: Any
    channels: Any
    samples: Any
    labels: Any
    batch: int
    size: int
    duration: float

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def bins(self, step: float) -> Any:
        """Return counts of spikes on a grid, float32 of shape (batches, steps, batch, channels)."""
        steps = round(self.duration / step)
        index = np.minimum((self.times / step).astype(np.int64), steps - 1)
        group, place = np.divmod(self.samples, self.batch)
        shape = (self.count // self.batch, steps, self.batch, self.size)
        flat = np.ravel_multi_index((group, index, place, self.channels), shape)
        return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float32)

    def targets(self) -> Any:
        """Return labels by batch, int32 of shape (batches, batch)."""
        return self.labels.reshape(-1, self.batch).astype(np.int32)


def read(settings: dict[str, Any]) -> Samples:
    """Read the file of samples that the settings name."""
    with np.load(settings["samples"]) as file:
        arrays = [file[name] for name in ("times", "channels", "samples", "labels")]
    return Samples(*arrays, settings["batch"], settings["inputs"], settings["duration"])


def draw_weights(settings: dict[str, Any], fan_in: int, fan_out: int, name: str) -> Any:
    """Return initial weights of a projection, float32 of shape (fan_in, fan_out)."""
    mu, sigma = settings["weights"][name]
    random = np.random.default_rng([7, fan_in, fan_out])
    return random.normal(mu, sigma, (fan_in, fan_out)).astype(np.float32)
