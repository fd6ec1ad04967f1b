"""Speed of the emulated BrainScaleS-2.

First: forward and adjoint run of Yin-Yang (5-120-3) on the emulated chip, calibrated and with noise, against
the event-driven solver of the numba backend, batch by batch in turn, as processor time on one thread; ratios
are medians. Then: 256-246-10 neurons, every membrane sampled, learned by a surrogate gradient, with as many
input spikes as images of MNIST have there. Prints a page and writes it to
``docs/benchmarks/brainscales2_speed.md``; ``-o FILE`` writes it elsewhere.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import numpy as np

import netdesc
from netdesc.backend import Machine
from netdesc.events import Events, Floats
from netdesc.losses.evaluation import evaluate
from netdesc.trace import Cotangent
from netdesc.training.preparation import load_machine

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "benchmarks" / "brainscales2_mnist.yaml"
PAGE = ROOT / "docs" / "benchmarks" / "brainscales2_speed.md"
ACTIVE, LAST = 0.175, 15.0
"""Share of pixels with a spike, and its latest time in ms."""
TRAINING_IMAGES = 60_000
YIN_YANG = """
netdesc: 1
name: yin-yang
simulation: {{duration: 40 ms, seed: 1}}
data:
  dataset: {{yin_yang: {{train: {samples}, validation: 0, test: 0}}}}
  encoder: {{latency: {{t_early: 2 ms, t_late: 26 ms, bias: 2 ms}}}}
neurons:
  lif: {{LIF: {{tau_mem: 12 ms, tau_syn: 6 ms}}}}
populations:
  input:  {{size: 5, source: dataset}}
  hidden: {{size: {hidden}, neuron: lif}}
  output: {{size: 3, neuron: lif}}
projections:
  input_to_hidden:
    {{pre: input, post: hidden, connector: all_to_all,
     weight: {{init: {{normal: {{mu: 1.2, sigma: 0.8}}}}, train: true}}}}
  hidden_to_output:
    {{pre: hidden, post: output, connector: all_to_all,
     weight: {{init: {{normal: {{mu: 0.3, sigma: 0.3}}}}, train: true}}}}
backends:
  brainscales2: {{profile: calibrated, chip: 3}}
  numba: {{threads: 1}}
"""
HEAD = """# Speed of the emulated BrainScaleS-2

