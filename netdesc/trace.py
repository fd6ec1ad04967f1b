"""What a run left behind, and the derivative of a loss with respect to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from netdesc.display import enumerate_names, html_table, summarize
from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats, Integers, all_finite

RELEASE = "release"
"""Begins the name of a residual of the end of a refractory period, which may lie after the run."""


@cache
def versions() -> dict[str, str]:
    """Return the versions of what the bits of a result depend on, for ``Trace.provenance``."""
    # slow to import, and not needed to check a file
    from importlib.metadata import version

    return {name: version(name) for name in ("netdesc", "numba", "numpy")}


@dataclass(frozen=True, slots=True, repr=False)
class Recording:
    """A sampled quantity.

    Parameters
    ----------
    times : ndarray of float64, shape (steps,)
        In ms.
    neurons : ndarray of int64, shape (n,)
        Indices within the population.
    values : ndarray of float64, shape (batch, n, steps)
        In the voltage of the cell (``v``, ``i``), or as the adjoints of the equations.
    """

    times: Floats
    neurons: Integers
    values: Floats

    def __repr__(self) -> str:
        steps = f"{self.times[0]:g} to {self.times[-1]:g} ms" if len(self.times) else "none"
        shape = f"{self.values.shape} (sample, neuron, time)"
        return summarize("Recording", {"times": steps, "values": shape})


@dataclass(frozen=True, slots=True)
class Read:
    """A reading of a program, taken.

    Parameters
    ----------
    values : ndarray of float64, shape (batch, n)
        In the voltage of the cell.
    times : ndarray of float64, shape (batch, n), or None
        When a maximum was there, in ms; None for a mean.
    """

    values: Floats
    times: Floats | None = None


@dataclass(frozen=True, slots=True, repr=False, weakref_slot=True)
class Trace:
    """The result of a forward run.

    Parameters
    ----------
    spikes : mapping of str to Events
        By population, sources included, with neurons counted within the population. Read-outs have
        no entry.
    residuals : mapping of str to (mapping of str to ndarray of float64), or None
        By spiking population, then by name, aligned with ``spikes``: what the adjoint of the cell needs of
        each spike beside its time. LIF cells have ``current``, the total synaptic current just before the
        spike, and ``release_current``, the same at the end of the refractory period, NaN where that lies
        after the end of the run; a scheme on a grid may add others. None where the substrate does not
        measure them.
    recordings : mapping of str to Recording
        By ``population.variable``.
    effective_parameters : mapping of str to ndarray
        Weights and delays that the device used, by the keys of the blocks, in the units of the file.
    health : mapping of str to int
        Diagnostic counts: ``arrivals`` (spike deliveries), ``in_flight`` (deliveries due
        after the end of the run), and what a backend adds, for example ``dropped``.
    costs : mapping of str to float
    provenance : mapping of str to str
        Backend, solver, versions.
    readings : mapping of str to Read
        By the keys of ``Program.readings``.
    batch_size : int or None
        Number of samples; None where ``spikes``, ``recordings`` or ``readings`` have it, which they do unless
        the program has read-outs alone and none of them is read.
    """

    spikes: Mapping[str, Events]
    residuals: Mapping[str, Mapping[str, Floats]] | None
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    effective_parameters: Mapping[str, Floats] = field(default_factory=dict)
    health: Mapping[str, int] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)
    readings: Mapping[str, Read] = field(default_factory=dict)
    batch_size: int | None = None

    def __repr__(self) -> str:
        spikes = (f"{name}: {len(events)}" for name, events in self.spikes.items())
        return summarize(
            "Trace",
            {
                "batch": self.batch,
                "spikes": enumerate_names(spikes),
                "recordings": enumerate_names(self.recordings),
                "readings": enumerate_names(self.readings),
            },
        )

    def _repr_html_(self) -> str:
        rows = [
            (name, "spikes", f"{len(events)} in {events.batch} samples")
            for name, events in self.spikes.items()
        ]
        rows += [(name, "recording", str(item.values.shape)) for name, item in self.recordings.items()]
        rows += [(name, "reading", str(item.values.shape)) for name, item in self.readings.items()]
        backend = self.provenance.get("backend", "")
        return html_table(f"Trace{f' of {backend}' if backend else ''}", ("name", "holds", "size"), rows)

    @property
    def samples(self) -> Mapping[str, Recording]:
        """The recordings, by their former name."""
        return self.recordings

    @property
    def parameters_as_run(self) -> Mapping[str, Floats]:
        """The effective parameters, by their former name."""
        return self.effective_parameters

    @property
    def batch(self) -> int:
        """Number of samples."""
        return count_samples(self.spikes, self.recordings, self.readings, otherwise=self.batch_size)


def require_finite(trace: Trace) -> Trace:
    """Return a trace whose recordings and currents at spikes are numbers.

    Parameters
    ----------
    trace : Trace

    Returns
    -------
    Trace
        The same.

    Raises
    ------
    NumericsError
        With the first neuron of every population that left the range of numbers.
    """
    faults = []
    for key, item in trace.recordings.items():
        wrong = np.argwhere(~np.isfinite(item.values))
        if len(wrong):
            sample, place, step = wrong[0]
            faults.append(
                _overflow(
                    key.partition(".")[0],
                    int(item.neurons[place]),
                    int(sample),
                    f"{key.partition('.')[2]} at {item.times[step]:g} ms",
                )
            )
    for name, found in (trace.residuals or {}).items():
        for kind, values in found.items():
            if not kind.startswith(RELEASE) and not all_finite(values):
                late = np.flatnonzero(~np.isfinite(values))
                events = trace.spikes[name]
                where = int(events.sources[late[0]]), int(events.samples()[late[0]])
                faults.append(_overflow(name, *where, f"{kind} at {events.times[late[0]]:g} ms"))
                break
    for key, read in trace.readings.items():
        # NaN is the reading of a neuron that spiked where a loss asks for silence
        wrong = np.argwhere(np.isinf(read.values))
        if len(wrong):
            name, _, kind = key.partition(".")
            faults.append(_overflow(name, int(wrong[0][1]), int(wrong[0][0]), kind.replace("_", " ")))
    if faults:
        raise NumericsError(faults)
    return trace


def _overflow(population: str, neuron: int, sample: int, what: str) -> Diagnostic:
    return Diagnostic(
        f"expected finite numbers, got overflow in neuron {neuron} of {population}, sample {sample}: its "
        f"{what} exceeds the range of numbers of this run; use smaller weights or currents",
        f"populations.{population}",
    )


def count_samples(
    spikes: Mapping[str, Events],
    recordings: Mapping[str, Recording],
    readings: Mapping[str, Read],
    *,
    otherwise: int | None = None,
) -> int:
    """Return the number of samples of a run.

    Parameters
    ----------
    spikes : mapping of str to Events
    recordings : mapping of str to Recording
    readings : mapping of str to Read
    otherwise : int or None
        Where all three are empty; None for one sample.

    Returns
    -------
    int
    """
    for events in spikes.values():
        return events.batch
    tables = [*(item.values for item in recordings.values()), *(item.values for item in readings.values())]
    if tables:
        return int(tables[0].shape[0])
    return 1 if otherwise is None else otherwise


@dataclass(frozen=True, slots=True)
class Cotangent:
    """Derivative of a loss with respect to a trace.

    Parameters
    ----------
    spikes : mapping of str to ndarray of float64
        dL/dt of every spike, in 1/ms, aligned with ``Trace.spikes`` of the same population. A
        population that is absent has zeros.
    readings : mapping of str to ndarray of float64, shape (batch, n)
        dL/dvalue of readings, by their keys; what is absent is zero.
    recordings : mapping of str to ndarray of float64, shape (batch, n, steps)
        dL/dv of sampled voltages of read-outs, by the keys of ``Trace.recordings``; what is absent is zero.
    counts : mapping of str to ndarray of float64, shape (batch, n)
        Derivative by the number of spikes of a neuron, of regularizers. Spike counts have no exact
        gradient: the equations say what a backend makes of it.
    """

    spikes: Mapping[str, Floats]
    readings: Mapping[str, Floats] = field(default_factory=dict)
    recordings: Mapping[str, Floats] = field(default_factory=dict)
    counts: Mapping[str, Floats] = field(default_factory=dict)
