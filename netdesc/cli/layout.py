"""How spikes, recordings and gradients look in JSON, and where a result came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from netdesc.block import Block
from netdesc.events import Floats
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.trace import Recording, Trace

if TYPE_CHECKING:
    from netdesc.api import CompiledProgram


def arrange_spikes(trace: Trace, program: Program, *, single: bool) -> dict[str, object]:
    """Return the spike times of every population that spikes.

    Parameters
    ----------
    trace : Trace
    program : Program
    single : bool
        Whether the model stands for itself; the list over the samples is left out then.

    Returns
    -------
    dict of str to list
        Times in ms: a list per neuron, or a list per sample of a list per neuron.
    """
    return {
        name: _first_if(events.lists(program.population(name).size), single)
        for name, events in trace.spikes.items()
    }


def arrange_input_gradients(
    gradient: Gradient, trace: Trace, program: Program, *, single: bool
) -> dict[str, object]:
    """Return dL/dt of every spike of the sources in 1/ms, in the layout of `arrange_spikes`."""
    return {
        item.name: _first_if(
            replace(trace.spikes[item.name], times=gradient.spike_times[item.name]).lists(item.size), single
        )
        for item in program.populations
        if item.kind == "source" and item.name in gradient.spike_times
    }


def arrange_gradients(gradient: Gradient, program: Program) -> dict[str, dict[str, object]]:
    """Return the gradients of all trainable weights and delays as matrices, or lists of synapses.

    Returns
    -------
    dict of str to dict of str to object
        By projection (``projection.target`` where it has several targets), then ``weight`` or
        ``delay``: an ndarray of shape (pre, post), NaN where there is no synapse; where a pair of neurons
        has several synapses, a dict of the arrays ``pre``, ``post`` and ``values``, shape (k,).
    """
    result: dict[str, dict[str, object]] = {}
    for block in program.blocks:
        for name, key in (("weight", block.weight_key), ("delay", block.delay_key)):
            if key in gradient.parameters:
                result.setdefault(block.name, {})[name] = _arrange(block, gradient.parameters[key])
    return result


def arrange_recordings(recordings: Mapping[str, Recording], *, single: bool) -> dict[str, dict[str, object]]:
    """Return recordings with ``times`` in ms, ``neurons``, and ``values``.

    Values are (neuron, time), or (sample, neuron, time) unless ``single`` as in `arrange_spikes`.
    """
    return {
        name: {
            "times": item.times,
            "neurons": item.neurons,
            "values": item.values[0] if single else item.values,
        }
        for name, item in recordings.items()
    }


def count_spikes(trace: Trace) -> list[tuple[str, str]]:
    """Return how many spikes every population had, for people.

    Returns
    -------
    list of (str, str)
        Population, and the mean number of spikes in a sample.
    """
    return [(name, f"{len(events) / max(events.batch, 1):g}") for name, events in trace.spikes.items()]


def _first_if(lists: Sequence[object], single: bool) -> object:
    return lists[0] if single else lists


def _arrange(block: Block, values: Floats) -> object:
    connection = block.connection()
    if connection.find_repeated() is None:
        return connection.matrix(values)
    found = connection.table(values)
    return {"pre": found.pre, "post": found.post, "values": found.value}


def trace_back(compiled: CompiledProgram, seed: int | None) -> dict[str, str]:
    """Return what somebody needs to get the same result again.

    It is the resolved file, its hash, the seed of the run (None for that of the model), the backend, and the
    versions that were at work.
    """
    from netdesc.description import dump
    from netdesc.training.origin import collect_versions

    description, versions = compiled.model.description, collect_versions()
    return {
        "resolved": dump(description),
        "digest": description.digest,
        "seed": str(compiled.program.seed if seed is None else seed),
        "backend": compiled.backend.name,
        **{name: versions[name] for name in ("python", "netdesc", "numpy", "numba", "h5py")},
    }
