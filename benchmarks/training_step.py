"""Time of a training step on Yin-Yang, next to what the machine can do.

Trains a network of 5-120-3 neurons in batches of 150 at about 105 hidden and 40 output spikes a sample, for
several ratios of the time constants, on one thread, and times matrix products in between. Prints a table and
writes it to ``docs/benchmarks/training_step.md``; ``-o FILE`` writes it elsewhere.
"""

from __future__ import annotations

import os

# Before NumPy is imported: its matrix product reads them then.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, thread_time

import numba
import numpy as np

import netdesc
from netdesc.backend import Machine
from netdesc.events import Events, Floats
from netdesc.goals import Goals
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.threads import available
from netdesc.trace import Cotangent, Trace
from netdesc.training.loop import train_batch
from netdesc.training.preparation import build_task, load_machine, require_training
from netdesc.training.tally import Tally
from netdesc.training.task import State, Task, start

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "examples" / "yin_yang.yaml"
SIZE = 512
BUDGET = 3.0 * 64.0
PARTS = ("forward", "adjoint", "write")


@dataclass(frozen=True, slots=True)
class Case:
    """A network to train: time constants in ms, means of the first weights, solver and threads."""

    tau_mem: float
    tau_syn: float
    hidden: float
    output: float
    solver: str = "event"
    threads: int = 1


RATIOS = (
    Case(20.0, 5.0, 1.98, 0.56),
    Case(10.0, 10.0, 0.68, 0.19),
    Case(10.0, 5.0, 1.35, 0.32),
    Case(20.0, 6.3, 1.62, 0.47),
    Case(5.0, 8.0, 0.52, 0.12),
)
OTHERS = (
    replace(RATIOS[0], threads=2),
    replace(RATIOS[0], solver="{grid: {timestep: 1 ms}}"),
    replace(RATIOS[0], solver="{grid: {timestep: 1 ms, precision: float32, transport: false}}"),
    replace(RATIOS[0], solver="{grid: {timestep: 0.1 ms}}"),
    replace(RATIOS[0], solver="{grid: {timestep: 0.1 ms, precision: float32, transport: false}}"),
)


@dataclass(slots=True)
class Stopwatch:
    """A machine that notes how long each of its calls took, in seconds of thread time."""

    machine: Machine
    program: Program
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PARTS, 0.0))

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays."""
        begin = thread_time()
        self.machine.write(parameters)
        self.seconds["write"] = thread_time() - begin

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network."""
        begin = thread_time()
        trace = self.machine.forward(stimulus, seed=seed)
        self.seconds["forward"] = thread_time() - begin
        return trace

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry a cotangent back."""
        begin = thread_time()
        gradient = self.machine.adjoint(trace, cotangent)
        self.seconds["adjoint"] = thread_time() - begin
        return gradient


@dataclass(slots=True)
class Course:
    """A case under way, and what was measured: milliseconds per step, GFLOP/s and ratios per round.

    The task ``apart`` takes forward run, loss and adjoint one after the other.
    """

    case: Case
    task: Task
    apart: Task
    watch: Stopwatch
    state: State
    tally: Tally
    stimulus: Events
    goals: Goals
    wall: list[float] = field(default_factory=list)
    thread: list[float] = field(default_factory=list)
    parts: list[list[float]] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def step(self) -> None:
        """Take one step of training."""
        self.state, _ = train_batch(self.task, self.state, self.stimulus, goals=self.goals, tally=self.tally)

    def measure(self, steps: int) -> None:
        """Time some steps, and matrix products just before."""
        speed = multiply()
        before = len(self.thread)
        for _ in range(steps):
            begin, mine = perf_counter(), thread_time()
            self.step()
            self.thread.append(1e3 * (thread_time() - mine))
            self.wall.append(1e3 * (perf_counter() - begin))
        for _ in range(steps):
            self.state, _ = train_batch(
                self.apart, self.state, self.stimulus, goals=self.goals, tally=self.tally
            )
            self.parts.append([1e3 * self.watch.seconds[part] for part in PARTS])
        self.speeds.append(speed)
        self.ratios.append(float(np.median(self.thread[before:])) * speed / BUDGET)

    def spikes(self, population: str) -> float:
        """Return the spikes of a population per sample."""
        return self.tally.spikes[population] / self.tally.samples


def multiply(repetitions: int = 3) -> float:
    """Return the GFLOP/s of float64 matrix products on one thread: the median of some."""
    factors = np.random.default_rng(1).random((2, SIZE, SIZE))
    result = np.empty((SIZE, SIZE))
    seconds = []
    for _ in range(repetitions + 1):
        begin = thread_time()
        np.matmul(factors[0], factors[1], out=result)
        seconds.append(thread_time() - begin)
    return 2e-9 * SIZE**3 / float(np.median(seconds[1:]))


def prepare(case: Case, hidden: int, batch: int) -> Course:
    """Load a network with its first batch.

    The learning rate is so small that the number of spikes stays what it is; a step costs the same.
    """
    model = netdesc.load(
        MODEL,
        [
            f"populations.hidden.size={hidden}",
            f"training.batch_size={batch}",
            f"data.dataset.yin_yang.train={batch}",
            "data.dataset.yin_yang.validation=0",
            "data.dataset.yin_yang.test=0",
            f"neurons.lif.LIF.tau_mem={case.tau_mem} ms",
            f"neurons.lif.LIF.tau_syn={case.tau_syn} ms",
            f"projections.input_to_hidden.weight.init.normal.mu={case.hidden}",
            f"projections.hidden_to_output.weight.init.normal.mu={case.output}",
            f"backends.numba.threads={case.threads}",
            f"backends.numba.solver={case.solver}",
            "training.optimizer.adam.learning_rate=1e-9",
        ],
    )
    training = require_training(model.description, "numba")
    plain = build_task(load_machine(netdesc.compile(model)), model.description, training)
    watch = Stopwatch(plain.machine, plain.program)
    apart = replace(plain, machine=watch, fused=None)
    stimulus, goals = plain.feeds["train"].draw(np.arange(batch), 0)
    return Course(case, plain, apart, watch, start(plain), Tally(plain.program), stimulus, goals)


def run(courses: Sequence[Course], rounds: int, steps: int) -> None:
    """Measure all cases in turn, so that whatever slows the machine down slows down all of them."""
    for course in courses:
        course.step()
    for _ in range(rounds):
        for course in courses:
            course.measure(steps)


def quartiles(values: Sequence[float], digits: int = 2) -> str:
    """Write a median with its quartiles."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def write_row(course: Course) -> str:
    """Write a line of the first table."""
    forward, adjoint, write = np.median(course.parts, axis=0)
    return (
        f"| {course.case.tau_mem:g} / {course.case.tau_syn:g} | {course.spikes('hidden'):.0f} + "
        f"{course.spikes('output'):.0f} | {quartiles(course.thread)} | {forward:.2f} | {adjoint:.2f} | "
        f"{write:.2f} | {np.median(course.wall):.2f} | "
        f"{np.median(course.speeds):.0f} | **{quartiles(course.ratios)}** |"
    )


