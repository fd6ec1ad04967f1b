"""Small random networks of every kind, with something to drive them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from netdesc.block import Block
from netdesc.events import Events, Floats
from netdesc.observation import Reading
from netdesc.program import PopulationSlice, Program, Stage
from tests.generate.traits import RATIOS, Recipe


@dataclass(frozen=True, slots=True)
class Network:
    """A network and its stimulus.

    Parameters
    ----------
    program : Program
        All weights trainable, and delays that differ.
    stimulus : Events
        By program-wide index of the sources.
    """

    program: Program
    stimulus: Events


def random_network(recipe: Recipe) -> Network:
    """Make a network of a kind.

    Returns
    -------
    Network
        The same for the same recipe, on every machine.
    """
    populations = make_populations(recipe)
    parameters = make_parameters(recipe, populations)
    blocks = make_blocks(recipe, populations, parameters)
    program = Program(
        name=f"random-{recipe.seed}",
        duration=50.0,
        seed=recipe.seed,
        populations=populations,
        blocks=blocks,
        parameters=parameters,
        stages=make_stages(recipe),
        readings=make_readings(recipe),
    )
    return Network(program, make_stimulus(recipe))


def make_readings(recipe: Recipe) -> tuple[Reading, ...]:
    """Return what is read of the read-out, if there is one and it is to be read."""
    if not (recipe.readout and recipe.readings):
        return ()
    return (Reading("output", "maximum"), Reading("output", "mean"), Reading("output", "mean", 12.0))


def make_populations(recipe: Recipe) -> tuple[PopulationSlice, ...]:
    """Return the populations: sources first, then the layers, then the read-out."""
    receptors = ("excitatory", "inhibitory") if recipe.two_currents else ("signed",)
    kinds = ["source"] + ["spiking"] * recipe.layers + ["readout"] * recipe.readout
    result, start = [], 0
    for index, kind in enumerate(kinds):
        size = recipe.inputs if kind == "source" else recipe.size
        name = {"source": "input", "spiking": f"layer_{index}", "readout": "output"}[kind]
        model = {"source": "spike_times", "spiking": "LIF", "readout": "LI"}[kind]
        result.append(
            PopulationSlice(
                name,
                start,
                start + size,
                kind,
                model,
                () if kind == "source" else receptors,
                False,
                (size,),
                {},
            )
        )
        start += size
    return tuple(result)


def make_parameters(recipe: Recipe, populations: tuple[PopulationSlice, ...]) -> dict[str, Floats]:
    """Draw the constants of all neurons.

    Returns
    -------
    dict of str to ndarray
        As in ``Program.parameters``.
    """
    random, n = recipe.stream("cells"), populations[-1].stop
    spread = random.uniform(0.7, 1.4, (n, 3)) if recipe.mixed_cells else np.ones((n, 3))
    unit, rest = (15.0, -65.0) if recipe.millivolts else (1.0, 0.0)
    tau_m = 20.0 * spread[:, 0]
    tau_s = tau_m[:, None] / RATIOS[recipe.ratio]
    if recipe.two_currents:
        tau_s = tau_s * np.array([1.0, 1.0 if recipe.ratio == "equal" else 1.7])
    start = {
        "rest": np.zeros(n),
        "random": random.uniform(-1.0, 0.9, n),
        "above": random.uniform(-0.5, 1.5, n),
    }[recipe.start]
    values = {
        "tau_m": tau_m,
        "tau_s": tau_s,
        "tau_ref": 2.0 * spread[:, 1] if recipe.refractory else np.zeros(n),
        "rest": np.full(n, rest + 1.2 * unit if recipe.tonic else rest),
        "threshold": np.full(n, rest + unit),
        "reset": rest - unit * (spread[:, 2] - 0.7 if recipe.mixed_cells else 0.0 * spread[:, 2]),
        "v_init": rest + unit * start,
        "i_init": np.zeros_like(tau_s),
    }
    for item in populations:
        for value in values.values():
            if item.kind == "source":
                value[item.start : item.stop] = np.nan
        if item.kind == "readout":
            values["threshold"][item.start : item.stop] = np.inf
    return values


def make_stages(recipe: Recipe) -> tuple[Stage, ...]:
    """Return the order of execution."""
    layers = range(1, recipe.layers + 1)
    cycle = recipe.loop == "cycle" or (recipe.loop == "self" and recipe.layers == 1)
    stages = [Stage(tuple(layers), True)] if cycle else [Stage((k,), recipe.loop == "self") for k in layers]
    return tuple(stages + [Stage((recipe.layers + 1,), False)] * recipe.readout)


def make_blocks(
    recipe: Recipe, populations: tuple[PopulationSlice, ...], parameters: Mapping[str, Floats]
) -> tuple[Block, ...]:
    """Draw the synapses.

    Parameters
    ----------
    recipe : Recipe
    populations : tuple of PopulationSlice
    parameters : mapping of str to ndarray
    """
    layers = range(1, recipe.layers + 1)
    edges = [(0, k) for k in layers] + [(k, k + 1) for k in layers[:-1]]
    edges += [(k, k) for k in layers] if recipe.loop == "self" else []
    edges += [(recipe.layers, 1)] if recipe.loop == "cycle" else []
    edges += [(recipe.layers, recipe.layers + 1)] if recipe.readout else []
    # in mV per nA, or none
    resistance, result = 20.0 if recipe.millivolts else 1.0, []
    for pre, post in edges:
        ends = populations[pre], populations[post]
        strength = recipe.gain * jump_to_threshold(ends[1], parameters, resistance) / 2
        for receptor, name in enumerate(ends[1].receptors):
            path = f"{ends[0].name}_to_{ends[1].name}" + (f"_{name}" if recipe.two_currents else "")
            block = Block(
                path,
                f"projections.{path}",
                pre,
                post,
                ends[0].size,
                ends[1].size,
                receptor,
                np.full(ends[1].size, -resistance if name == "inhibitory" else resistance),
                None,
                None,
                np.empty(0),
                np.empty(0),
                train_weight=True,
                train_delay=recipe.delay == "mixed",
            )
            result.append(fill(recipe, block, strength if pre < post else -0.3 * strength))
    return tuple(result)


def jump_to_threshold(
    population: PopulationSlice, parameters: Mapping[str, Floats], resistance: float
) -> float:
    """Return the weight whose single spike would lift a resting neuron about to its threshold.

    Parameters
    ----------
    population : PopulationSlice
    parameters : mapping of str to ndarray

    Returns
    -------
    float
        In the units of the weights.
    """
    n = population.start
    ratio = parameters["tau_m"][n] / parameters["tau_s"][n, 0]
    peak = np.exp(-1.0) if abs(ratio - 1) < 1e-9 else ratio ** (ratio / (1.0 - ratio))
    scale = 15.0 if resistance > 1 else 1.0
    return float(scale / peak / resistance)


def fill(recipe: Recipe, block: Block, strength: float) -> Block:
    """Draw connections, weights and delays of a block.

    Parameters
    ----------
    recipe : Recipe
    block : Block
        Without synapses.
    strength : float
        Mean weight, in the units of the weights; also their spread. Magnitudes of inhibition are
        half as large, a negative strength means a block that inhibits on the whole.
    """
    random = recipe.stream(block.path)
    indptr = indices = None
    count = block.n_pre * block.n_post
    if recipe.density < 1:
        mask = random.random((block.n_pre, block.n_post)) < recipe.density
        indptr = np.concatenate(([0], np.cumsum(mask.sum(axis=1))))
        indices = np.nonzero(mask)[1]
        count = len(indices)
    weights = strength * random.normal(1.0, 1.0, count)
    if recipe.two_currents:
        inhibits = (block.sign < 0) == (strength > 0)
        weights = np.abs(weights) * (0.5 if inhibits else 1.0)
    delays = {"zero": np.zeros(1), "uniform": np.full(1, 1.5), "mixed": random.uniform(0.0, 6.0, count)}[
        recipe.delay
    ]
    values = {field.name: getattr(block, field.name) for field in fields(block)}
    return Block(**{**values, "indptr": indptr, "indices": indices, "weights": weights, "delays": delays})


def make_stimulus(recipe: Recipe) -> Events:
    """Draw the spikes of the sources, one to three each and sample, in the first 30 ms."""
    random = recipe.stream("stimulus")
    lists = []
    for _ in range(recipe.batch):
        times = [random.uniform(0.0, 30.0, random.integers(1, 4)) for _ in range(recipe.inputs)]
        lists.append([sorted((np.round(t / 2.5) * 2.5 if recipe.tied else t).tolist()) for t in times])
    return Events.from_lists(lists)
