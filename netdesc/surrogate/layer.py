"""A population on a grid, before and during the backward sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats
from netdesc.program import PopulationSlice, Program, Surrogate
from netdesc.surrogate.grid import Grid, find_open, rows
from netdesc.surrogate.kernels import sweep
from netdesc.trace import Trace


def differentiate(surrogate: Surrogate, voltages: Floats, threshold: Floats, rest: Floats) -> Floats:
    """Return the stand-in for the derivative of spikes by the voltage.

    With ``x = (v - threshold) / (threshold - rest)`` and slope b it is, over ``threshold - rest``,
    ``1 / (b |x| + 1)^2`` for ``superspike``, ``s (1 - s)`` with ``s = 1 / (1 + exp(-b x))`` for
    ``sigmoid``, and ``max(0, 1 - b |x|)`` for ``triangle``.

    Parameters
    ----------
    surrogate : Surrogate
    voltages : ndarray of float64, shape (..., n)
        Overwritten.
    threshold, rest : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (..., n)
        In 1 over the voltage of the cell.

    Notes
    -----
    Zenke and Vogels (2021), The remarkable robustness of surrogate gradient learning.
    """
    scale = 1.0 / (threshold - rest)
    steep = np.multiply(np.subtract(voltages, threshold, out=voltages), surrogate.slope * scale, out=voltages)
    np.abs(steep, out=steep)
    if surrogate.shape == "superspike":
        steep += 1.0
        return np.divide(scale, np.multiply(steep, steep, out=steep), out=steep)
    if surrogate.shape == "triangle":
        return np.multiply(scale, np.maximum(0.0, np.subtract(1.0, steep, out=steep), out=steep), out=steep)
    # s (1 - s) is even in x, and exp of a negative number does not overflow.
    decay = np.exp(np.negative(steep, out=steep), out=steep)
    result: Floats = scale * decay / (1.0 + decay) ** 2
    return result


@dataclass(frozen=True, slots=True)
class Layer:
    """Neurons of one population; all arrays are (batch, steps, n) unless said otherwise.

    Parameters
    ----------
    population : PopulationSlice
    drive : ndarray of float64
        For spiking neurons the derivative by their spikes, for a read-out the derivative by its
        voltage; grows while the sweep comes back to it.
    slope : ndarray of float64, or None
        Stand-in for the derivative of spikes by the voltage; None for a read-out.
    open : ndarray of uint8
        Where a voltage follows from the one before.
    factors : tuple of ndarray of float64
        beta and gain, shape (n,), and alpha, shape (receptors, n).
    state : ndarray of float64, shape (batch, n)
        Adjoint of the voltage at the step that the sweep has come to.
    currents : ndarray of float64, shape (receptors, batch, steps, n)
        Adjoints of the currents.
    """

    population: PopulationSlice
    drive: Floats
    slope: Floats | None
    open: NDArray[np.uint8]
    factors: tuple[Floats, Floats, Floats]
    state: Floats
    currents: Floats


def lay_out(program: Program, trace: Trace, population: PopulationSlice, grid: Grid) -> Layer:
    """Lay a population out on a grid, with nothing that drives its adjoint yet.

    Parameters
    ----------
    program : Program
        With a surrogate.
    trace : Trace
    population : PopulationSlice
        Not a source.
    grid : Grid
    """
    span = slice(population.start, population.stop)
    parameters = program.parameters
    beta = np.exp(-grid.step / parameters["tau_m"][span])
    count = len(population.receptors)
    alpha = np.exp(-grid.step / np.ascontiguousarray(parameters["tau_s"][span, :count].T))
    shape = (trace.batch, grid.steps, population.size)
    slope, open_ = None, np.ones(shape, dtype=np.uint8)
    if population.kind == "spiking" and program.surrogate is not None:
        sampled = trace.recordings[f"{population.name}.v"]
        slope = differentiate(
            program.surrogate,
            rows(sampled, sampled.values),
            parameters["threshold"][span],
            parameters["rest"][span],
        )
        open_ = find_open(
            trace.spikes[population.name],
            grid,
            parameters["tau_ref"][span],
            reset=not population.subtractive_reset,
        )
    return Layer(
        population,
        np.zeros(shape),
        slope,
        open_,
        (beta, 1.0 - beta, alpha),
        np.zeros((trace.batch, population.size)),
        np.empty((count, *shape)),
    )


def advance(layer: Layer, span: tuple[int, int]) -> None:
    """Take the adjoints of a layer back over a span of steps, in which all that drives it is known.

    Parameters
    ----------
    layer : Layer
        Its state and currents are changed.
    span : tuple of int
        First and one past the last step; the steps after it are done.
    """
    if layer.slope is not None:
        part = layer.drive[:, span[0] : span[1]]
        np.multiply(part, layer.slope[:, span[0] : span[1]], out=part)
    sweep(layer.drive, layer.open, layer.factors, span, layer.state, layer.currents)
