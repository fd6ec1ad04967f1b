"""Training in jaxsnn: EventProp in continuous time, as many events for every sample, compiled by XLA.

Its closed form needs a membrane time constant of twice the synaptic one; the network has such constants.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import samples
from jaxsnn.event.loss import mse_loss
from jaxsnn.event.modules import LIF, Linear, Source
from jaxsnn.event.modules.lif.lif import LIFParameters
from jaxsnn.event.topology import Topology
from jaxsnn.event.training import update
from jaxsnn.event.types import OptState, Spike
from jaxsnn.examples.event.utils import loss_wrapper
from protocol import Contestant, calibrate, serve

CORRECT, WRONG = 0.8, 1.2
"""Times at which outputs should spike first, in synaptic time constants."""


def encode(data: samples.Samples) -> Spike:
    """Return input spikes in seconds, padded at infinity, of shape (samples, events)."""
    most = int(np.bincount(data.samples, minlength=data.count).max())
    times, channels = np.full((data.count, most), np.inf), np.full((data.count, most), -1)
    for sample in range(data.count):
        chosen = np.flatnonzero(data.samples == sample)
        order = chosen[np.argsort(data.times[chosen], kind="stable")]
        times[sample, : len(order)] = 1e-3 * data.times[order]
        channels[sample, : len(order)] = data.channels[order]
    return Spike(
        time=jnp.asarray(times, dtype=jnp.float32),
        idx=jnp.asarray(channels),
        current=jnp.zeros(times.shape, dtype=jnp.float32),
        layer_idx=jnp.zeros(times.shape, dtype=int),
        internal=jnp.asarray(channels >= 0),
    )


def build(settings: dict[str, Any], events: tuple[int, int]) -> tuple[Any, Any, LIFParameters]:
    """Return weights, the function that runs a batch, and the parameters of a cell."""
    tau_syn = 1e-3 * settings["tau_syn"]
    cell = LIFParameters(tau_syn=tau_syn, tau_mem=2.0 * tau_syn, v_th=1.0, v_reset=0.0)
    builder = Topology(t_max=1e-3 * settings["duration"], backprop_method="eventprop")
    sizes = [settings[name] for name in ("inputs", "hidden", "outputs")]
    first = samples.draw_weights(settings, sizes[0], sizes[1], "input")
    second = samples.draw_weights(settings, sizes[1], sizes[2], "output")
    builder.add(
        {
            "input": Source(sizes[0]),
            "hidden": LIF(sizes[1], events[0], cell),
            "output": LIF(sizes[2], events[1], cell),
            "first": Linear(pre_weights=first),
            "second": Linear(pre_weights=second),
        }
    )
    builder.connect([("input", "first"), ("first", "hidden"), ("hidden", "second"), ("second", "output")])
    initialize, apply = builder.done()
    return initialize(jax.random.key(0)), apply, cell


def tune(
    settings: dict[str, Any], stimulus: Spike, events: tuple[int, int]
) -> tuple[Any, dict[str, float], tuple[int, int]]:
    """Scale weights until the layers spike as often as wanted; return them, spikes and events."""
    weights, apply, _ = build(settings, events)

    def scale(gains: Any) -> Any:
        return {**weights, "first": gains[0] * weights["first"], "second": gains[1] * weights["second"]}

    @jax.jit
    def run(gains: Any) -> Any:
        result = apply({"input": stimulus}, scale(gains))
        spikes = [
            (result[name].internal & (result[name].idx >= 0)).sum(axis=1) for name in ("hidden", "output")
        ]
        taken = [(result[name].idx >= 0).sum(axis=1).max() for name in ("hidden", "output")]
        return [item.mean() for item in spikes], taken

    gains, spikes = [1.0, 1.0], dict[str, float]()
    for place, (name, target) in enumerate(settings["targets"].items()):

        def count(gain: float, place: int = place) -> float:
            return float(run([gain if other == place else gains[other] for other in range(2)])[0][place])

        gains[place] = calibrate(count, target)
        spikes[name] = count(gains[place])
    hidden, output = run(gains)[1]
    return scale(gains), spikes, (int(hidden) + 1, int(output) + 1)


def prepare(settings: dict[str, Any]) -> Contestant:
    """Build and tune the network, and compile a step."""
    data = samples.read(settings)
    stimulus, tau_syn = encode(data), 1e-3 * settings["tau_syn"]
    room = settings["inputs"] + 4 * round(settings["targets"]["hidden"])
    weights, spikes, events = tune(
        settings, stimulus, (room, room + 4 * round(settings["targets"]["output"]))
    )
    _, apply, cell = build(settings, events)
    loss = partial(loss_wrapper, apply, mse_loss, cell.tau_mem, "output", settings["outputs"])
    optimizer = optax.adam(settings["rate"])
    right = data.labels[:, None] == np.arange(settings["outputs"])
    goals = jnp.asarray(np.where(right, CORRECT, WRONG) * tau_syn, dtype=jnp.float32)

    def split(values: Any) -> Any:
        return jax.tree_util.tree_map(lambda leaf: leaf.reshape(-1, data.batch, *leaf.shape[1:]), values)

    batches = ({"input": split(stimulus)}, split(goals))
    state = OptState(optimizer.init(weights), weights, jax.random.key(0))

    @jax.jit
    def train(state: OptState, batches: Any) -> Any:
        def step(state: OptState, batch: Any) -> Any:
            state, (value, _) = update(optimizer, loss, state, batch)
            return state, value[0]

        return jax.lax.scan(step, state, batches)

    def run() -> None:
        nonlocal state
        state, losses = train(state, batches)
        losses.block_until_ready()

    text = f"jaxsnn {version('jaxsnn')}, jax {jax.__version__}"
    return Contestant(run, {"spikes": spikes, "precision": "float32", "version": text})


if __name__ == "__main__":
    serve(prepare)
