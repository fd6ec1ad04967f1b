"""The work of a run before it runs, from expected rates."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.events import Floats
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.costs.costs import Work
from netdesc_spinnaker2.mapping import traffic
from netdesc_spinnaker2.mapping.plan import SPACES, Chip, Flow, Plan
from netdesc_spinnaker2.options import Options

FORWARD, BACKWARD, GATHER, UPDATE = range(4)
"""Columns of the expected work: both runs of a sample, gradients to the optimizers, weights from them."""

PHASES = {"spike": FORWARD, "error": BACKWARD, "loss": BACKWARD, "gradient": GATHER, "weight": UPDATE}
"""When packets of a kind travel."""

REST = {"off_grid": 1}
"""Ticks of a run beyond those of the sample, in which the last packets are taken in; 2 for other schemes."""


@dataclass(frozen=True, slots=True)
class Loads:
    """What the slices of a plan carry in one sample, shape (slices,) each.

    Parameters
    ----------
    events : ndarray of float64
        Synaptic events.
    spikes : ndarray of float64
        Spikes of its own.
    neurons : ndarray of float64
        Neurons that it updates in every tick.
    weights : ndarray of float64
        Weights that it changes in a step: those of an optimizer.
    bundles : ndarray of float64
        Packets that hold its trained weights, or their gradients.
    """

    events: Floats
    spikes: Floats
    neurons: Floats
    weights: Floats
    bundles: Floats


@dataclass(frozen=True, slots=True)
class Traffic:
    """Packets of one sample by phase, and of one update.

    Parameters
    ----------
    sent, received : ndarray of float64, shape (slices, 4)
    kinds : ndarray of float64, shape (kinds, 4)
        Packets of all, once for every destination, in the order of ``SPACES``.
    links : mapping of ((x, y), int) to ndarray of float64, shape (4,)
    """

    sent: Floats
    received: Floats
    kinds: Floats
    links: Mapping[tuple[Chip, int], Floats]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of the work of a plan before it runs.

    Parameters
    ----------
    plan : Plan
    options : Options
    loads : Loads
    way : Traffic
    gather, update : int
        Ticks that the gradients of one round of samples take to the optimizers, and the new weights to all
        copies, at the highest clock and no FIFO overflowing.
    """

    plan: Plan
    options: Options
    loads: Loads
    way: Traffic
    gather: int
    update: int

    @classmethod
    def of(cls, plan: Plan, options: Options) -> Prospect:
        """Look at a plan."""
        loads = _loads(plan, options)
        way = _travel(plan, options, loads)
        idle = np.zeros_like(loads.weights)
        return cls(
            plan,
            options,
            loads,
            way,
            _ticks(way, GATHER, idle, options),
            _ticks(way, UPDATE, loads.weights, options),
        )

    def work(self, samples: int, *, learns: bool) -> Work:
        """Return the work of a run at the expected rates; see ``expect``."""
        plan, loads, way = self.plan, self.loads, self.way
        rounds, ticks = -(-samples // plan.copies), run_ticks(plan.network.ticks, self.options)
        turns = samples / plan.copies
        repeats = np.array([turns, turns * learns, turns * learns, float(learns)])
        spans = np.array(
            [rounds * ticks, rounds * ticks * learns, rounds * self.gather * learns, self.update * learns],
            dtype=np.float64,
        )
        share = np.divide(repeats, spans, out=np.zeros(4), where=spans > 0.0)
        kinds = way.kinds @ repeats
        both, last = np.array([1.0, 1.0, 0.0, 0.0]) * share, np.array([0.0, 0.0, 0.0, 1.0]) * share
        return Work(
            events=np.outer(loads.events, both),
            updates=np.outer(loads.neurons * ticks, both),
            received=way.received * share,
            sent=way.sent * share,
            steps=np.outer(loads.weights, last),
            ticks=spans,
            samples=samples,
            packets={space: float(kinds[number]) for number, space in enumerate(SPACES) if kinds[number]},
            links={link: load * share for link, load in way.links.items()},
            dram=float(sum(plan.recorded)) / plan.copies * samples,
        )


def run_ticks(ticks: int, options: Options) -> int:
    """Return the ticks of a run in one direction: those of the sample, and those until all is at rest."""
    return ticks + REST.get(options.scheme, 2)


def expect(plan: Plan, options: Options, *, samples: int | None = None, training: bool | None = None) -> Work:
    """Return the work of a run at the expected rates.

    Parameters
    ----------
    plan : Plan
    options : Options
    samples : int or None
        None for as many as run in parallel.
    training : bool or None
        Whether the samples are a batch to learn from, in one step; None where the plan trains.

    Returns
    -------
    Work
        One column per phase, with the work of one of its ticks, the same in all of them. Learning adds a
        backward run to every sample, the gradients of every round on their way to the optimizers, and one
        update. Samples of a last round that is not full are spread over all copies.
    """
    learns = traffic.trains(plan.network, options) if training is None else training
    return Prospect.of(plan, options).work(plan.copies if samples is None else samples, learns=learns)


def _loads(plan: Plan, options: Options) -> Loads:
    """Count what the slices carry."""
    network, rows = plan.network, np.zeros((5, len(plan.slices)))
    floats = int(options.profile.payload.value) // 32
    integer = options.weights == "integer"
    fans = {item.name: traffic.fan(network, item.name, integer=integer) for item in network.populations}
    for item in plan.slices:
        fan, population = fans[item.population], network.population(item.population)
        part, learns = slice(item.start, item.stop), item.role == "optimizer"
        trained = np.diff(fan.trained)[part]
        layer, loss = item.role == "layer", item.role == "loss"
        rows[:, item.index] = (
            (fan.events[item.stop] - fan.events[item.start]) * layer,
            item.size * population.spikes * (not learns and not loss),
            item.size * (layer or loss),
            trained.sum() * learns,
            np.ceil(trained / floats).sum(),
        )
    return Loads(*rows)


def _travel(plan: Plan, options: Options, loads: Loads) -> Traffic:
    """Send the packets of one sample along the flows and through the tables."""
    count = len(plan.slices)
    sent, received, kinds = np.zeros((count, 4)), np.zeros((count, 4)), np.zeros((len(SPACES), 4))
    links: dict[tuple[Chip, int], Floats] = defaultdict(lambda: np.zeros(4))
    router = Router(plan.tables, int(options.profile.board_width.value), options.height)
    for flow in plan.flows:
        phase, targets = PHASES[flow.space], list(flow.targets)
        for sender in flow.senders:
            number = _packets(flow, sender, loads, plan)
            sent[sender, phase] += number
            received[targets, phase] += number
            kinds[SPACES.index(flow.space), phase] += number * len(targets)
            for link in router.resolve(flow.block.base, plan.sites[sender].chip).links:
                links[link][phase] += number
    return Traffic(sent, received, kinds, links)


def _packets(flow: Flow, sender: int, loads: Loads, plan: Plan) -> float:
    """Return the packets that a sender puts into a flow in one sample."""
    match flow.space:
        case "spike":
            return float(loads.spikes[sender])
        case "error":
            return float(loads.spikes[flow.targets[0]])
        case "loss":
            return float(plan.slices[flow.targets[0]].size)
        case _:
            return float(loads.bundles[sender])


def _ticks(way: Traffic, phase: int, weights: Floats, options: Options) -> int:
    """Return the ticks that a phase takes at the highest clock, no FIFO overflowing in any of them."""
    profile = options.profile
    packets = way.sent[:, phase] + way.received[:, phase]
    cycles = packets * profile.packet_cycles.value + weights * profile.update_cycles.value
    need = max(
        float(cycles.max()) / (options.clock_rate * options.step * 1e-3),
        float(way.received[:, phase].max()) / profile.fifo_depth.value,
    )
    return max(1, math.ceil(need - 1e-9))
