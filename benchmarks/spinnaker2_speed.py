"""Speed of the emulated SpiNNaker2.

First: learning Yin-Yang on the emulated chip (5-120-3, batch 22 in parallel copies, 27 ticks) against the
numba backend's grid of the same scheme, as time per sample of a whole step (forward run, loss, adjoint run,
update), on one thread, step by step in turn. Then: a network of 10,000 neurons and 10 million synapses on 48
chips is compiled and runs for 1 s of model time, in a process of its own. Prints a page and writes it to
``docs/benchmarks/spinnaker2_speed.md``; ``-o FILE`` writes it elsewhere.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np

import netdesc
from netdesc.events import Events, Integers
from netdesc.training.device import give_state, put_on_device
from netdesc.training.loop import shuffle, train_batch
from netdesc.training.preparation import build_task, load_machine, require_training
from netdesc.training.tally import Tally
from netdesc.training.task import State, Task, start

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "benchmarks" / "spinnaker2_yin_yang.yaml"
PAGE = ROOT / "docs" / "benchmarks" / "spinnaker2_speed.md"
SCHEMES = ("published", "exact_exponential", "off_grid")
BATCH = 22
HEAD = """# Speed of the emulated SpiNNaker2

`python benchmarks/{script}`, on {machine}, one thread. Steps of learning on the chip and on the grid in turn;
times are medians.
"""
SMALL_COLUMNS = (
    "scheme",
    "on the chip / us per sample",
    "numba grid / us per sample",
    "median ratio",
    "ratio of the sums",
)
LARGE_COLUMNS = (
    "scheme",
    "neurons",
    "synapses",
    "compile / s",
    "load / s",
    "memory until then / GiB",
    "first run / s",
    "second run / s",
    "its processor time / s",
    "rate / Hz",
    "spikes delivered to synapses",
)
LARGE = """
netdesc: 1
name: large
simulation: {{duration: {duration} ms, seed: 1}}
neurons:
  cell: {{LIF: {{tau_mem: 20 ms, tau_syn: 5 ms, tau_refrac: {refractory} ms}}}}
populations:
  noise: {{size: {inputs}, source: {{poisson: {{rate: 20 Hz}}}}}}
  excitatory: {{size: {excitatory}, neuron: cell}}
  inhibitory: {{size: {inhibitory}, neuron: cell}}
projections:
  drive:
    {{pre: noise, post: [excitatory, inhibitory], connector: {{fixed_probability: {{p: 0.1}}}},
     receptor: excitatory, weight: {drive}, delay: 1 ms}}
  exc:
    {{pre: excitatory, post: [excitatory, inhibitory], connector: {{fixed_probability: {{p: 0.1}}}},
     receptor: excitatory, weight: {weight}, delay: {{uniform: {{low: 1 ms, high: 8 ms}}}}}}
  inh:
    {{pre: inhibitory, post: [excitatory, inhibitory], connector: {{fixed_probability: {{p: 0.1}}}},
     receptor: inhibitory, weight: {inhibition}, delay: {{uniform: {{low: 1 ms, high: 8 ms}}}}}}
backends:
  spinnaker2: {{scheme: {scheme}, rates: {{excitatory: 30 Hz, inhibitory: 30 Hz, noise: 30 Hz}}}}
"""
"""A balanced network: every neuron gets a tenth of all others, inhibition five times as strong.

