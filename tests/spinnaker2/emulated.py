"""Networks on the emulated machine, and on the grid of the numba backend that computes the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
from netdesc_numba import NumbaBackend
from netdesc_spinnaker2 import SpiNNaker2Backend
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.host.machine import Machine as SpiNNaker2Machine

from netdesc.backend import Machine
from netdesc.block import Block
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.program import PopulationSlice, Program, Stage
from netdesc.trace import Cotangent, Trace
from tests.generate.networks import Network, random_network
from tests.generate.traits import Recipe

SCHEMES = ("published", "exact_exponential", "off_grid")

STEP_EQUAL = 1e-6
"""Largest difference between spike times that are computed in float32 from the same numbers, ms."""


def tick_network(recipe: Recipe, scheme: str, tick: float = 1.0) -> Network:
    """Return a random network with all delays whole ticks, and input on ticks unless times travel along."""
    network = random_network(recipe)
    blocks = tuple(
        replace(block, train_delay=False, delays=np.maximum(np.round(block.delays / tick), 1.0) * tick)
        for block in network.program.blocks
    )
    held = np.round(network.program.parameters["tau_ref"] / tick) * tick
    parameters = {**network.program.parameters, "tau_ref": held}
    stimulus = network.stimulus
    if scheme != "off_grid":
        stimulus = one_per_tick(replace(stimulus, times=np.round(stimulus.times / tick) * tick))
    return Network(replace(network.program, blocks=blocks, parameters=parameters), stimulus)


def layered(
    sizes: tuple[int, ...] = (5, 30, 3), *, ticks: int = 27, seed: int = 0, gain: float = 1.0
) -> Program:
    """Return ``input``, ``hidden_0``, ..., ``output``, each dense onto the next at one tick of 1 ms."""
    random, populations, start = np.random.default_rng(seed), [], 0
    names = ("input", *(f"hidden_{k}" for k in range(len(sizes) - 2)), "output")
    for k, (name, size) in enumerate(zip(names, sizes, strict=True)):
        populations.append(
            PopulationSlice(
                name,
                start,
                start + size,
                "spiking" if k else "source",
                "LIF" if k else "dataset",
                ("signed",) if k else (),
                False,
                (size,),
                {},
            )
        )
        start += size
    ones = np.ones(start)
    parameters = {
        "tau_m": 20 * ones,
        "tau_s": 5 * ones[:, None],
        "tau_ref": 0 * ones,
        "rest": 0 * ones,
        "threshold": ones,
        "reset": 0 * ones,
        "v_init": 0 * ones,
        "i_init": 0 * ones[:, None],
    }
    blocks = tuple(
        Block(
            f"{a.name}_to_{b.name}",
            f"projections.{a.name}_to_{b.name}",
            k,
            k + 1,
            a.size,
            b.size,
            0,
            np.ones(b.size),
            None,
            None,
            gain * random.normal(6.0 / a.size**0.7, 4.0 / a.size**0.7, a.size * b.size),
            np.array([1.0]),
            True,
        )
        for k, (a, b) in enumerate(pairwise(populations))
    )
    stages = tuple(Stage((k,), False) for k in range(1, len(sizes)))
    return Program("layered", float(ticks), seed, tuple(populations), blocks, parameters, stages)


def inputs(batch: int, size: int = 5, ticks: int = 20, seed: int = 1) -> Events:
    """Return one spike of every input in each sample."""
    random = np.random.default_rng(seed)
    return Events.from_lists([[[float(t)] for t in random.integers(0, ticks, size)] for _ in range(batch)])


def one_per_tick(stimulus: Events) -> Events:
    """Return a stimulus without the spikes of a source that coincide with another of the same source."""
    spikes = np.column_stack((stimulus.samples(), stimulus.sources, stimulus.times))
    samples, sources, times = np.unique(spikes, axis=0).T
    return Events.from_arrays(times, sources.astype(np.int64), samples.astype(np.int64), stimulus.batch)


def grid(program: Program, scheme: str, tick: float = 1.0) -> Machine:
    """Load a program on the grid with the arithmetic of the chip."""
    solver = {"timestep": tick, "scheme": scheme, "precision": "float32", "transport": True}
    return NumbaBackend({"threads": 1, "solver": {"grid": solver}}).load(program, seed=0)


def chip(program: Program, scheme: str, tick: float = 1.0, **options: object) -> Machine:
    """Load a program on the emulated machine."""
    return SpiNNaker2Backend({"scheme": scheme, "tick": tick, **options}).load(program, seed=0)


def pull(program: Program, spikes: Mapping[str, Events]) -> Cotangent:
    """Return some derivative by the time of every spike of a neuron."""
    return Cotangent(
        {
            name: np.cos(events.times) + 0.3
            for name, events in spikes.items()
            if program.population(name).kind == "spiking"
        }
    )


def run(machine: Machine, stimulus: Events) -> tuple[Trace, Gradient]:
    """Run forward and backward."""
    trace = machine.forward(stimulus, seed=0)
    return trace, machine.adjoint(trace, pull(machine.program, trace.spikes))


def deviation(found: Floats, expected: Floats) -> float:
    """Return the largest difference of two arrays, relative to the largest value."""
    if found.shape != expected.shape:
        return float("inf")
    scale = float(np.abs(expected).max(initial=0.0))
    difference = float(np.abs(found - expected).max(initial=0.0))
    return difference / scale if scale > 0.0 else difference


def same_spikes(one: Trace, other: Trace) -> bool:
    """Tell whether two runs have the same spikes to the last bit."""
    return one.spikes.keys() == other.spikes.keys() and all(
        events.times.tobytes() == other.spikes[name].times.tobytes()
        and events.sources.tolist() == other.spikes[name].sources.tolist()
        and events.offsets.tolist() == other.spikes[name].offsets.tolist()
        for name, events in one.spikes.items()
    )


def balanced(health: Mapping[str, int]) -> bool:
    """Tell whether every packet of every kind was delivered, late or dropped, and none is counted below 0."""
    kinds = [key.removesuffix("_sent") for key in health if key.endswith("packets_sent")]
    fates = {kind: [health[f"{kind}_{fate}"] for fate in ("delivered", "late", "dropped")] for kind in kinds}
    totals = sum(health[f"{kind}_sent"] for kind in kinds if kind != "packets")
    return health["packets_sent"] == totals and all(
        min(fates[kind]) >= 0 and health[f"{kind}_sent"] == sum(fates[kind]) for kind in kinds
    )


def reroute(machine: SpiNNaker2Machine, router: Router) -> None:
    """Put other tables into the routers."""
    machine.device, machine.learner = machine.map_out(router), None
