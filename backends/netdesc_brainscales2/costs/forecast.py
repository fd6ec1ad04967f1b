"""What runs of a plan are expected to take, in the words that every backend uses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netdesc.maps import Estimate, Forecast, Share
from netdesc.program import Program
from netdesc_brainscales2.costs.costs import Bill, Counts, compute_bill, numbers_of
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.mapping.text import rows_used
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.readout.observation import expected_events


def forecast(program: Program, plan: Plan, options: Options, samples: int) -> Forecast:
    """Estimate what runs of a plan take at the expected rates.

    Returns
    -------
    Forecast
        A step of learning takes the chip as long as a run; the backward pass is the host's.
    """
    bill = expect(program, plan, options, samples)
    run = Estimate(samples, False, bill.flat(), numbers=numbers_of(options))
    trains = any(block.train_weight for block in program.blocks)
    return Forecast(share_out(plan, options), 1, run, replace(run, learns=True) if trains else None)


def expect(program: Program, plan: Plan, options: Options, samples: int) -> Bill:
    """Return the costs of a run at the expected rates."""
    events = np.sum([expected_events(program, plan, item.number, options) for item in plan.instances], axis=0)
    into, out = (float(value) * samples for value in (events if len(plan.instances) else (0.0, 0.0)))
    readings = sum(
        len(item.neurons) * (int(program.duration / item.every + 1e-9) + 1)
        for item in plan.sampled
        if item.converter == "cadc"
    )
    counts = Counts(samples, len(plan.instances), program.duration, into, out, readings * samples)
    return compute_bill(counts, options)


def share_out(plan: Plan, options: Options) -> tuple[Share, ...]:
    """Return what a plan takes of the chip."""
    profile = options.profile
    if not plan.instances:
        return ()
    fullest = max(
        plan.instances,
        key=lambda item: sum(part.circuits.size for part in plan.parts if part.instance == item.number),
    ).number
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
