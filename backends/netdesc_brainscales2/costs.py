"""What a run takes, counted or expected: time of model, chip and host, energy, events, bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.limits import Limit
from netdesc.maps import Estimate, Forecast, Share
from netdesc.program import Program
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.mapping.text import rows_used
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.readout.observation import expected_events

NUMBERS = ("speed_up", "wait", "configuration", "host_time", "power", "event_bits", "cadc_bits")
"""Numbers of the machine that enter the costs."""


def compute_costs(
    options: Options,
    *,
    samples: int,
    instances: int,
    duration: float,
    events_in: float,
    events_out: float,
    readings: float = 0.0,
) -> dict[str, float]:
    """Return the costs of a run as sums over the entries, by the names of ``Trace.costs``.

    Parameters
    ----------
    options : Options
        ``profile_numbers: {wait: 0}`` for entries that follow each other without a pause, as in the published
        run of 85,000 images/s.
    samples : int
        Entries of the batch.
    instances : int
        Execution instances, each of which runs all entries.
    duration : float
        Of an entry, in ms of the model.
    events_in, events_out : float
        Events that the host sent and that the chip sent, counted or expected, over all entries.
    readings : float
        Membrane readings of the CADC, over all entries.

    Returns
    -------
    dict of str to float
        Times in ms: ``chip_time_ms`` is that of the model over the speed-up, ``wait_time_ms`` pauses between
        entries, ``configuration_time_ms`` writes weights and routes once per execution instance,
        ``host_time_ms`` is work of the host that is not hidden behind the chip. ``energy_mJ`` is power times
        all of the time; the chip has no energy per spike to speak of. ``bits_of_events`` (with time stamps)
        and ``bits_of_readings`` are read from the chip.
    """
    profile = options.profile
    entries = samples * instances
    chip = entries * options.microseconds(duration) * 1e-3
    wait = entries * profile.wait.value * 1e-3
    configuration = instances * profile.configuration.value * 1e-3
    host = entries * profile.host_time.value * 1e-3
    time = chip + wait + configuration + host
    event_bits = events_out * profile.event_bits.value
    reading_bits = readings * profile.cadc_bits.value
    return {
        "model_time_ms": samples * duration,
        "chip_time_ms": chip,
        "wait_time_ms": wait,
        "configuration_time_ms": configuration,
        "host_time_ms": host,
        "time_ms": time,
        "energy_mJ": profile.power.value * time * 1e-3,
        "events_in": events_in,
        "events_out": events_out,
        "bits_of_events": event_bits,
        "bits_of_readings": reading_bits,
        "bits_read": event_bits + reading_bits,
    }


def numbers_of(options: Options) -> Mapping[str, Limit]:
    """Return the numbers that enter the costs, by name."""
    return {name: getattr(options.profile, name) for name in NUMBERS}


def forecast(program: Program, plan: Plan, options: Options, samples: int) -> Forecast:
    """Estimate what runs of a plan take at the expected rates.

    Returns
    -------
    Forecast
        A step of learning takes the chip as long as a run; the backward pass is the host's.
    """
    costs = expect(program, plan, options, samples)
    run = Estimate(samples, False, costs, numbers=numbers_of(options))
    trains = any(block.train_weight for block in program.blocks)
    return Forecast(share_out(plan, options), 1, run, replace(run, learns=True) if trains else None)


def expect(program: Program, plan: Plan, options: Options, samples: int) -> dict[str, float]:
    """Return the costs of a run at the expected rates."""
    events = np.sum([expected_events(program, plan, item.number, options) for item in plan.instances], axis=0)
    into, out = (float(value) * samples for value in (events if len(plan.instances) else (0.0, 0.0)))
    readings = sum(
        len(item.neurons) * (int(program.duration / item.every + 1e-9) + 1)
        for item in plan.sampled
        if item.converter == "cadc"
    )
    return compute_costs(
        options,
        samples=samples,
        instances=len(plan.instances),
        duration=program.duration,
        events_in=into,
        events_out=out,
        readings=readings * samples,
    )


def share_out(plan: Plan, options: Options) -> tuple[Share, ...]:
    """Return what a plan takes of the chip."""
    profile = options.profile
    if not plan.instances:
        return ()
    fullest = max(plan.instances, key=lambda item: plan.occupied(item.number)).number
    rows = {item.number: rows_used(plan, item.number) for item in plan.instances}
    busiest = max(rows, key=lambda number: rows[number])
    labels = max((int(route.label.max(initial=-1)) + 1 for route in plan.routes), default=0)
    both = replace(profile.rows, value=profile.rows.value * profile.hemispheres.value, unit="rows")
    circuits = replace(profile.circuits, unit="circuits")
    return (
        Share("neuron circuits", plan.used, circuits, f"instance {fullest}"),
        Share("rows of synapses", rows[busiest], both, f"instance {busiest}"),
        Share("labels of a row select", labels, replace(profile.labels, unit="labels")),
    )
