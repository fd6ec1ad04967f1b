"""The networks of the golden record: every shape on every backend, solver, scheme and precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HEAD = """
netdesc: 1
parameters: {{d: {delay}}}
simulation: {{duration: 30 ms, seed: 5}}
"""
DATA = """
data:
  dataset: {yin_yang: {train: 6, validation: 3, test: 3}}
  encoder: {latency: {t_early: 1 ms, t_late: 16 ms, bias: 2 ms}}
training: {optimizer: {adam: {learning_rate: 5e-3}}, epochs: 2, batch_size: 3}
"""
FIRST_SPIKE = (
    "losses: {l: {time_to_first_spike: {population: o, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}}\n"
)


def cell(kind: str = "LIF", **values: object) -> str:
    """Return a cell with time constants that every backend has."""
    given = {"tau_mem": "12 ms", "tau_syn": "6 ms"} | values
    return f"{{{kind}: {{{', '.join(f'{key}: {value}' for key, value in given.items())}}}}}"


def wire(name: str, pre: str, post: str, mean: float, spread: float, more: str = "") -> str:
    """Return a projection with normal weights and the delay of the network."""
    weight = f"{{init: {{normal: {{mu: {mean}, sigma: {spread}}}}}, train: true}}"
    return f"  {name}: {{pre: {pre}, post: {post}, weight: {weight}, delay: '${{d}}'{more}}}\n"


def layers(*sizes: int, hidden: str = "", output: str = "", mean: float = 1.3, spread: float = 0.9) -> str:
    """Return layers from the data on, the last of which is ``o``."""
    hidden, output = hidden or cell(), output or cell()
    names = ["x", *(f"h{k}" for k in range(len(sizes) - 1)), "o"]
    text = DATA + "populations:\n  x: {size: 5, source: dataset}\n"
    for name, size in zip(names[1:], sizes, strict=True):
        text += f"  {name}: {{size: {size}, neuron: {output if name == 'o' else hidden}}}\n"
    text += "projections:\n" + wire("p0", "x", names[1], mean, spread)
    for k in range(1, len(sizes)):
        text += wire(f"p{k}", names[k], names[k + 1], 0.45 + 2.0 / sizes[k - 1], 0.35)
    return text


LOOP = ", connector: {fixed_probability: {p: 0.4}}"
PYNN = (
    "{IF_curr_exp: {tau_m: 14 ms, cm: 0.7 nF, tau_refrac: 1 ms, v_rest: -65 mV, v_reset: -66 mV, "
    "v_thresh: -57 mV, tau_syn_E: 3 ms, tau_syn_I: 7 ms, i_offset: 0.05 nA}}"
)
EQUAL = PYNN.replace("tau_syn_E: 3 ms, tau_syn_I: 7 ms", "tau_syn_E: 5 ms, tau_syn_I: 5 ms")
PLAIN = (
    "{IF_curr_exp: {tau_m: 12 ms, cm: 0.7 nF, tau_refrac: 0 ms, v_rest: -65 mV, v_reset: -65 mV, "
    "v_thresh: -57 mV, tau_syn_E: 6 ms, tau_syn_I: 6 ms}}"
)
SPIKES = "{spike_times: {times: [[1 ms, 6 ms, 12 ms], [2 ms, 3 ms], [4 ms, 9 ms, 9 ms]]}}"
TARGET = "losses: {l: {time_to_first_spike: {population: o, target: 0}}}\n"


def units(neuron: str) -> str:
    """Return a recurrent network of PyNN's cells with excitatory and inhibitory synapses in nA."""
    text = f"populations:\n  x: {{size: 3, source: {SPIKES}}}\n  h0: {{size: 8, neuron: {neuron}}}\n"
    text += f"  o: {{size: 2, neuron: {neuron}}}\nprojections:\n"
    for name, pre, post, receptor, low, high, more in (
        ("a", "x", "h0", "excitatory", 1.0, 3.0, ""),
        ("b", "x", "h0", "inhibitory", 0.1, 0.5, ""),
        ("c", "h0", "h0", "inhibitory", 0.1, 0.6, LOOP),
        ("e", "h0", "o", "excitatory", 1.0, 2.0, ""),
    ):
        weight = f"{{init: {{uniform: {{low: {low} nA, high: {high} nA}}}}, train: true}}"
        text += (
            f"  {name}: {{pre: {pre}, post: {post}, receptor: {receptor}, weight: {weight}, "
            f"delay: '${{d}}'{more}}}\n"
        )
    return text + TARGET


