"""Which model, seed and versions a training state belongs to."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from netdesc.block import PIECE
from netdesc.datasets.records import Dataset
from netdesc.description.model import Description, Distribution
from netdesc.program import Program

PACKAGES = ("netdesc", "numpy", "numba", "networkx", "h5py", "PyYAML")
"""Packages whose versions are noted."""

Stage = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wiring:
    """The synapses of a block, without their weights.

    Parameters
    ----------
    pre, post : str
        Populations.
    synapses : int
        How many there are.
    pairs : str
        SHA-256 of the indices, hexadecimal; ``dense`` where every source reaches every target.
    """

    pre: str
    post: str
    synapses: int
    pairs: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What a training state or trained weights were made from.

    Parameters
    ----------
    digest : str
        Of the description.
    resolved : mapping
        The file as plain data.
    seed : int
        Seed of all random numbers.
    versions : mapping of str to str
        Of Python, the machine and the packages that compute.
    stages : tuple of dict
        Backends that trained, as ``netdesc.training.continuation.note_stage`` orders them.
    wiring : mapping of str to Wiring
        By the name of the block.
    data : str
        Digest of the samples for training and validation; empty without a dataset.
    """

    digest: str
    resolved: Mapping[str, Any]
    seed: int
    versions: Mapping[str, str]
    stages: tuple[Stage, ...] = ()
    wiring: Mapping[str, Wiring] = field(default_factory=dict)
    data: str = ""

    @classmethod
    def of(cls, description: Description, program: Program, dataset: Dataset | None = None) -> Origin:
        """Describe what is about to be trained.

        Returns
        -------
        Origin
            Without stages.
        """
        resolved = json.loads(json.dumps(description.resolved))
        return cls(
            description.digest,
            resolved,
            program.seed,
            collect_versions(),
            (),
            describe_wiring(program),
            digest_data(dataset),
        )

    @classmethod
    def read(cls, text: str) -> Origin:
        """Read an origin from the JSON text of ``write``.

        Raises
        ------
        ValueError, LookupError, TypeError
            If the text is something else.
        """
        data = json.loads(text)
        origin = cls(**{name: data[name] for name in cls.__slots__})
        origin = replace(
            origin,
            stages=read_stages(data),
            wiring={str(name): Wiring(**item) for name, item in data["wiring"].items()},
        )
        if not isinstance(origin.resolved, dict) or not isinstance(origin.seed, int):
            raise ValueError("the origin of the run is incomplete")
        return origin

    def write(self) -> str:
        """Return the origin as JSON text."""
        return json.dumps(asdict(self), sort_keys=True)


def read_stages(record: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Return the stages in a record, JSON data; there is at least one.

    Raises
    ------
    ValueError, LookupError, TypeError
        If they are missing or something else.
    """
    stages = tuple(
        {"backend": str(item["backend"]), "on_device": bool(item["on_device"]), "epochs": int(item["epochs"])}
        for item in record["stages"]
    )
    if not stages:
        raise ValueError("no backend is recorded")
    return stages


def digest_data(dataset: Dataset | None) -> str:
    """Return the SHA-256 of the samples that a training sees, hexadecimal; empty without a dataset."""
    if dataset is None:
        return ""
    digest = sha256()
    for split in (dataset.train, dataset.validation):
        if split is not None:
            for values in (
                split.labels,
                split.events.times,
                split.events.sources,
                split.events.offsets,
                split.times,
                None if split.traces is None else split.traces.values,
            ):
                digest.update(b"" if values is None else values.tobytes())
    return digest.hexdigest()


def digest_network(resolved: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the sections of a resolved file that describe the network, hexadecimal.

    It is the same for any name, description, recordings, losses, training and backend options.
    """
    network = {name: resolved.get(name) for name in ("simulation", "populations", "projections")}
    network["simulation"] = {
        key: value for key, value in (resolved.get("simulation") or {}).items() if key != "max_memory"
    }
    return sha256(json.dumps(network, sort_keys=True).encode()).hexdigest()


def describe_wiring(program: Program) -> dict[str, Wiring]:
    """Return the synapses of all blocks, by name."""
    names, found = [item.name for item in program.populations], {}
    for block in program.blocks:
        pairs = "dense"
        if block.indptr is not None and block.indices is not None:
            digest = sha256(block.indptr.tobytes())
            for begin in range(0, block.size, PIECE):
                digest.update(block.indices[begin : begin + PIECE].astype(np.int64).tobytes())
            pairs = digest.hexdigest()
        found[block.name] = Wiring(names[block.pre], names[block.post], block.size, pairs)
    return found


def compare_wiring(before: Mapping[str, Wiring], now: Mapping[str, Wiring]) -> Iterator[str]:
    """Yield how the synapses of two networks differ.

    Yields
    ------
    str
        One text per projection.
    """
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old is None or new is None:
            yield f"projection {name} is {'missing' if new is None else 'new'}"
        elif (old.pre, old.post) != (new.pre, new.post):
            yield (
                f"projection {name} was from {old.pre} to {old.post}, now it is from {new.pre} to {new.post}"
            )
        elif old.synapses != new.synapses:
            yield f"projection {name} had {old.synapses} synapses, now it has {new.synapses}"
        elif old != new:
            yield f"projection {name} connects different neurons"


def find_drawn(description: Description) -> Iterator[str]:
    """Yield the paths of what is drawn at random and not trained.

    Yields
    ------
    str
        For example ``projections.fixed.weight``.
    """
    for name, population in description.populations.items():
        parameters = population.neuron.parameters if population.neuron else {}
        values = {f"neuron.{key}": item.init for key, item in parameters.items()}
        values |= {f"initial.{key}": item for key, item in population.initial.items()}
        values["current"] = population.current
        yield from (
            f"populations.{name}.{key}" for key, value in values.items() if isinstance(value, Distribution)
        )
    for name, projection in description.projections.items():
        yield from (
            f"projections.{name}.{key}"
            for key, item in (("weight", projection.weight), ("delay", projection.delay))
            if isinstance(item.init, Distribution) and not item.train
        )


def collect_versions() -> dict[str, str]:
    """Return the versions of Python, the machine and the packages that compute."""
    versions = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def write_record(origin: Origin) -> str:
    """Return the record of a run as JSON text."""
    last = origin.stages[-1]
    return (
        json.dumps(
            {
                "format": 2,
                "digest": origin.digest,
                "network": digest_network(origin.resolved),
                "seed": origin.seed,
                "backend": last["backend"],
                "on_device": last["on_device"],
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
                "versions": origin.versions,
                "stages": origin.stages,
                "resolved": origin.resolved,
            },
            indent=2,
        )
        + "\n"
    )
