"""Input that all contestants of a work share, written to files before the first of them starts."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import h5py
import numpy as np
from environments import HERE, ROOT

import netdesc

CHANNELS = 700
DURATION = 1400.0
CONNECTED = 0.02
BRIGHT = 0.2
"""A pixel of this brightness or more becomes a spike."""


def save(
    path: Path, times: np.ndarray, channels: np.ndarray, samples: np.ndarray, labels: np.ndarray
) -> None:
    """Write spikes in ms with their channel and sample, and a label for every sample."""
    np.savez(path, times=times, channels=channels, samples=samples, labels=labels.astype(np.int64))


def write_recordings(path: Path, count: int, spikes: int, digits: Path | None) -> None:
    """Write spoken digits from a file in the layout of the Spiking Heidelberg Digits, or random spikes.

    Random samples have so many spikes each, on random channels and within the first second.
    """
    if digits is None:
        random = np.random.default_rng(3)
        save(
            path,
            random.uniform(0.0, 1000.0, count * spikes),
            random.integers(0, CHANNELS, count * spikes),
            np.repeat(np.arange(count), spikes),
            np.arange(count) % 10,
        )
        return
    with h5py.File(digits) as file:
        times = [1e3 * np.asarray(item, dtype=float) for item in file["spikes/times"][:count]]
        units = [np.asarray(item, dtype=int) for item in file["spikes/units"][:count]]
        labels = np.asarray(file["labels"][:count], dtype=int)
    if len(labels) < count:
        raise SystemExit(f"{digits} has {len(labels)} samples, expected {count}; use --batch {len(labels)}")
    samples = np.repeat(np.arange(count), [len(item) for item in times])
    flat, channels = np.concatenate(times), np.concatenate(units)
    kept = flat < DURATION
    save(path, flat[kept], channels[kept], samples[kept], labels % 10)


def write_yin_yang(path: Path, count: int) -> None:
    """Write points of the Yin-Yang figure, as netdesc encodes them."""
    data = [
        f"data.dataset.yin_yang.{name}={size}"
        for name, size in (("train", count), ("validation", 0), ("test", 0))
    ]
    model = netdesc.load(ROOT / "examples" / "yin_yang.yaml", data)
    batch = netdesc.batch(model)
    save(path, batch.events.times, batch.events.sources, batch.events.samples(), batch.labels)


def read_images(folder: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Read images from 0 to 1 and labels from a folder of IDX files, gzip or plain."""
    arrays = []
    for name, head in (("train-images-idx3-ubyte", 16), ("train-labels-idx1-ubyte", 8)):
        plain = folder / name
        content = (
            plain.read_bytes() if plain.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
        )
        arrays.append(np.frombuffer(content, dtype=np.uint8, offset=head))
    images, labels = arrays[0].reshape(-1, 784), arrays[1]
    return images[:count] / 255.0, labels[:count].astype(int)


def draw_images(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw images whose bright pixels, about a hundred as in handwritten digits, lie close together."""
    random = np.random.default_rng(5)
    place = np.stack(np.meshgrid(np.arange(28), np.arange(28)), axis=-1).reshape(1, 784, 1, 2)
    knots = random.uniform(6.0, 22.0, (count, 1, 8, 2))
    distance = ((place - knots) ** 2).sum(axis=-1)
    return np.exp(-distance / 3.0).sum(axis=-1).clip(0.0, 1.0), random.integers(0, 10, count)


def write_images(path: Path, count: int, folder: Path | None) -> None:
    """Write images as one spike per bright pixel, the brightest at 1 ms and the darkest at 20 ms."""
    images, labels = draw_images(count) if folder is None else read_images(folder, count)
    samples, channels = np.nonzero(images >= BRIGHT)
    times = 1.0 + 19.0 * (1.0 - images[samples, channels]) / (1.0 - BRIGHT)
    save(path, times, channels, samples, labels)


def write_balanced(folder: Path, neurons: int) -> None:
    """Write a balanced network: synapses, first voltages, and the description for netdesc next to them."""
    random = np.random.default_rng(11)
    pre, post = np.nonzero(random.random((neurons, neurons)) < CONNECTED)
    voltages = random.uniform(-60.0, -50.0, neurons)
    np.savez(folder / "balanced.npz", pre=pre, post=post, voltages=voltages)
    np.save(folder / "voltages.npy", voltages)
    shutil.copy(HERE / "networks" / "balanced.yaml", folder)
    excitatory = pre < neurons * 4 // 5
    for name, chosen in (("excitatory", excitatory), ("inhibitory", ~excitatory)):
        pairs = np.column_stack((pre[chosen], post[chosen]))
        np.savetxt(folder / f"{name}.csv", pairs, fmt="%d", delimiter=",", header="pre,post", comments="")
