"""How the learning rate changes over a training."""

from __future__ import annotations

from math import cos, pi

from netdesc.description.model import Choice
from netdesc.errors import BackendError

SCHEDULES = ("constant", "exponential", "step", "cosine")
"""Names of the schedules."""


def scale_rate(schedule: Choice, epochs: int, *, epoch: int, step: int) -> float:
    """Return the factor of all learning rates at one step.

    Parameters
    ----------
    schedule : Choice
        ``constant``; ``exponential`` with ``factor`` and ``every`` (``epoch``, ``step``, or a number of
        epochs over which the rate falls by the factor, evenly); ``step`` with ``factor`` and ``every``
        (after every so many epochs the rate falls by the factor, at once); ``cosine`` with ``final``
        (factor at the end) and ``epochs`` (None for those of the training).
    epochs : int
        Epochs of the whole training.
    epoch : int
        Epochs that are over.
    step : int
        Steps that are over, in all epochs.

    Raises
    ------
    BackendError
        If there is no such schedule.
    """
    options = schedule.options
    if schedule.kind == "constant":
        return 1.0
    if schedule.kind in ("exponential", "step"):
        every = options.get("every", "epoch")
        if every == "step":
            return float(options["factor"]) ** step
        periods = epoch / (1.0 if every == "epoch" else float(every))
        return float(options["factor"]) ** (periods if schedule.kind == "exponential" else int(periods))
    if schedule.kind == "cosine":
        final, length = float(options.get("final", 0.0)), options.get("epochs") or epochs
        return final + (1.0 - final) * 0.5 * (1.0 + cos(pi * min(epoch / float(length), 1.0)))
    raise BackendError(
        f"schedule {schedule.kind} is not available; use one of {', '.join(SCHEDULES)}",
        path="training.schedule",
    )