`python benchmarks/{script}`, on {machine}, processor time of one thread, medians.
"""


@dataclass(slots=True)
class Timed:
    """A machine, and its microseconds per sample, run by run."""

    machine: Machine
    forward: list[float] = field(default_factory=list)
    adjoint: list[float] = field(default_factory=list)

    def step(self, stimulus: Events, seed: int) -> float:
        """Run forward and back, and return hidden spikes per sample."""
        begin = process_time()
        trace = self.machine.forward(stimulus, seed=seed)
        self.forward.append((process_time() - begin) / stimulus.batch * 1e6)
        count = len(trace.spikes["output"])
        cotangent = Cotangent({"output": np.random.default_rng(seed).normal(size=count)})
        begin = process_time()
        self.machine.adjoint(trace, cotangent)
        self.adjoint.append((process_time() - begin) / stimulus.batch * 1e6)
        return len(trace.spikes["hidden"]) / stimulus.batch


def use_one_thread(machine: Machine) -> Machine:
    """Keep a machine of the emulated chip, and its host, to one thread."""
    machine.threads = machine.host.threads = 1  # type: ignore[attr-defined]
    return machine


def draw(rng: np.random.Generator, batch: int) -> Events:
    """Draw inputs as the encoder makes them of points: four coordinates and a bias."""
    times = np.column_stack([rng.uniform(2.0, 26.0, (batch, 4)), np.full(batch, 2.0)]).ravel()
    return Events.from_arrays(times, np.tile(np.arange(5), batch), np.repeat(np.arange(batch), 5), batch)


def draw_images(rng: np.random.Generator, batch: int, pixels: int) -> Events:
    """Draw inputs with as many spikes as images have."""
    samples, sources = np.nonzero(rng.random((batch, pixels)) < ACTIVE)
    return Events.from_arrays(rng.uniform(0.0, LAST, len(samples)), sources, samples, batch)


def settled(times: list[float]) -> Floats:
    """Return times without those of the first quarter, in which code is loaded."""
    return np.array(times[len(times) // 4 :])


def compare(rounds: int, batch: int, hidden: int) -> list[str]:
    """Run Yin-Yang on both machines in turn, and return a table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "yin_yang.yaml"
        file.write_text(YIN_YANG.format(samples=batch, hidden=hidden), encoding="utf-8")
        model = netdesc.load(file)
        chip, numba = (
            Timed(load_machine(netdesc.compile(model, name)).inner) for name in ("brainscales2", "numba")
        )
    use_one_thread(chip.machine)
    rng = np.random.default_rng(1)
    spikes = []
    for seed in range(rounds):
        stimulus = draw(rng, batch)
        spikes.append([timed.step(stimulus, seed) for timed in (chip, numba)])
    pairs = {
        "forward": (settled(chip.forward), settled(numba.forward)),
        "adjoint": (settled(chip.adjoint), settled(numba.adjoint)),
    }
    pairs["both"] = tuple(a + b for a, b in zip(*pairs.values(), strict=True))
    rows = [
        f"| {name} | {np.median(mine) / np.median(theirs):.2f} | {np.median(mine):.1f} | "
        f"{np.median(theirs):.1f} |"
        for name, (mine, theirs) in pairs.items()
    ]
    mean = np.mean(spikes, axis=0)
    return [
        "",
        f"Yin-Yang, 5-{hidden}-3, batch {batch}: {mean[0]:.0f} spikes of hidden neurons per sample "
        f"on the chip, {mean[1]:.0f} in the solver.",
        "",
        "| run | ratio | emulated chip / us per sample | numba, event-driven / us per sample |",
        "|---|---|---|---|",
        *rows,
    ]


def measure_images(rounds: int, batch: int) -> list[str]:
    """Run 256-246-10 neurons on the emulated chip, and return a table."""
    model = netdesc.load(IMAGES)
    machine = use_one_thread(load_machine(netdesc.compile(model, "brainscales2")).inner)
    rng = np.random.default_rng(2)
    forward, adjoint, spikes = [], [], []
    for seed in range(rounds):
        stimulus = draw_images(rng, batch, 256)
        begin = process_time()
        trace = machine.forward(stimulus, seed=seed)
        forward.append((process_time() - begin) / batch * 1e3)
        labels = rng.integers(0, 10, batch)
        evaluation = evaluate(model.description.losses, trace, machine.program, labels)
        begin = process_time()
        machine.adjoint(trace, evaluation.cotangent)
        adjoint.append((process_time() - begin) / batch * 1e3)
        spikes.append([len(stimulus) / batch, len(trace.spikes["hidden"]) / batch])
    mean = np.mean(spikes, axis=0)
    run, back = float(np.median(settled(forward))), float(np.median(settled(adjoint)))
    return [
        "",
        f"256-246-10, batch {batch}, CADC samples of all membranes every 1.7 us of the chip, "
        f"surrogate gradient; {mean[0]:.0f} input and {mean[1]:.0f} hidden spikes per image.",
        "",
        "| | time |",
        "|---|---|",
        f"| forward with CADC | {run:.3f} ms per image |",
        f"| adjoint | {back:.3f} ms per image |",
        f"| {TRAINING_IMAGES:,} images forward and back, one thread | "
        f"{TRAINING_IMAGES * (run + back) / 1e3:.0f} s |",
    ]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--batch", type=int, default=120)
    parser.add_argument("--hidden", type=int, default=120)
    parser.add_argument("--image-rounds", type=int, default=12)
    parser.add_argument("--images", type=int, default=100, help="per batch")
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    page = "\n".join(
        [
            HEAD.format(script=Path(__file__).name, machine=platform.machine()).rstrip("\n"),
            *compare(arguments.rounds, arguments.batch, arguments.hidden),
            *measure_images(arguments.image_rounds, arguments.images),
        ]
    )
    print(page)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(page + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
