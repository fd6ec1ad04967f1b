"""Training in eventax: EventProp on differential equations solved from event to event, compiled by XLA."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import samples
from eventax.adjoint import EventPropAdjoint
from eventax.evnn import FFEvNN
from eventax.neuron_models import LIF
from protocol import Contestant, calibrate, serve

ROOM = 400
"""Events of a sample at most: input and spikes."""


def encode(data: samples.Samples) -> Any:
    """Return input spikes in seconds, padded at infinity, by sample and channel."""
    pairs = data.samples * data.size + data.channels
    counts = np.bincount(pairs, minlength=data.count * data.size)
    times = np.full((data.count * data.size, counts.max()), np.inf, dtype=np.float32)
    order = np.lexsort((data.times, pairs))
    ranks = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    times[pairs[order], ranks] = 1e-3 * data.times[order]
    return jnp.asarray(times.reshape(data.count, data.size, -1))


def build(settings: dict[str, Any]) -> FFEvNN:
    """Return a network whose weights are those of the other contestants."""
    inputs, hidden, outputs = (settings[name] for name in ("inputs", "hidden", "outputs"))
    weights = np.zeros((hidden + outputs + inputs, hidden + outputs), dtype=np.float32)
    weights[hidden + outputs :, :hidden] = samples.draw_weights(settings, inputs, hidden, "input")
    weights[:hidden, hidden:] = samples.draw_weights(settings, hidden, outputs, "output")
    return FFEvNN(
        [hidden, outputs],
        inputs,
        LIF,
        1e-3 * settings["duration"],
        key=jax.random.key(0),
        solver_stepsize=1e-3 * settings["step"],
        adjoint=EventPropAdjoint(),
        max_event_steps=ROOM,
        output_no_spike_value=jnp.inf,
        thresh=1.0,
        tsyn=1e-3 * settings["tau_syn"],
        tmem=1e-3 * settings["tau_mem"],
        init_weights=weights,
        init_bias=0.0,
    )


def tune(settings: dict[str, Any], network: FFEvNN, stimulus: Any) -> tuple[FFEvNN, dict[str, float]]:
    """Scale weights until the layers spike as often as wanted; return the network and spikes per sample."""
    hidden, outputs = settings["hidden"], settings["outputs"]
    weights = network.neuron_model.weights

    def scale(gains: Any) -> FFEvNN:
        scaled = weights.at[:hidden].multiply(gains[1]).at[hidden + outputs :].multiply(gains[0])
        return eqx.tree_at(lambda item: item.neuron_model.weights, network, scaled)

    @eqx.filter_jit
    def run(gains: Any) -> Any:
        times, neurons, _ = jax.vmap(scale(gains).record)(stimulus)
        spiked = jnp.isfinite(times)
        return (spiked & (neurons < hidden)).sum(), (spiked & (neurons >= hidden)).sum()

    gains, spikes = [1.0, 1.0], dict[str, float]()
    for place, (name, target) in enumerate(settings["targets"].items()):

        def count(gain: float, place: int = place) -> float:
            tried = [gain if other == place else gains[other] for other in range(2)]
            return float(run(jnp.asarray(tried))[place]) / len(stimulus)

        gains[place] = calibrate(count, target)
        spikes[name] = count(gains[place])
    return scale(jnp.asarray(gains)), spikes


def prepare(settings: dict[str, Any]) -> Contestant:
    """Build and tune the network, and compile a step."""
    data = samples.read(settings)
    stimulus = encode(data)
    network, spikes = tune(settings, build(settings), stimulus)
    duration, tau_syn = 1e-3 * settings["duration"], 1e-3 * settings["tau_syn"]
    where = eqx.tree_at(
        lambda item: item.neuron_model.weights, jax.tree_util.tree_map(lambda _: False, network), True
    )
    weights, rest = eqx.partition(network, where)
    optimizer = optax.adam(settings["rate"])

    def loss(weights: Any, events: Any, labels: Any) -> Any:
        whole = eqx.combine(weights, rest)
        times = jax.vmap(lambda item: whole.spikes_until_t(item, duration, ROOM)[:, 0])(events)
        logits = -jnp.minimum(times, duration) / tau_syn
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    batches = (stimulus.reshape(-1, data.batch, *stimulus.shape[1:]), jnp.asarray(data.targets()))
    state = (weights, optimizer.init(weights))

    @eqx.filter_jit
    def train(state: Any, batches: Any) -> Any:
        def step(state: Any, batch: Any) -> Any:
            weights, moments = state
            value, slope = eqx.filter_value_and_grad(loss)(weights, *batch)
            updates, moments = optimizer.update(slope, moments)
            return (eqx.apply_updates(weights, updates), moments), value

        return jax.lax.scan(step, state, batches)

    def run() -> None:
        nonlocal state
        state, losses = train(state, batches)
        losses.block_until_ready()

    text = f"eventax {version('eventax')}, jax {jax.__version__}"
    return Contestant(run, {"spikes": spikes, "precision": "float32", "version": text})


if __name__ == "__main__":
    serve(prepare)
