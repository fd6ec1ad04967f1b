"""Results of a run as HDF5: spikes in SONATA's layout, recordings and provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netdesc.events import Events, Floats
from netdesc.files import image_of, replace_bytes
from netdesc.formats import hdf5
from netdesc.formats.source import LARGEST, fault, require_within
from netdesc.program import Program
from netdesc.trace import Read, Recording, Trace, count_samples

if TYPE_CHECKING:
    import h5py

# SONATA developer guide, "spike file": these two attributes mark a file as SONATA's.
SONATA_MAGIC = 0x0A7A
SONATA_VERSION = (0, 1)
SONATA_SORTING = {"none": 0, "by_id": 1, "by_time": 2}


@dataclass(frozen=True, slots=True)
class Results:
    """What is kept of a run.

    Parameters
    ----------
    spikes : mapping of str to Events
        By population, times in ms, neurons counted within the population.
    sizes : mapping of str to int
        Number of neurons of each population in ``spikes``.
    duration : float
        Length of a sample in ms.
    recordings : mapping of str to Recording
        Recordings by ``population.variable``.
    provenance : mapping of str to str
        Where the run came from: the resolved file, its hash, seed, backend, versions.
    costs : mapping of str to float
        What the run took, as in ``Trace.costs``.
    health : mapping of str to int
        As in ``Trace.health``.
    batch_size : int or None
        As in ``Trace.batch_size``.
    residuals : mapping or None
        As in ``Trace.residuals``.
    readings : mapping of str to Read
        As in ``Trace.readings``.
    effective_parameters : mapping of str to ndarray
        As in ``Trace.effective_parameters``.
    """

    spikes: Mapping[str, Events]
    sizes: Mapping[str, int]
    duration: float
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    health: Mapping[str, int] = field(default_factory=dict)
    batch_size: int | None = None
    residuals: Mapping[str, Mapping[str, Floats]] | None = None
    readings: Mapping[str, Read] = field(default_factory=dict)
    effective_parameters: Mapping[str, Floats] = field(default_factory=dict)

    def trace(self) -> Trace:
        """Return the trace of the run, from which a machine computes the gradient that it had."""
        return Trace(
            self.spikes,
            self.residuals,
            self.recordings,
            self.effective_parameters,
            self.health,
            self.costs,
            self.provenance,
            self.readings,
            self.batch,
        )

    @property
    def batch(self) -> int:
        """Number of samples."""
        return count_samples(self.spikes, self.recordings, {}, otherwise=self.batch_size)


def collect(trace: Trace, program: Program, provenance: Mapping[str, str]) -> Results:
    """Gather what is kept of a run.

    Parameters
    ----------
    trace : Trace
    program : Program
        What was run.
    provenance : mapping of str to str
        Added to the provenance of the trace.
    """
    sizes = {name: program.population(name).size for name in trace.spikes}
    return Results(
        trace.spikes,
        sizes,
        program.duration,
        trace.recordings,
        {**trace.provenance, **provenance},
        trace.costs,
        trace.health,
        trace.batch,
        trace.residuals,
        trace.readings,
        trace.effective_parameters,
    )


def write(results: Results, path: Path) -> None:
    """Write results to an HDF5 file, whole or not at all.

    Spikes stand in SONATA's layout: ``/spikes/POPULATION/timestamps`` (ms) and ``node_ids``; a batch of
    several samples adds ``sample_ids``. Recordings stand in ``/recordings/POPULATION.VARIABLE`` as
    ``times`` (ms), ``node_ids`` and ``values`` (sample, neuron, time). What the run took and what was counted
    aside are attributes of ``/costs`` and ``/health``. What an adjoint run needs besides is in
    ``/residuals/POPULATION/NAME``, aligned with the spikes, in ``/readings/KEY`` and
    ``/effective_parameters/KEY``.

    Parameters
    ----------
    results : Results
    path : Path
        Replaced if it exists.

    Raises
    ------
    OutputError
        If the file cannot be written; the old file is kept.
    """
    replace_bytes(path, image_of(lambda file: _fill(file, results)))


def read(path: Path) -> Results:
    """Read results back.

    Parameters
    ----------
    path : Path
        Written by `write`.

    Raises
    ------
    DescriptionError
        If the file cannot be read, is not one of ours, or is damaged; with what does not fit.
    """
    with hdf5.opened(path) as file:
        if "spikes" not in file or not file.is_group("spikes"):
            raise fault(
                path,
                "expected results of netdesc, got a file without the group /spikes; write it "
                "with netdesc run -o",
            )
        batch = file.integer("batch", least=1)
        require_within(path, batch * 8.0, LARGEST, f"{batch} samples")
        spikes, sizes = {}, {}
        for name in file.group("spikes").names():
            group = file.group("spikes").group(name)
            sizes[name] = group.integer("size")
            spikes[name] = _read_events(group, batch, sizes[name])
        return Results(
            spikes=spikes,
            sizes=sizes,
            duration=file.number("duration"),
            recordings={
                name: _read_recording(group.group(name), batch)
                for group, name in _members(file, "recordings")
            },
            provenance={name: group.text(name) for group, name in _members(file, "provenance")},
            costs={name: float(value) for name, value in _read_numbers(file, "costs").items()},
            health={name: int(value) for name, value in _read_numbers(file, "health").items()},
            batch_size=batch,
            residuals=_read_residuals(file, spikes),
            readings={
                name: _read_reading(group.group(name), batch) for group, name in _members(file, "readings")
            },
            effective_parameters={
                name: group.floats(name, (None,)) for group, name in _members(file, "effective_parameters")
            },
        )


def _fill(file: h5py.File, results: Results) -> None:
    import h5py

    file.attrs.update(
        magic=np.uint32(SONATA_MAGIC),
        version=np.array(SONATA_VERSION, dtype=np.uint32),
        duration=results.duration,
        batch=results.batch,
    )
    spikes = file.create_group("spikes", track_order=True)
    for name, events in results.spikes.items():
        group = spikes.create_group(name)
        group.attrs["size"] = results.sizes[name]
        sorting = SONATA_SORTING["by_time" if events.batch == 1 else "none"]
        group.attrs.create("sorting", sorting, dtype=h5py.enum_dtype(SONATA_SORTING, basetype="u1"))
        group["timestamps"] = events.times
        group["timestamps"].attrs["units"] = "milliseconds"
        group["node_ids"] = events.sources.astype(np.uint64)
        if events.batch > 1:
            group["sample_ids"] = events.samples().astype(np.uint64)
    recordings = file.create_group("recordings", track_order=True)
    for name, item in results.recordings.items():
        group = recordings.create_group(name)
        group["times"] = item.times
        group["times"].attrs["units"] = "milliseconds"
        group["node_ids"] = item.neurons.astype(np.uint64)
        group["values"] = item.values
    if results.residuals is not None:
        for name, found in results.residuals.items():
            for kind, values in found.items():
                file[f"residuals/{name}/{kind}"] = values
    for key, reading in results.readings.items():
        file[f"readings/{key}/values"] = reading.values
        if reading.times is not None:
            file[f"readings/{key}/times"] = reading.times
    for key, values in results.effective_parameters.items():
        file[f"effective_parameters/{key}"] = values
    file.create_group("costs", track_order=True).attrs.update(results.costs)
    file.create_group("health", track_order=True).attrs.update(results.health)
    provenance = file.create_group("provenance")
    for name, text in results.provenance.items():
        provenance[name] = text


def _read_numbers(file: hdf5.Group, name: str) -> Mapping[str, float]:
    """Return the attributes of a group; none where a file is older than the group."""
    if name not in file:
        return {}
    group = file.group(name)
    return {key: group.number(key) for key in group.attributes()}


def _members(file: hdf5.Group, name: str) -> Iterator[tuple[hdf5.Group, str]]:
    """Yield a group with the name of each of its members; nothing where a file is older than the group."""
    if name in file:
        group = file.group(name)
        yield from ((group, member) for member in group.names())


def _read_residuals(
    file: hdf5.Group, spikes: Mapping[str, Events]
) -> Mapping[str, Mapping[str, Floats]] | None:
    if "residuals" not in file:
        return None
    groups = file.group("residuals")
    found: dict[str, dict[str, Floats]] = {}
    for name in groups.names():
        if name not in spikes:
            raise fault(
                file.file, f"/residuals/{name}: expected a population with spikes; write the file again"
            )
        group, shape = groups.group(name), spikes[name].times.shape
        found[name] = {kind: group.floats(kind, shape, missing=True) for kind in group.names()}
    return found


def _read_reading(group: hdf5.Group, batch: int) -> Read:
    values = group.floats("values", (batch, None), missing=True)
    times = group.floats("times", values.shape, missing=True) if "times" in group else None
    return Read(values, times)


def _read_events(group: hdf5.Group, batch: int, size: int) -> Events:
    times = group.floats("timestamps", (None,))
    sources = group.integers("node_ids", times.shape)
    samples = group.integers("sample_ids", times.shape) if "sample_ids" in group else np.zeros_like(sources)
    for name, values, end in (("node_ids", sources, size), ("sample_ids", samples, batch)):
        if (values >= end).any():
            raise fault(
                group.file,
                f"{group.path}/{name}: expected numbers below {end}, got {values.max()}; "
                "write the file again",
            )
    return Events.from_arrays(times, sources, samples, batch)


def _read_recording(group: hdf5.Group, batch: int) -> Recording:
    times, neurons = group.floats("times", (None,)), group.integers("node_ids", (None,))
    values = group.floats("values", (batch, len(neurons), len(times)), missing=True)
    return Recording(times, neurons, values)
