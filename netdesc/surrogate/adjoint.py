"""Back-propagation through time, with a stand-in for the derivative of spikes.

On a grid of step h, with ``alpha = exp(-h/tau_s)`` and ``beta = exp(-h/tau_m)``, the model is

    i[n+1] = alpha i[n] + sum of w z[n - d]        z[n] = number of spikes from n h up to (n+1) h
    v[n+1] = beta v[n] + (1 - beta) (rest + i[n])  or the reset, after a spike and while refractory

with voltages and spikes as the device had them. Resets and refractory periods are taken as they were: the
gradient does not ask how they would move.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.adjoint.readings import mean_weights
from netdesc.errors import BackendError, Diagnostic, NumericsError
from netdesc.events import Floats, Integers
from netdesc.gradient import Gradient
from netdesc.program import Program, Stage
from netdesc.surrogate.grid import Grid, find_grid, rows
from netdesc.surrogate.layer import Layer, advance, lay_out
from netdesc.surrogate.links import Link, add_spike_adjoints, find_slope, link
from netdesc.trace import Cotangent, Trace


def adjoint(program: Program, trace: Trace, cotangent: Cotangent, *, step: float) -> Gradient:
    """Carry the derivative of a loss back to the weights, by sampled voltages.

    Parameters
    ----------
    program : Program
        With a surrogate.
    trace : Trace
        Of a run on any device, with ``POPULATION.v`` of every neuron of each spiking population in its
        samples, all at the same times, and the weights as run.
    cotangent : Cotangent
        Readings (the derivative by a maximum enters at the nearest sample, that by a mean by the
        trapezoidal rule), samples of read-outs, and counts of spikes.
    step : float
        Interval of the samples in ms.

    Returns
    -------
    Gradient
        Of the weights alone, without ``spike_times``. Its health counts ``outside_grid``: spikes before
        the first or after the last step, and ``rounded_delays``: delays that were no whole number of steps.

    Raises
    ------
    BackendError
        If the program has no surrogate, trains delays, or the loss reads spike times, which have no
        surrogate gradient; all at once.
    NumericsError
        If samples are missing or not on the grid, or a number is not finite.

    Notes
    -----
    Cramer et al. (2022), Surrogate gradients for analog neuromorphic computing; Neftci, Mostafa and Zenke
    (2019), Surrogate gradient learning in spiking neural networks.
    """
    require_possible(program, cotangent)
    require_finite(cotangent)
    grid = find_grid(program, trace, step)
    layers = {
        index: lay_out(program, trace, item, grid)
        for index, item in enumerate(program.populations)
        if item.kind != "source"
    }
    for layer in layers.values():
        drive_layer(layer, program, trace, cotangent, grid=grid)
    links = [link(program, block, trace.effective_parameters, grid) for block in program.blocks]
    for stage in reversed(program.stages):
        sweep_stage(stage, layers, links, grid.steps)
    bins = {name: grid.bins(events.times) for name, events in trace.spikes.items()}
    health = {
        "outside_grid": sum(int(np.sum((item < 0) | (item >= grid.steps))) for item in bins.values()),
        "rounded_delays": sum(item.rounded for item in links),
    }
    return Gradient(find_slopes(program, trace, layers, links=links, bins=bins), {}, health=health)


def require_possible(program: Program, cotangent: Cotangent) -> None:
    """Refuse what has no surrogate gradient, all at once.

    Raises
    ------
    BackendError
    """
    faults = [
        Diagnostic(
            "a surrogate gradient is of weights alone; set train: false, or gradient: eventprop",
            f"{block.path}.delay",
        )
        for block in program.blocks
        if block.train_delay
    ]
    faults += [
        Diagnostic(
            "spike times have no surrogate gradient; use a loss of voltages or spike counts, "
            "or gradient: eventprop",
            program.population(name).path,
        )
        for name, slopes in cotangent.spikes.items()
        if np.any(slopes)
    ]
    faults += [
        Diagnostic(
            "only voltages of read-outs may be read by a loss of samples",
            program.population(key.rpartition(".")[0]).path,
        )
        for key in cotangent.recordings
        if program.population(key.rpartition(".")[0]).kind != "readout"
    ]
    if program.surrogate is None:
        faults.append(
            Diagnostic("the program has no surrogate; set gradient: surrogate", "training.gradient")
        )
    if faults:
        raise BackendError(faults)


def require_finite(cotangent: Cotangent) -> None:
    """Refuse a derivative of the loss that is not finite.

    Raises
    ------
    NumericsError
    """
    faults = [
        f"the derivative of the loss by {key} is not finite"
        for part in (cotangent.readings, cotangent.recordings, cotangent.counts)
        for key, values in part.items()
        if not np.isfinite(values).all()
    ]
    if faults:
        raise NumericsError("; ".join(faults))


def drive_layer(layer: Layer, program: Program, trace: Trace, cotangent: Cotangent, *, grid: Grid) -> None:
    """Add the direct derivatives of the loss to what drives the adjoint of a layer."""
    name = layer.population.name
    if layer.slope is not None:
        if name in cotangent.counts:
            layer.drive[...] += cotangent.counts[name][:, None, :]
        return
    for reading in program.readings:
        slopes = cotangent.readings.get(reading.key) if reading.population == name else None
        if slopes is None:
            continue
        if reading.kind == "mean":
            weights = mean_weights(grid.times, program.duration, reading.tau)
            layer.drive[...] += slopes[:, None, :] * weights[:, None]
        else:
            times = find_peaks(trace, reading.key)
            samples, neurons = np.indices(times.shape)
            layer.drive[samples, grid.nearest(times), neurons] += slopes
    key = f"{name}.v"
    if key in cotangent.recordings:
        layer.drive[...] += rows(trace.recordings[key], cotangent.recordings[key])


def find_peaks(trace: Trace, key: str) -> Floats:
    """Return when maxima were, in ms, shape (batch, n); NumericsError where the run does not tell."""
    times = trace.readings[key].times if key in trace.readings else None
    if times is None or not np.isfinite(times).all():
        raise NumericsError(f"the run does not contain when the maximum {key} was")
    return times


def sweep_stage(stage: Stage, layers: Mapping[int, Layer], links: list[Link], steps: int) -> None:
    """Carry the adjoints back through a stage, over all steps of the grid; later stages are done."""
    leaving = [item for item in links if item.block.pre in stage.populations]
    within = [item for item in leaving if item.block.post in stage.populations]
    for item in leaving:
        if item.block.post not in stage.populations:
            pass_adjoints(item, layers, (0, steps))
    if not stage.recurrent:
        for index in stage.populations:
            advance(layers[index], (0, steps))
        return
    for step in range(steps - 1, -1, -1):
        for item in within:
            pass_adjoints(item, layers, (step, step + 1))
        for index in stage.populations:
            advance(layers[index], (step, step + 1))


def pass_adjoints(synapses: Link, layers: Mapping[int, Layer], span: tuple[int, int]) -> None:
    """Carry the adjoints of the currents behind a block to the spikes before it, within a span of steps."""
    before, behind = layers[synapses.block.pre], layers[synapses.block.post]
    add_spike_adjoints(synapses, behind.currents[synapses.block.receptor], span, before.drive)


def find_slopes(
    program: Program,
    trace: Trace,
    layers: Mapping[int, Layer],
    *,
    links: list[Link],
    bins: Mapping[str, Integers],
) -> dict[str, Floats]:
    """Return the derivative by all trained weights after the sweep, by their keys, each of shape (k,).

    The bins are the steps of all spikes, by population.

    Raises
    ------
    NumericsError
        If one is not finite.
    """
    result = {}
    for item in links:
        if item.block.train_weight:
            name = program.populations[item.block.pre].name
            currents = layers[item.block.post].currents[item.block.receptor]
            result[item.block.weight_key] = find_slope(item, trace.spikes[name], bins[name], currents)
    wrong = [key for key, values in result.items() if not np.isfinite(values).all()]
    if wrong:
        raise NumericsError(f"the gradient of {', '.join(wrong)} is not finite; lower the learning rate")
    return result
