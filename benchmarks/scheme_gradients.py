"""Gradients of the schemes of the grid against the event-driven gradient.

A 5-60-3 network like that of the Yin-Yang task (tau_m 20 ms, tau_s 5 ms, inputs on whole milliseconds, cross
entropy of first spikes), 100 random samples. The event-driven network has the delay of one tick on every
synapse. The cosine is taken per sample and projection; a sample whose exact gradient vanishes, because no
output neuron that counts has spiked, is left out; one whose gradient vanishes on the grid alone counts as 0.

Every scheme runs on the numba backend's grid and on the emulated SpiNNaker2, packet by packet, with the
hidden layer in two slices. Prints a Markdown table and writes it to ``docs/benchmarks/scheme_gradients.md``.

    python benchmarks/scheme_gradients.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from netdesc_numba import NumbaBackend
from netdesc_spinnaker2 import SpiNNaker2Backend

from netdesc.backend import Backend
from netdesc.block import Block
from netdesc.events import Events, Floats
from netdesc.program import PopulationSlice, Program, Stage
from netdesc.streams import stream
from netdesc.trace import Cotangent, Trace

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks" / "scheme_gradients.md"
SIZES = {"input": 5, "hidden": 60, "output": 3}
SAMPLES = 100
DURATION = 40.0
TIMESTEPS = (1.0, 0.5, 0.2, 0.1)
SCHEMES = ("published", "exact_exponential", "off_grid")
TAU_0, TAU_1, ALPHA = 1.5, 100.0, 0.01
PROJECTIONS = ("input_to_hidden", "hidden_to_output")


def make_program(delay: float) -> Program:
    """Return the network, with the initial weights of the published Yin-Yang settings."""
    starts = np.cumsum([0, *SIZES.values()])
    populations = tuple(
        PopulationSlice(
            name,
            int(start),
            int(start) + size,
            "source" if name == "input" else "spiking",
            "spike_times" if name == "input" else "LIF",
            () if name == "input" else ("signed",),
            False,
            (size,),
            {},
        )
        for (name, size), start in zip(SIZES.items(), starts, strict=False)
    )

    def constant(value: float) -> Floats:
        values = np.full(sum(SIZES.values()), value)
        values[: SIZES["input"]] = np.nan
        return values

    levels = {"rest": 0.0, "reset": 0.0, "v_init": 0.0, "threshold": 1.0, "tau_ref": 0.0}
    parameters = {key: constant(value) for key, value in levels.items()}
    parameters |= {"tau_m": constant(20.0), "tau_s": constant(5.0)[:, None], "i_init": constant(0.0)[:, None]}
    moments = {
        "input_to_hidden": (3.2 / 5**0.5, 3.2 / 5**0.5),
        "hidden_to_output": (5.2 / 60**0.5, 2.8 / 60**0.5),
    }
    blocks = []
    for k, name in enumerate(PROJECTIONS):
        pre, post = populations[k], populations[k + 1]
        weights = stream(1, name).normal(*moments[name], pre.size * post.size)
        blocks.append(
            Block(
                name,
                f"projections.{name}",
                k,
                k + 1,
                pre.size,
                post.size,
                0,
                np.ones(post.size),
                None,
                None,
                weights,
                np.array([delay]),
                True,
            )
        )
    return Program(
        "yin-yang-like",
        DURATION,
        1,
        populations,
        tuple(blocks),
        parameters,
        (Stage((1,), False), Stage((2,), False)),
    )


def make_samples() -> list[Events]:
    """Return one stimulus per sample: two coordinates, their mirror images, and a bias at 0 ms."""
    points = stream(2, "points").random((SAMPLES, 2))
    result = []
    for x, y in points:
        times = np.round(2.0 + 24.0 * (1.0 - np.array([x, y, 1.0 - x, 1.0 - y])))
        result.append(Events.from_lists([[[float(t)] for t in times] + [[0.0]]]))
    return result


def pull_first_spikes(trace: Trace, label: int) -> Cotangent:
    """Return dL/dt of the cross entropy of the first spikes; a silent neuron counts as infinitely late."""
    spikes = trace.spikes["output"]
    first = spikes.first_spikes(SIZES["output"])[0]
    force = np.zeros(len(spikes))
    if np.isfinite(first[label]):
        odds = np.exp(-(first - first.min()) / TAU_0)
        pull = -odds / odds.sum() / TAU_0
        pull[label] += 1.0 / TAU_0 + ALPHA / TAU_1 * np.exp(first[label] / TAU_1)
        for neuron in np.flatnonzero(np.isfinite(first)):
            force[np.flatnonzero(spikes.sources == neuron)[0]] = pull[neuron]
    return Cotangent({"output": force})


def differentiate(backend: Backend, program: Program, samples: list[Events]) -> list[dict[str, Floats]]:
    """Return the gradient of every sample."""
    machine = backend.load(program, seed=0)
    result = []
    for number, sample in enumerate(samples):
        trace = machine.forward(sample, seed=0)
        gradient = machine.adjoint(trace, pull_first_spikes(trace, number % SIZES["output"]))
        result.append({name: gradient.parameters[f"{name}.weight"] for name in PROJECTIONS})
    return result


def make_backends(scheme: str, step: float) -> tuple[Backend, ...]:
    """Return the grid of the processor and the emulated chip with one scheme and tick."""
    solver = {"grid": {"timestep": step, "scheme": scheme, "precision": "float32", "transport": True}}
    return (
        NumbaBackend({"threads": 1, "solver": solver}),
        SpiNNaker2Backend({"scheme": scheme, "tick": step, "slices": {"hidden": 30}}),
    )


def cosines(name: str, exact: list[dict[str, Floats]], found: list[dict[str, Floats]]) -> Floats:
    """Return the cosines of one projection, of all samples whose exact gradient does not vanish."""
    result = []
    for one, other in zip(exact, found, strict=True):
        a, b = one[name], other[name]
        if a.any():
            result.append(float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b)) if b.any() else 0.0)
    return np.array(result)


def main() -> None:
    """Compute the table, print it and write it."""
    samples = make_samples()
    lines = [
        "| backend | scheme | tick (ms) | projection | median cosine | lowest decile | n |",
        "|---|---|---|---|---|---|---|",
    ]
    exact = {
        step: differentiate(NumbaBackend({"threads": 1}), make_program(step), samples) for step in TIMESTEPS
    }
    for scheme in SCHEMES:
        for step in TIMESTEPS:
            for backend in make_backends(scheme, step):
                found = differentiate(backend, make_program(step), samples)
                for name in PROJECTIONS:
                    values = cosines(name, exact[step], found)
                    lines.append(
                        f"| {backend.name} | {scheme} | {step:g} | {name} | {np.median(values):.6f} | "
                        f"{np.quantile(values, 0.1):.4f} | {len(values)} |"
                    )
    table = "\n".join(lines)
    print(table)
    head = "# Gradients of the schemes of the grid\n\nWritten by `benchmarks/scheme_gradients.py`.\n\n"
    body = " ".join((__doc__ or "").split("\n\n")[1].split())
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(f"{head}{body} State in float32.\n\n{table}\n")


if __name__ == "__main__":
    main()
