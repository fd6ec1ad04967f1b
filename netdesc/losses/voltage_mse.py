"""Squared distance of sampled voltages from target voltages."""

from __future__ import annotations

import numpy as np

from netdesc.description.model import Loss
from netdesc.errors import BackendError, DescriptionError
from netdesc.events import Floats
from netdesc.losses.goals import Traces
from netdesc.losses.term import Term
from netdesc.program import Program
from netdesc.steps import count_samples
from netdesc.trace import Trace

KIND = "voltage_mse"
"""Name of the loss."""

CLOSE = 1e-6
"""Fraction of an interval by which times may differ."""


def voltage_mse(voltages: Floats, targets: Floats) -> Term:
    """Compute ``1/2 sum over j of the mean over k of (v_j(t_k) - y_jk)^2``.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, n, steps)
        Sampled at the times t_k, in the voltage of the cell.
    targets : ndarray of float64, shape (batch, n, steps)
        NaN where there is no target. The mean of an output is over the times that have one; an output
        without any adds nothing.

    Returns
    -------
    Term
        Slopes of shape (batch, n, steps), with respect to each sampled voltage.
    """
    wanted = ~np.isnan(targets)
    counts = np.maximum(wanted.sum(axis=2, keepdims=True), 1)
    distance = np.where(wanted, voltages - targets, 0.0)
    values = 0.5 * (distance * distance / counts).sum(axis=(1, 2))
    return Term(values, distance / counts)


def require_traces(loss: Loss, traces: Traces | None, program: Program, *, split: str = "") -> Traces:
    """Return the target voltages of samples, checked against a program.

    Parameters
    ----------
    loss : Loss
        Of kind ``voltage_mse``.
    traces : Traces or None
    program : Program
    split : str
        What the samples are for, for messages; empty where this is not known.

    Raises
    ------
    DescriptionError
        If there are none, or outputs, interval or length do not fit.
    """
    path, size = f"losses.{loss.name}", program.population(loss.population).size
    of = f"of the {split} samples" if split else "of the samples"
    if traces is None:
        raise DescriptionError(
            f"voltage_mse expected target voltages {of}, got none; add target_interval and targets to the "
            "data, or pass netdesc.Samples(x, traces=..., trace_interval=...)",
            path=path,
        )
    interval, (steps, outputs) = float(loss.options["interval"]), traces.values.shape[1:]
    if abs(traces.interval - interval) > CLOSE * interval:
        raise DescriptionError(
            f"expected target voltages {of} every {interval:g} ms, got them every {traces.interval:g} ms; "
            f"set interval: {traces.interval:g} ms",
            path=path,
        )
    if outputs != size:
        raise DescriptionError(
            f"voltage_mse expected target voltages of the {size} neurons of population {loss.population}, "
            f"got those of {outputs}; set populations.{loss.population}.size: {outputs}",
            path=path,
        )
    most = count_samples(program.duration, interval)
    if steps > most:
        raise DescriptionError(
            f"expected at most {most} target voltages for each output, one every {interval:g} ms from 0 to "
            f"{program.duration:g} ms, got {steps}; set simulation.duration: {(steps - 1) * interval:g} ms, "
            "or shorten them",
            path=path,
        )
    return traces


def read_voltages(loss: Loss, trace: Trace) -> Floats:
    """Return the sampled voltages that a loss reads, shape (batch, n, steps).

    Raises
    ------
    BackendError
        If the run has none, or sampled them at other times.
    """
    key, interval = f"{loss.population}.v", float(loss.options["interval"])
    found = trace.recordings.get(key)
    if found is None:
        raise BackendError(
            f"the run has no samples of {key}; use a backend that records voltages, such as numba",
            path=f"losses.{loss.name}",
        )
    due = np.arange(len(found.times)) * interval
    if (np.abs(found.times - due) > CLOSE * interval).any():
        raise BackendError(
            f"expected samples of {key} every {interval:g} ms, got them at other times; use a backend that "
            "samples at this interval, such as numba",
            path=f"losses.{loss.name}",
        )
    return found.values
