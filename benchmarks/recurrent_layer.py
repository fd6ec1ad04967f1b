"""Time of a recurrent layer, forward and adjoint, by rows of weights and by an event queue.

A population of LIF neurons receives random spikes on 700 channels, projects onto itself all to all with a
delay of 2 ms, and is read out by 10 integrators over 1.4 s. Both ways are exact in continuous time; they take
turns, and the page says how far their spikes and gradients differ. Prints a page and writes it to
``docs/benchmarks/recurrent_layer.md``; ``-o FILE`` writes it elsewhere.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from netdesc_numba import NumbaBackend

import netdesc
from netdesc.adjoint import arrangement
from netdesc.adjoint.wiring import NARROWEST
from netdesc.events import Events
from netdesc.gradient import Gradient
from netdesc.losses.evaluation import evaluate
from netdesc.program import Program
from netdesc.trace import Trace

ROOT = Path(__file__).resolve().parents[1]
CHANNELS, OUTPUTS, DURATION, DELAY = 700, 10, 1400.0, 2.0
CELL = {"tau_mem": "20 ms", "tau_syn": "10 ms"}


def describe(hidden: int) -> dict[str, Any]:
    """Return the model, whose recurrent weights keep their sum of squares whatever the size."""

    def weight(mu: float, sigma: float) -> dict[str, Any]:
        return {"init": {"normal": {"mu": mu, "sigma": sigma}}, "train": True}

    spread = float(0.5 / np.sqrt(hidden))
    return {
        "netdesc": 1,
        "name": "recurrent-layer",
        "simulation": {"duration": f"{DURATION} ms", "seed": 1},
        "populations": {
            "input": {"size": CHANNELS, "source": "dataset"},
            "hidden": {"size": hidden, "neuron": {"LIF": CELL}},
            "output": {"size": OUTPUTS, "neuron": {"LI": CELL}},
        },
        "projections": {
            "input_to_hidden": {"pre": "input", "post": "hidden", "weight": weight(0.012, 0.09)},
            "recurrent": {
                "pre": "hidden",
                "post": "hidden",
                "weight": weight(0.0, spread),
                "delay": f"{DELAY} ms",
            },
            "hidden_to_output": {"pre": "hidden", "post": "output", "weight": weight(0.0, 0.1)},
        },
        "losses": {"classification": {"max_voltage": {"population": "output"}}},
    }


def draw(batch: int, spikes: int) -> Events:
    """Return so many input spikes in each sample, on random channels within the first second."""
    random = np.random.default_rng(3)
    times = random.uniform(0.0, 1000.0, batch * spikes)
    return Events.from_arrays(
        times,
        random.integers(0, CHANNELS, batch * spikes),
        np.repeat(np.arange(batch), spikes),
        batch,
    )


def use_queue(program: Program) -> Program:
    """Return the program with a delay for every recurrent synapse, which does not run by rows."""
    return replace(
        program,
        blocks=tuple(
            replace(block, delays=np.full(block.size, DELAY)) if block.pre == block.post else block
            for block in program.blocks
        ),
    )


@dataclass(slots=True)
class Way:
    """A program, whether it runs on the event queue, and seconds per sample of every run."""

    program: Program
    queue: bool = False
    forward: list[float] = field(default_factory=list)
    adjoint: list[float] = field(default_factory=list)

    def run(self, losses: Any, stimulus: Events, labels: Any) -> tuple[Trace, Gradient]:
        """Run forward and back, after a run of one sample that is not timed."""
        # with no window long enough a queue takes its place
        arrangement.NARROWEST = np.inf if self.queue else NARROWEST
        machine = NumbaBackend({}).load(self.program, seed=0)
        for events, goals, timed in ((stimulus.head(1), labels[:1], False), (stimulus, labels, True)):
            begin = perf_counter()
            trace = machine.forward(events, seed=0)
            forward = perf_counter() - begin
            cotangent = evaluate(losses, trace, self.program, goals).cotangent
            begin = perf_counter()
            gradient = machine.adjoint(trace, cotangent)
            if timed:
                self.forward.append(forward / events.batch)
                self.adjoint.append((perf_counter() - begin) / events.batch)
        return trace, gradient


def largest_difference(one: Any, other: Any) -> float:
    """Return the largest difference relative to the largest value."""
    return float(np.max(np.abs(one - other), initial=0.0) / max(np.max(np.abs(other), initial=0.0), 1e-300))


def compare(hidden: int, batch: int, spikes: int, rounds: int) -> str:
    """Measure a size and return a line of the table."""
    model = netdesc.load(describe(hidden))
    losses, stimulus = model.description.losses, draw(batch, spikes)
    labels = np.arange(batch) % OUTPUTS
    program = netdesc.compile(model, "numba").program
    rows, queue = Way(program), Way(use_queue(program), queue=True)
    for _ in range(rounds):
        (trace, gradient), (expected, wanted) = (way.run(losses, stimulus, labels) for way in (rows, queue))
    found, reference = trace.spikes["hidden"], expected.spikes["hidden"]
    if found.sources.tolist() != reference.sources.tolist():
        raise SystemExit(f"{hidden} neurons: the two ways have different spikes")
    times = float(np.max(np.abs(found.times - reference.times), initial=0.0))
    slopes = max(
        largest_difference(values.reshape(-1), wanted.parameters[key].reshape(-1))
        for key, values in gradient.parameters.items()
    )
    one, other = median(rows.forward) + median(rows.adjoint), median(queue.forward) + median(queue.adjoint)
    return (
        f"| {hidden} | {len(found) / batch / hidden:.1f} | {1e3 * median(rows.forward):.2f} + "
        f"{1e3 * median(rows.adjoint):.2f} | {1e3 * median(queue.forward):.0f} + "
        f"{1e3 * median(queue.adjoint):.0f} | **{other / one:.0f}** | {times:.0e} | {slopes:.0e} |"
    )


def write_report(lines: Sequence[str], batch: int, spikes: int) -> str:
    """Write the page."""
    return "\n".join(
        [
            "# Time of a recurrent layer",
            "",
            f"`python benchmarks/recurrent_layer.py`, on {platform.machine()}, one thread: {CHANNELS} "
            f"channels with {spikes} spikes a sample, hidden neurons that project onto themselves all to all "
            f"with {DELAY:g} ms, {OUTPUTS} read-outs, {DURATION / 1000:g} s; forward and adjoint run of "
            f"{batch} samples, milliseconds a sample. Both ways are exact and take turns; times are medians.",
            "",
            "| hidden neurons | spikes of each | by rows / ms | by an event queue / ms | ratio | "
            "largest difference of spike times / ms | of gradients, relative |",
            "|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 256, 512])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--spikes", type=int, default=7000, help="of the input, in a sample")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "docs" / "benchmarks" / "recurrent_layer.md"
    )
    arguments = parser.parse_args()
    lines = [
        compare(hidden, arguments.batch, arguments.spikes, arguments.rounds) for hidden in arguments.hidden
    ]
    report = write_report(lines, arguments.batch, arguments.spikes)
    print(report)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
