"""How long the emulator takes on a processor, from counts of what it does.

The constants come from three networks on one chip, learned by the host.
"""

from __future__ import annotations

from netdesc.workload import Spell, Workload

NANOSECOND = 1e-9

BATCH = 4.5e-3
"""Seconds of a step of training that do not depend on its samples."""

PER_TRAINED = 30 * NANOSECOND
"""Seconds of a trained value in a step."""

DELIVERY = (35 * NANOSECOND, 17 * NANOSECOND)
"""Seconds of a spike at a synapse, forward and backward."""

SPIKE = (700 * NANOSECOND, 430 * NANOSECOND)
"""Seconds of a spike of a neuron, forward and backward."""


def estimate_spell(work: Workload) -> Spell:
    """Return the time that work takes; see `netdesc.workload.Timed`."""
    deliveries = sum(work.deliveries(phase) for phase in work.phases)
    spikes = sum(work.spikes(phase) for phase in work.phases)
    forward, backward = (
        deliveries * delivery + spikes * spike for delivery, spike in zip(DELIVERY, SPIKE, strict=True)
    )
    return Spell(forward, backward, BATCH + PER_TRAINED * work.trained)