It spikes at about 12 Hz; the map has room for bursts of 30 Hz. ``published`` knows no refractory period.
"""


@dataclass(slots=True)
class Learning:
    """A training under way on one backend, and its microseconds per sample, step by step."""

    task: Task
    state: State
    tally: Tally
    batches: list[tuple[Events, Integers | None]]
    times: list[float] = field(default_factory=list)

    @classmethod
    def prepare(cls, backend: str, scheme: str, steps: int) -> Learning:
        """Load Yin-Yang on a backend."""
        on_device = backend == "spinnaker2"
        model = netdesc.load(
            MODEL,
            {
                "data.dataset.yin_yang.train": BATCH * steps,
                "data.dataset.yin_yang.validation": 0,
                "data.dataset.yin_yang.test": 0,
                "training.on_device": on_device,
                "training.batch_size": BATCH,
                "backends.spinnaker2.scheme": scheme,
                "backends.numba.threads": 1,
                "backends.numba.solver.grid.timestep": "1 ms",
                "backends.numba.solver.grid.scheme": scheme,
                "losses.class.time_to_first_spike.pull": 0,
            },
        )
        training = require_training(model.description, backend)
        task = build_task(load_machine(netdesc.compile(model, backend)), model.description, training)
        task = put_on_device(task, backend=backend)
        state, feed = start(task), task.feeds["train"]
        if task.device is None:
            task.machine.write(task.flat.split(state.values))
        else:
            give_state(task.device, task.flat, state)
        batches = list(feed.batches(shuffle(task, 0, len(feed)), BATCH, round_number=0))
        return cls(task, state, Tally(task.program), batches)

    def step(self, number: int) -> None:
        """Learn from one batch."""
        stimulus, goals = self.batches[number]
        begin = process_time()
        self.state, _ = train_batch(self.task, self.state, stimulus, goals=goals, tally=self.tally)
        self.times.append((process_time() - begin) / BATCH * 1e6)


def compare(scheme: str, steps: int) -> str:
    """Learn on chip and on the grid in turn, and return a line of the table."""
    both = [Learning.prepare(name, scheme, steps) for name in ("spinnaker2", "numba")]
    for number in range(steps):
        for learning in both:
            learning.step(number)
    warm = steps // 5
    chip, grid = (np.array(learning.times[warm:]) for learning in both)
    return (
        f"| {scheme} | {np.median(chip):.0f} | {np.median(grid):.0f} | {median(chip / grid):.2f} | "
        f"{chip.sum() / grid.sum():.2f} |"
    )


def run_large(neurons: int, duration: float, scheme: str) -> dict[str, float]:
    """Compile the large network and run it, in this process."""
    scale = 10_000 / neurons
    text = LARGE.format(
        duration=f"{duration:g}",
        inputs=neurons // 10,
        excitatory=neurons * 4 // 5,
        inhibitory=neurons // 5,
        scheme=scheme,
        refractory=0 if scheme == "published" else 2,
        drive=0.11 * scale,
        weight=0.01 * scale,
        inhibition=0.05 * scale,
    )
    begin = perf_counter()
    compiled = netdesc.compile(load(text), "spinnaker2")
    compiled_in = perf_counter() - begin
    _ = compiled.machine
    loaded_in = perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begin = perf_counter()
    trace = compiled.forward()
    ran_in = perf_counter() - begin
    begin, used = perf_counter(), process_time()
    compiled.forward()
    again, used = perf_counter() - begin, process_time() - used
    spikes = {name: len(events) for name, events in trace.spikes.items()}
    return {
        "neurons": sum(p.size for p in compiled.program.populations if p.kind == "spiking"),
        "synapses": sum(block.size for block in compiled.program.blocks),
        "compile": compiled_in,
        "load": loaded_in - compiled_in,
        "memory": memory,
        "run": ran_in,
        "again": again,
        "used": used,
        "spikes": sum(spikes.values()),
        "rate": 1e3 * (spikes["excitatory"] + spikes["inhibitory"]) / neurons / duration,
        "arrivals": trace.health["arrivals"],
        "memory_after": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def load(text: str) -> netdesc.Model:
    """Load a model from text, through a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.yaml"
        file.write_text(text, encoding="utf-8")
        return netdesc.load(file)


def write_large(found: dict[str, float], scheme: str) -> str:
    """Write a line of the second table."""
    return (
        f"| {scheme} | {found['neurons']:,.0f} | {found['synapses']:,.0f} | {found['compile']:.1f} | "
        f"{found['load']:.1f} | {found['memory'] / 2**30:.2f} | {found['run']:.1f} | "
        f"{found['again']:.1f} | {found['used']:.1f} | {found['rate']:.1f} | {found['arrivals']:,.0f} |"
    )


def write_header(columns: tuple[str, ...]) -> list[str]:
    """Write the head of a table."""
    return ["", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--neurons", type=int, default=10_000)
    parser.add_argument("--duration", type=float, default=1000.0, help="of the large network, in ms")
    parser.add_argument("--alone", action="store_true", help="only run the large network, and print JSON")
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(run_large(arguments.neurons, arguments.duration, arguments.schemes[0])))
        return
    lines = [
        HEAD.format(script=Path(__file__).name, machine=platform.machine()),
        *write_header(SMALL_COLUMNS),
        *(compare(scheme, arguments.steps) for scheme in arguments.schemes),
    ]
    print("\n".join(lines), flush=True)
    large = [
        "",
        f"A balanced network on a board of 48 chips, for {arguments.duration:g} ms of model time; "
        "the first run includes loading compiled code.",
        *write_header(LARGE_COLUMNS),
    ]
    for scheme in arguments.schemes:
        done = subprocess.run(
            [
                sys.executable,
                __file__,
                "--alone",
                "--schemes",
                scheme,
                "--neurons",
                str(arguments.neurons),
                "--duration",
                str(arguments.duration),
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        large.append(write_large(json.loads(done.stdout), scheme))
    print("\n".join(large))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("\n".join([*lines, *large, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