def write_other(course: Course) -> str:
    """Write a line of the second table."""
    case = course.case
    step = case.solver.removeprefix("{grid: {timestep: ").rstrip("}").split(", ")[0]
    precision = "float32" if "float32" in case.solver else "float64"
    solver = "event-driven" if case.solver == "event" else f"grid of {step}, {precision}"
    return (
        f"| {solver} | {case.threads} | {course.spikes('hidden'):.0f} + {course.spikes('output'):.0f} | "
        f"{quartiles(course.wall)} |"
    )


def describe_machine() -> str:
    """Name the processor and the versions that matter."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        model = next(names, model)
    return (
        f"{model}, {available()} processors; Python {platform.python_version()}, "
        f"numba {numba.__version__}, NumPy {np.__version__}"
    )


def write_report(ratios: Sequence[Course], others: Sequence[Course], hidden: int, batch: int) -> str:
    """Write the page."""
    return "\n".join(
        [
            "# Time of a training step",
            "",
            "`python benchmarks/training_step.py` times whole steps of training on Yin-Yang: forward "
            "run, loss, "
            "adjoint run, Adam, and the new weights written to the machine, from a batch of input "
            "spikes that is "
            f"ready. The network has 5-{hidden}-3 neurons, the batch {batch} samples. Weights are "
            "drawn so that "
            "the network spikes about as often for every pair of time constants. All cases take turns with "
            f"products of {SIZE} x {SIZE} float64 matrices on one thread.",
            "",
            f"Measured on: {describe_machine()}.",
            "",
            "## Event-driven, one thread",
            "",
            "| tau_mem / tau_syn in ms | spikes per sample, hidden + output | step / ms | apart: forward | "
            "adjoint | write | step on the wall clock / ms | GFLOP/s of the matrix product | ratio |",
            "|---|---|---|---|---|---|---|---|---|",
            *(write_row(course) for course in ratios),
            "",
            "Medians, with quartiles in brackets. A step runs forward, loss and adjoint in one call; the "
            "columns from forward to write are of steps that take them one after the other. Times are those "
            "that the thread ran, which other programs on "
            "the machine affect only through its caches; the wall clock shows the same on a machine that is "
            "otherwise idle. The ratio is step time times GFLOP/s over 3 ms times 64 GFLOP/s, each "
            "step compared "
            "with the products just before it: at 1 a step takes 3 ms on a machine that multiplies at 64 "
            "GFLOP/s, below 1 less.",
            "",
            "## Solvers and threads",
            "",
            f"tau_mem / tau_syn = {ratios[0].case.tau_mem:g} / {ratios[0].case.tau_syn:g} ms, on the "
            "wall clock:",
            "",
            "| solver | threads | spikes per sample, hidden + output | step / ms |",
            "|---|---|---|---|",
            *(write_other(course) for course in (ratios[0], *others)),
            "",
            "Spikes of the event-driven solver and its gradient are exact; those of a grid are not, "
            "which is why "
            "the numbers of spikes differ.",
            "",
        ]
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--steps", type=int, default=10, help="per round and case")
    parser.add_argument("--hidden", type=int, default=120)
    parser.add_argument("--batch", type=int, default=150)
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "docs" / "benchmarks" / "training_step.md"
    )
    arguments = parser.parse_args()
    courses = [prepare(case, arguments.hidden, arguments.batch) for case in (*RATIOS, *OTHERS)]
    run(courses, arguments.rounds, arguments.steps)
    report = write_report(courses[: len(RATIOS)], courses[len(RATIOS) :], arguments.hidden, arguments.batch)
    print(report)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