SHAPES = {
    "layers": layers(12, 3) + FIRST_SPIKE,
    "deep": layers(10, 9, 3, mean=1.6)
    + FIRST_SPIKE.replace("}}}\n", "}}, r: {firing_rate: {population: h0, target: 1, strength: 1e-2}}}\n")
    + "record: {h1: [spikes, {v: {every: 1 ms}}, {i: {every: 1 ms}}]}\n",
    "deep_plain": layers(10, 9, 3, mean=1.6) + FIRST_SPIKE + "record: {h1: [spikes, {v: {every: 1 ms}}]}\n",
    "held": layers(12, 3, hidden=cell(tau_refrac="3 ms"), mean=1.8) + FIRST_SPIKE,
    "maximum": layers(12, 3, output=cell("LI")) + "losses: {l: {max_voltage: {population: o}}}\n",
    "mean": layers(12, 3, output=cell("LI")) + "losses: {l: {mean_voltage: {population: o}}}\n"
    "record: {o: [{v: {every: 0.5 ms}}, {i: {every: 0.5 ms, neurons: [0, 2]}}]}\n",
    "recurrent": layers(12, 3) + wire("q", "h0", "h0", 0.1, 0.4, LOOP) + FIRST_SPIKE,
    "recurrent_maximum": layers(12, 3, output=cell("LI"), hidden=cell(tau_refrac="2 ms"))
    + wire("q", "h0", "h0", 0.2, 0.5, LOOP)
    + "losses: {l: {max_voltage: {population: o}}}\n",
    "refractory": layers(
        12, 3, hidden=cell(tau_refrac="3 ms", v_reset=-0.3), output=cell(tau_refrac="30 ms"), mean=1.8
    )
    + FIRST_SPIKE,
    "trained_delays": layers(8, 3).replace(
        "delay: '${d}'", "delay: {init: {uniform: {low: '${d}', high: '${d + 4 ms}'}}, train: true}"
    )
    + FIRST_SPIKE,
    "whole_delays": layers(8, 3).replace("delay: '${d}'", "delay: '${3 * d}'") + FIRST_SPIKE,
    "two_currents": units(PYNN),
    "pynn": units(EQUAL),
    "pynn_plain": units(PLAIN),
    "pynn_recorded": units(EQUAL) + "record: {h0: [{v: {every: 1 ms}}], o: [{v: {every: 0.5 ms}}]}\n",
    "two_currents_recorded": units(PYNN) + "record: {h0: [{v: {every: 1 ms}}, {i: {every: 1 ms}}]}\n",
    "initial": layers(8, 3).replace(
        "h0: {size: 8,", "h0: {size: 8, initial: {v: {uniform: {low: -0.5, high: 0.9}}, i: 0.2},"
    )
    + FIRST_SPIKE,
    "current": layers(8, 3).replace("h0: {size: 8,", "h0: {size: 8, current: 0.7,") + FIRST_SPIKE,
    "no_source": f"populations: {{o: {{size: 3, neuron: {cell()}, current: [1.5, 2.0, 0.2]}}}}\n" + TARGET,
    "spread": layers(
        8,
        3,
        hidden=cell(
            tau_mem="{normal: {mu: 12 ms, sigma: 1 ms}}", v_reset="{uniform: {low: -0.2, high: 0.2}}"
        ),
    )
    + FIRST_SPIKE,
    "poisson": "populations:\n  x: {size: 12, source: {poisson: {rate: 150 Hz}}}\n"
    f"  o: {{size: 6, neuron: {cell()}}}\nprojections:\n"
    + wire("p", "x", "o", 0.8, 0.5)
    + wire("q", "o", "o", -0.1, 0.3)
    + TARGET,
    "multapses": f"populations:\n  x: {{size: 3, source: {SPIKES}}}\n  o: {{size: 2, neuron: {cell()}}}\n"
    "projections: {p: {pre: x, post: o, connector: {list: {pairs: [[0, 0], [1, 1], [0, 0], [2, 1], "
    "[2, 0]]}}, weight: {init: [2.5, 2.1, 1.5, 1.9, 1.7], train: true}, delay: '${d}'}}\n" + TARGET,
    "target_times": layers(9, 3) + "losses: {l: {spike_time_mse: {population: o, correct: 8 ms, "
    "wrong: 20 ms}}, m: {relative_spike_time_mse: {population: o, margin: 3 ms, weight: 0.5}}}\n",
    "adjoints": layers(9, 3)
    + FIRST_SPIKE
    + "record: {h0: [{lam_v: {every: 1 ms}}, {lam_i: {every: 1 ms}}]}\n",
    "inhibition": layers(10, 3)
    .replace("pre: h0,", "pre: h0, receptor: inhibitory,")
    .replace("mu: 0.65, sigma: 0.35", "mu: 0.1, sigma: 0.001")
    + wire("extra", "x", "o", 1.4, 0.4)
    + FIRST_SPIKE,
}
"""Sections of the networks, without those that depend on the backend."""

