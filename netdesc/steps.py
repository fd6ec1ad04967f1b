"""Times counted in the steps of a grid, however late."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats, Integers

LATEST = 2.0**46
"""Steps that no run has: a time beyond them counts as this many."""

LARGEST = 1e300
"""Steps up to which times are told apart where they need not be whole."""


def count_steps(times: Floats, step: float) -> Floats:
    """Return times in steps, as numbers that need not be whole.

    Parameters
    ----------
    times : ndarray of float64
        In ms; NaN, infinity and what is negative stay so.
    step : float
        In ms.

    Returns
    -------
    ndarray of float64
        At most ``LARGEST``, so that no finite time becomes infinite.
    """
    steps = np.asarray(np.minimum(times, LARGEST * step) / step, dtype=np.float64)
    return np.where(np.isinf(times), times, steps)


def count_period(time: float, step: float) -> float:
    """Return one time in steps, infinite where it is; see ``count_steps``."""
    return time if np.isinf(time) else min(time, LARGEST * step) / step


def count_samples(duration: float, every: float) -> int:
    """Return how many samples are taken at 0, every, 2 every, ... up to a duration, all in ms."""
    return int(np.floor(duration / every * (1.0 + 1e-12))) + 1


def nearest_steps(times: Floats, step: float, latest: float = LATEST) -> Floats:
    """Return times in steps, rounded to whole numbers.

    Parameters
    ----------
    times : ndarray of float64
        In ms; NaN and infinity stay so.
    step : float
        In ms.
    latest : float
        What a later finite time becomes.

    Returns
    -------
    ndarray of float64
    """
    steps = np.asarray(np.round(np.minimum(count_steps(times, step), latest)), dtype=np.float64)
    return np.where(np.isinf(times), times, steps)


def whole_steps(times: Floats, step: float, latest: float = LATEST) -> Integers:
    """Return times in whole steps.

    Parameters
    ----------
    times : ndarray of float64
        In ms, finite.
    step : float
        In ms.
    latest : float
        What a later time becomes, for example one step more than a run has.

    Returns
    -------
    ndarray of int64
    """
    return nearest_steps(times, step, latest).astype(np.int64)


def round_to_steps(times: Floats, step: float) -> Floats:
    """Return times moved to the nearest step.

    Parameters
    ----------
    times : ndarray of float64
        In ms.
    step : float
        In ms.

    Returns
    -------
    ndarray of float64
        In ms; times beyond ``LATEST`` steps stay as they are.
    """
    return np.where(times < LATEST * step, np.round(count_steps(times, step)) * step, times)
