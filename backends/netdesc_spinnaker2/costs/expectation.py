"""The work of a run before it runs, from expected rates."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from netdesc.events import Floats
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.costs.costs import Work
from netdesc_spinnaker2.mapping import traffic
from netdesc_spinnaker2.mapping.plan import SPACES, Chip, Plan
from netdesc_spinnaker2.options import Options

FORWARD, BACKWARD, GATHER, UPDATE = range(4)
"""Columns of the expected work: both runs of a sample, gradients to the optimizers, weights from them."""

PHASES = {"spike": FORWARD, "error": BACKWARD, "loss": BACKWARD, "gradient": GATHER, "weight": UPDATE}
"""When packets of a kind travel."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of the work of a plan before it runs.

    Parameters
    ----------
    plan : Plan
    options : Options
    once : Work
        Of one sample in every copy and of one update, phase by phase.
    kinds : ndarray of float64, shape (kinds, 4)
        Its packets, once for every destination, in the order of ``SPACES``.
    gather, update : int
        Ticks that the gradients of one round of samples take to the optimizers, and the new weights to all
        copies, at the highest clock and no FIFO overflowing.
    """

    plan: Plan
    options: Options
    once: Work
    kinds: Floats
    gather: int
    update: int

    @classmethod
    def of(cls, plan: Plan, options: Options) -> Prospect:
        """Count synapses and neurons, and send packets along the flows and through the tables."""
        once, spikes, bundles = _count(plan, options)
        kinds = np.zeros((len(SPACES), 4))
        links: dict[tuple[Chip, int], Floats] = defaultdict(lambda: np.zeros(4))
        router = Router(plan.tables, int(options.profile.board_width.value), options.height)
        for flow in plan.flows:
            phase, first, targets = PHASES[flow.space], flow.targets[0], list(flow.targets)
            for sender in flow.senders:
                number = {
                    "spike": spikes[sender],
                    "error": spikes[first],
                    "loss": plan.slices[first].size,
                }.get(flow.space, bundles[sender])
                once.sent[sender, phase] += number
                once.received[targets, phase] += number
                kinds[SPACES.index(flow.space), phase] += number * len(targets)
                for link in router.resolve(flow.block.base, plan.sites[sender].chip).links:
                    links[link][phase] += number
        gather, update = (_ticks(once, phase, options) for phase in (GATHER, UPDATE))
        return cls(plan, options, replace(once, links=links), kinds, gather, update)

    def work(self, samples: int, *, learns: bool) -> Work:
        """Return the work of a run at the expected rates.

        Parameters
        ----------
        samples : int
        learns : bool
            Whether the samples are a batch to learn from, in one step.

        Returns
        -------
        Work
            One column per phase, with the work of one of its ticks, the same in all of them. Learning adds a
            backward run to every sample, the gradients of every round on their way to the optimizers, and one
            update. Samples of a last round that is not full are spread over all copies.
        """
        plan, once = self.plan, self.once
        rounds, ticks = -(-samples // plan.copies), run_ticks(plan.network.ticks, self.options)
        turns = samples / plan.copies
        repeats = np.array([turns, turns * learns, turns * learns, float(learns)])
        spans = np.array(
            [rounds * ticks, rounds * ticks * learns, rounds * self.gather * learns, self.update * learns],
            dtype=np.float64,
        )
        share = np.divide(repeats, spans, out=np.zeros(4), where=spans > 0.0)
        kinds = self.kinds @ repeats
        return Work(
            events=once.events * share,
            updates=once.updates * share,
            received=once.received * share,
            sent=once.sent * share,
            steps=once.steps * share,
            ticks=spans,
            samples=samples,
            packets={space: float(kinds[number]) for number, space in enumerate(SPACES) if kinds[number]},
            links={link: load * share for link, load in once.links.items()},
            dram=float(sum(plan.recorded)) / plan.copies * samples,
        )


def run_ticks(ticks: int, options: Options) -> int:
    """Return the ticks of a run in one direction, with those in which the last packets are taken in."""
    return ticks + (1 if options.scheme == "off_grid" else 2)


def _count(plan: Plan, options: Options) -> tuple[Work, Floats, Floats]:
    """Return the work without packets, the spikes of every slice, and its packets of trained weights."""
    network, count = plan.network, len(plan.slices)
    events, updates, received, sent, steps = np.zeros((5, count, 4))
    spikes, bundles = np.zeros((2, count))
    floats, ticks = int(options.profile.payload.value) // 32, run_ticks(network.ticks, options)
    integer = options.weights == "integer"
    fans = {
        item.name: traffic.fan(network, item.name, integer=integer) for item in network.program.populations
    }
    for s, item in enumerate(plan.slices):
        fan = fans[item.population]
        trained = np.diff(fan.trained)[item.start : item.stop]
        bundles[s] = np.ceil(trained / floats).sum()
        if item.role == "optimizer":
            steps[s, UPDATE] = trained.sum()
        elif item.role != "loss":
            spikes[s] = item.size * network.spikes[item.population]
        if item.role == "layer":
            events[s, [FORWARD, BACKWARD]] = fan.events[item.stop] - fan.events[item.start]
        if item.role in ("layer", "loss"):
            updates[s, [FORWARD, BACKWARD]] = item.size * ticks
    return Work(events, updates, received, sent, steps, np.ones(4), plan.copies), spikes, bundles


def _ticks(once: Work, phase: int, options: Options) -> int:
    """Return the ticks that a phase takes at the highest clock, no FIFO overflowing in any of them."""
    profile = options.profile
    packets = once.sent[:, phase] + once.received[:, phase]
    cycles = packets * profile.packet_cycles.value + once.steps[:, phase] * profile.update_cycles.value
    need = max(
        float(cycles.max()) / options.budget.value,
        float(once.received[:, phase].max()) / profile.fifo_depth.value,
    )
    return max(1, math.ceil(need - 1e-9))
