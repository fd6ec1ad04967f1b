"""Training in spyx: surrogate gradients on a grid, compiled by XLA.

The whole pass over the samples is one compiled call that scans the batches, as ``spyx.optimize.compile_fit``
does it. ``sequential`` scans the steps through all layers at once, as the tutorials do; ``layers`` takes the
product with the weights for all steps at once and scans every layer of neurons by itself.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import samples
import spyx
from flax import nnx
from protocol import Contestant, calibrate, serve

TRAINED = ("kernel", "recurrent_w")


def is_trained(path: Any, _: Any) -> bool:
    """Return whether a parameter is a weight; time constants are not trained."""
    return path[-1] in TRAINED


def build(settings: dict[str, Any], step: float) -> list[Any]:
    """Return the layers, with weights in units of what one step adds to the membrane."""
    inputs, hidden, outputs = settings["inputs"], settings["hidden"], settings["outputs"]
    rngs = nnx.Rngs(0)
    alpha, beta = (float(np.exp(-step / settings[name])) for name in ("tau_syn", "tau_mem"))
    neuron = spyx.nn.RCuBaLIF if settings["recurrent"] else spyx.nn.CuBaLIF
    first = nnx.Linear(inputs, hidden, use_bias=False, rngs=rngs)
    second = nnx.Linear(hidden, outputs, use_bias=False, rngs=rngs)
    cells = neuron((hidden,), alpha, beta, rngs=rngs)
    if settings["spiking_output"]:
        readout = spyx.nn.CuBaLIF((outputs,), alpha, beta, rngs=rngs)
    else:
        readout = spyx.nn.LI((outputs,), beta, rngs=rngs)
    scale = step / settings["tau_mem"]
    first.kernel[...] = scale * samples.draw_weights(settings, inputs, hidden, "input")
    second.kernel[...] = scale * samples.draw_weights(settings, hidden, outputs, "output")
    if settings["recurrent"]:
        cells.recurrent_w[...] = scale * samples.draw_weights(settings, hidden, hidden, "recurrent")
    return [first, cells, second, readout]


def run_layers(layers: list[Any], x: Any) -> tuple[Any, Any]:
    """Return spikes of the hidden layer and traces of the output, each layer run over all steps."""
    spikes, _ = spyx.nn.run(layers[1], layers[0](x))
    traces, _ = spyx.nn.run(layers[3], layers[2](spikes))
    return spikes, traces


def tune(layers: list[Any], settings: dict[str, Any], x: Any) -> dict[str, float]:
    """Scale weights until the layers spike as often as wanted, and return spikes per sample."""
    graph, state = nnx.split(layers)

    @jax.jit
    def count(state: Any, gains: Any) -> Any:
        first, cells, second, readout = nnx.merge(graph, state)
        spikes, _ = spyx.nn.run(cells, gains[0] * first(x))
        traces, _ = spyx.nn.run(readout, gains[1] * second(spikes))
        return spikes.sum() / x.shape[1], traces.sum() / x.shape[1]

    target = settings["targets"]
    gain = calibrate(lambda value: float(count(state, (value, 1.0))[0]), target["hidden"])
    other = 1.0
    if settings["spiking_output"]:
        other = calibrate(lambda value: float(count(state, (gain, value))[1]), target["output"])
    hidden, output = (float(value) for value in count(state, (gain, other)))
    layers[0].kernel[...] *= gain
    layers[2].kernel[...] *= other
    return {"hidden": hidden, "output": output} if settings["spiking_output"] else {"hidden": hidden}


def prepare(settings: dict[str, Any]) -> Contestant:
    """Build and tune the network, and compile a pass over all samples."""
    step, data = float(settings["step"]), samples.read(settings)
    layers = build(settings, step)
    x, labels = jnp.asarray(data.bins(step)), jnp.asarray(data.targets())
    whole = jnp.moveaxis(x[: max(1, min(len(x), 150 // data.batch))], 0, 1)
    spikes = tune(layers, settings, whole.reshape(len(x[0]), -1, data.size))
    entropy = spyx.fn.integral_crossentropy(smoothing=0.0, time_axis=0)
    sequential = settings["variant"] == "sequential"
    model = spyx.nn.Sequential(*layers) if sequential else layers

    graph, weights, rest = nnx.split(model, is_trained, ...)

    def loss(weights: Any, batch: Any) -> Any:
        events, goals = batch
        network = nnx.merge(graph, weights, rest)
        traces = spyx.nn.run(network, events)[0] if sequential else run_layers(network, events)[1]
        return entropy(traces / (1.0 if settings["spiking_output"] else traces.shape[0]), goals)

    solver = spyx.optimize.backprop(optax.adam(settings["rate"]))(loss, weights)
    state = solver.init(jax.random.key(0))

    @jax.jit
    def train(state: Any, x: Any, labels: Any) -> Any:
        return jax.lax.scan(lambda state, batch: solver.step(state, batch, None), state, (x, labels))

    def run() -> None:
        nonlocal state
        state, losses = train(state, x, labels)
        losses.block_until_ready()

    facts = {
        "spikes": spikes,
        "precision": "float32",
        "version": f"spyx {spyx.__version__}, jax {jax.__version__}",
    }
    return Contestant(run, facts)


if __name__ == "__main__":
    serve(prepare)