GRID = "backends.numba.solver={{grid: {{timestep: {}, scheme: {}, precision: {}, transport: {}}}}}"


class Place(NamedTuple):
    """A backend, its options and the delay of the network there."""

    backend: str
    options: tuple[str, ...]
    delay: str
    shapes: tuple[str, ...] = tuple(SHAPES)
    trained: bool = False


SOME = (
    "layers",
    "deep_plain",
    "recurrent",
    "held",
    "refractory",
    "pynn",
    "pynn_plain",
    "multapses",
    "poisson",
)
PLACES = {
    "event": Place("numba", (), "1.3 ms"),
    "event_at_once": Place(
        "numba",
        (),
        "0 ms",
        ("layers", "deep", "maximum", "mean", "refractory", "spread", "recurrent", "two_currents", "pynn"),
    ),
    "exponential": Place("numba", (GRID.format("0.5 ms", "exact_exponential", "float64", "false"),), "1 ms"),
    "exponential_32": Place(
        "numba", (GRID.format("0.5 ms", "exact_exponential", "float32", "true"),), "1 ms"
    ),
    "exponential_moved": Place(
        "numba", (GRID.format("1 ms", "exact_exponential", "float64", "true"),), "1 ms", SOME
    ),
    "off_grid": Place("numba", (GRID.format("1 ms", "off_grid", "float64", "true"),), "1 ms"),
    "off_grid_32": Place("numba", (GRID.format("1 ms", "off_grid", "float32", "true"),), "1 ms", SOME),
    "published": Place("numba", (GRID.format("1 ms", "published", "float64", "true"),), "1 ms", SOME),
    "published_32": Place("numba", (GRID.format("1 ms", "published", "float32", "true"),), "1 ms", SOME),
    "chip_published": Place("spinnaker2", (), "1 ms", (*SOME, "inhibition", "target_times")),
    "chip_exponential": Place("spinnaker2", ("backends.spinnaker2.scheme=exact_exponential",), "1 ms"),
    "chip_off_grid": Place("spinnaker2", ("backends.spinnaker2.scheme=off_grid",), "1 ms"),
    "chip_integers": Place(
        "spinnaker2",
        ("backends.spinnaker2.weights=integer", "backends.spinnaker2.rounding=stochastic"),
        "1 ms",
        SOME,
    ),
    "chip_copies": Place(
        "spinnaker2",
        ("backends.spinnaker2={scheme: off_grid, batch: 3, copies: 2, input_errors: true}",),
        "1 ms",
        SOME,
    ),
    "analog_ideal": Place("brainscales2", ("backends.brainscales2.profile=ideal",), "0 ms"),
    "analog": Place("brainscales2", ("backends.brainscales2={chip: 3}",), "0 ms"),
    "analog_quiet": Place(
        "brainscales2", ("backends.brainscales2={chip: 3, noise: false, adjoint: 'true'}",), "0 ms", SOME
    ),
    "analog_uncalibrated": Place(
        "brainscales2",
        ("backends.brainscales2={profile: uncalibrated, chip: 7, unmodelled: drop}",),
        "0 ms",
        SOME,
    ),
    "analog_host_delays": Place(
        "brainscales2",
        ("backends.brainscales2={chip: 2, delays: instance}",),
        "1 ms",
        ("layers", "deep", "whole_delays"),
    ),
    "trained_event": Place("numba", (), "0 ms", ("layers", "recurrent_maximum"), trained=True),
    "trained_chip_published": Place(
        "spinnaker2", ("training.on_device=true",), "1 ms", ("layers", "deep"), trained=True
    ),
    "trained_chip_off_grid": Place(
        "spinnaker2",
        ("training.on_device=true", "backends.spinnaker2={scheme: off_grid, copies: 2, batch: 3}"),
        "1 ms",
        ("layers", "recurrent"),
        trained=True,
    ),
    "trained_analog": Place(
        "brainscales2", ("backends.brainscales2={chip: 3}",), "0 ms", ("layers", "maximum"), trained=True
    ),
}


class Network(NamedTuple):
    """A network on a backend."""

    name: str
    text: str
    place: Place


def networks() -> Iterator[Network]:
    """Yield every network of the record."""
    for place_name, place in PLACES.items():
        for shape in place.shapes:
            yield Network(f"{place_name}.{shape}", HEAD.format(delay=place.delay) + SHAPES[shape], place)
