"""How long one waits for an answer, from the shell.

Times ``netdesc check``, a process up to the end of its first training step, and ``netdesc train`` of one
epoch, each in fresh processes, after one run that fills the caches of compiled kernels and of byte code.
Then times the first runs on a machine, each with no cache of kernels at all, several in turn (``--cold``).
Prints a table and writes it to ``docs/benchmarks/start_up.md``; ``-o FILE`` writes it elsewhere. Fails if a
process after the first one compiles a kernel.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "examples" / "yin_yang.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """A command, what it does, and the seconds it may take (None: as long as it likes)."""

    title: str
    command: tuple[str, ...]
    target: float | None


class Timing(NamedTuple):
    """Seconds on the clock and of processor time of a process."""

    wall: float
    processor: float


def take_first_step(file: Path) -> int:
    """Load a file, compile it, take the first step of its training; return the kernels compiled for it."""
    # as the command netdesc does
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(50_000, *gc.get_threshold()[1:])
    # numba would load the package coverage, which those who develop netdesc have and its users have not
    sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]

    import numpy as np
    from numba.core.event import install_recorder

    import netdesc
    from netdesc.training.loop import shuffle, train_batch
    from netdesc.training.preparation import build_task, load_machine, require_training
    from netdesc.training.tally import Tally
    from netdesc.training.task import start

    with install_recorder("numba:compile") as recorder:
        model = netdesc.load(file)
        training = require_training(model.description, "numba")
        task = build_task(load_machine(netdesc.compile(model)), model.description, training)
        state, feed = start(task), task.feeds["train"]
        stimulus, goals = next(feed.batches(shuffle(task, 0, len(feed)), training.batch_size))
        stepped, _ = train_batch(task, state, stimulus, goals=goals, tally=Tally(task.program))
    if np.array_equal(stepped.values, state.values):
        raise SystemExit("the step changed nothing")
    return sum(event.is_start for _, event in recorder.buffer)


def time_process(command: Sequence[str], **settings: str) -> tuple[Timing, str]:
    """Run a command from the root of the project and return its times and what it printed.

    ``settings`` are added to the environment.
    """
    # Byte code is kept, as that of an installed package is.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= settings
    before, begin = os.times(), perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    wall, after = perf_counter() - begin, os.times()
    user, system = after.children_user - before.children_user, after.children_system - before.children_system
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return Timing(wall, user + system), done.stdout


def list_cases(file: Path, folder: Path) -> tuple[Case, ...]:
    """Return what is timed; ``{}`` in a command stands for the number of the run."""
    netdesc, name = (sys.executable, "-m", "netdesc"), str(file)
    return (
        Case("`netdesc check`", (*netdesc, "check", name), 0.5),
        Case(
            "shell to the end of the first training step",
            (sys.executable, str(Path(__file__).resolve()), "--first-step", name),
            1.5,
        ),
        Case(
            "`netdesc train`, one epoch with validation, test and pictures",
            (*netdesc, "train", name, "training.epochs=1", "-o", str(folder / "run-{}")),
            None,
        ),
    )


def list_cold(folder: Path) -> tuple[Case, ...]:
    """Return first runs; ``{}`` in a command stands for the number of the run. Targets are processor time."""
    netdesc, few = (sys.executable, "-m", "netdesc"), "data.dataset.yin_yang"
    chip = ("training.epochs=1", f"{few}.train=64", f"{few}.validation=32", f"{few}.test=32")

    def run(words: str, *more: str, target: float) -> Case:
        output = ("-o", str(folder / f"{words.replace(' ', '-').replace('/', '-')}-{{}}"))
        return Case(f"`netdesc {words}`", (*netdesc, *words.split(), *more, *output), target)

    return (
        run("run examples/two_neurons.yaml", target=8.0),
        run("train examples/recurrent.yaml", "training.epochs=2", target=12.0),
        run("train examples/yin_yang.yaml --backend spinnaker2", *chip, target=15.0),
        run("train examples/yin_yang.yaml --backend brainscales2", *chip, target=15.0),
    )


def measure_cold(cases: Sequence[Case], runs: int, folder: Path) -> list[list[Timing]]:
    """Time all cases in turn, each run with an empty folder for kernels."""
    timings: list[list[Timing]] = [[] for _ in cases]
    for number in range(runs):
        for place, (case, found) in enumerate(zip(cases, timings, strict=True)):
            cache = str(folder / f"cache-{place}-{number}")
            command = [word.replace("{}", str(number)) for word in case.command]
            found.append(time_process(command, NUMBA_CACHE_DIR=cache)[0])
    return timings


def measure(cases: Sequence[Case], runs: int) -> list[list[Timing]]:
    """Time all cases in turn, after one run of each that is not counted."""
    timings: list[list[Timing]] = [[] for _ in cases]
    for number in range(runs + 1):
        for case, found in zip(cases, timings, strict=True):
            timing, printed = time_process([word.replace("{}", str(number)) for word in case.command])
            if "--first-step" in case.command and number and printed.strip() != "0":
                raise SystemExit(f"the first step compiled {printed.strip()} kernels, which should be cached")
            if number:
                found.append(timing)
    return timings


def write_row(case: Case, timings: Sequence[Timing]) -> str:
    """Write a line of the table."""
    from statistics import median

    wall, processor = sorted(item.wall for item in timings), sorted(item.processor for item in timings)
    target = "" if case.target is None else f"{case.target:g}"
    return (
        f"| {case.title} | {median(wall):.2f} | {wall[0]:.2f} to {wall[-1]:.2f} | "
        f"{median(processor):.2f} | {target} |"
    )


def describe_machine() -> str:
    """Name the processor and the versions that matter."""
    import platform
    from importlib.metadata import version

    from netdesc.threads import available

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        model = next(names, model)
    return (
        f"{model}, {available()} processors; Python {platform.python_version()}, "
        f"numba {version('numba')}, NumPy {version('numpy')}, networkx {version('networkx')}"
    )


def write_table(cases: Sequence[Case], timings: Sequence[Sequence[Timing]]) -> list[str]:
    """Write the lines of a table."""
    return [
        "| | median / s | smallest to largest / s | processor time / s | target / s |",
        "|---|---|---|---|---|",
        *(write_row(case, found) for case, found in zip(cases, timings, strict=True)),
        "",
    ]


def write_report(
    cases: Sequence[Case], timings: Sequence[Sequence[Timing]], file: Path, cold: Sequence[str]
) -> str:
    """Write the page; ``cold`` are the lines of the table of first runs."""
    name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name
    runs = len(timings[0])
    return "\n".join(
        [
            "# Start-up",
            "",
            f"`python benchmarks/start_up.py` runs `{name}` in fresh processes, one after the other, "
            f"{runs} of each kind, after one that fills the caches of compiled kernels and of byte code. "
            "None of these compiles a kernel up to its first step; the script fails otherwise.",
            "",
            f"Measured on: {describe_machine()}.",
            "",
            *write_table(cases, timings),
            "Seconds on the wall clock, from before the process is started until it has ended. "
            "Processor time is "
            "that of all threads of the process; other programs on the machine affect it little.",
            "",
            "## First runs",
            "",
            "With no cache of kernels, one after the other; targets are processor time. Training takes "
            "two epochs of the recurrent network, and one of 64 samples on the chips.",
            "",
            *cold,
        ]
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--cold", type=int, default=3, help="first runs of each kind")
    parser.add_argument("--file", type=Path, default=MODEL)
    parser.add_argument(
        "--first-step",
        type=Path,
        metavar="FILE",
        help="take one step, print how many kernels were compiled, and stop",
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "benchmarks" / "start_up.md")
    arguments = parser.parse_args()
    if arguments.first_step:
        print(take_first_step(arguments.first_step))
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file, place = arguments.file.resolve(), Path(folder)
        cases, first = list_cases(file, place), list_cold(place)
        cold = write_table(first, measure_cold(first, arguments.cold, place))
        report = write_report(cases, measure(cases, arguments.runs), file, cold)
    print(report)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
