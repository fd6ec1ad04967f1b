"""How well parameters do on samples that they do not learn from."""

from __future__ import annotations

from netdesc.events import Floats
from netdesc.losses import evaluate
from netdesc.training.feed import Feed
from netdesc.training.records import Metrics
from netdesc.training.silence import find_silent
from netdesc.training.tally import Tally
from netdesc.training.task import Task

CHUNK = 1000
"""Samples in a batch."""


def measure(task: Task, values: Floats, split: str) -> Metrics | None:
    """Find out how well parameters do on some samples.

    Parameters
    ----------
    task : Task
    values : ndarray of float64, shape (n,)
    split : str
        ``train``, ``validation`` or ``test``.

    Returns
    -------
    Metrics or None
        None where there are no such samples.
    """
    feed = task.feed(split)
    return None if feed is None else measure_feed(task, values, feed, split=split)


def measure_feed(task: Task, values: Floats, feed: Feed, *, split: str) -> Metrics:
    """Find out how well parameters do on the samples of a feed.

    Parameters
    ----------
    task : Task
    values : ndarray of float64, shape (n,)
    feed : Feed
    split : str
        What the samples are for.
    """
    tally = Tally(task.program)
    task.machine.write(task.layout.split(values))
    for stimulus, goals in feed.batches(feed.in_order(), CHUNK):
        trace = task.machine.forward(stimulus, seed=task.program.seed)
        evaluation = evaluate(task.losses, trace, task.program, goals)
        tally.add(evaluation, trace, find_silent(trace, task.program))
    return tally.conclude(split)
