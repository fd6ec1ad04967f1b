"""How long the emulator takes on a processor, from counts of what it does.

The constants come from two sizes of one network, learned by the host.
"""

from __future__ import annotations

from netdesc.workload import Spell, Workload

NANOSECOND = 1e-9

BATCH = 7e-3
"""Seconds of a step of training that do not depend on its samples."""

PER_TRAINED = 30 * NANOSECOND
"""Seconds of a trained value in a step."""

TICK = (5 * NANOSECOND, 4 * NANOSECOND)
"""Seconds of a neuron in a tick, forward and backward."""

DELIVERY = (10 * NANOSECOND, 10 * NANOSECOND)
"""Seconds of a spike at a synapse, forward and backward."""


def estimate_spell(work: Workload, step: float) -> Spell:
    """Return the time that work takes, with ticks of ``step`` ms; see `netdesc.workload.Timed`."""
    neurons = sum(work.size(phase) for phase in work.phases)
    ticks = neurons * max(work.duration / step, 1.0)
    deliveries = sum(work.deliveries(phase) for phase in work.phases)
    forward, backward = (
        ticks * tick + deliveries * delivery for tick, delivery in zip(TICK, DELIVERY, strict=True)
    )
    return Spell(forward, backward, BATCH + PER_TRAINED * work.trained)
