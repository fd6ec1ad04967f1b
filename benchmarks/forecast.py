"""Forecasts of time and memory next to what is measured.

Times are those of the processor, on one thread, because other programs that run on the machine change them
least: the median of the epochs after the first one, which compiles, or of three runs. They are compared with
what ``netdesc check`` says, which runs nothing, and with what ``netdesc train`` says after its first batches.
The largest resident memory is that of another process, which trains as ``netdesc train`` does.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TypeVar

import numpy as np

import netdesc
from netdesc.backend import Backend
from netdesc.datasets.records import Dataset
from netdesc.events import Events
from netdesc.forecast import HostForecast, Outline, forecast_host
from netdesc.program import Program
from netdesc.training.loop import run_epoch
from netdesc.training.pace import Pace, peak_memory
from netdesc.training.session import prepare_task
from netdesc.training.signs import Watch
from netdesc.training.task import start

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "forecast.md"
RECURRENT = "benchmarks/peers/networks/recurrent.yaml"
SOLVERS = {
    "event-driven": "solver=event",
    "grid 1 ms": "solver.grid.timestep=1 ms",
    "grid 0.1 ms": "solver.grid.timestep=0.1 ms",
}
THREE = "training.epochs=3"
CHANNELS, SPIKES, LENGTH = 700, 4200, 1000.0
"""Channels of a random recording, its spikes, and the ms within which they lie."""


@dataclass(frozen=True, slots=True)
class Case:
    """A network on a solver: title, file, overrides, backend, and random recordings that it is trained on."""

    title: str
    file: str
    overrides: tuple[str, ...]
    backend: str = "numba"
    recordings: int = 0


def list_cases(mnist: Path | None, samples: int, recordings: int) -> list[Case]:
    """Return all cases, with so many samples of an epoch, and so many recordings."""
    few = f"data.dataset.yin_yang.train={samples}"
    cases = []
    for title, solver in SOLVERS.items():
        option, thread = f"backends.numba.{solver}", "backends.numba.threads=1"
        cases.append(Case(f"yin_yang, {title}", "examples/yin_yang.yaml", (few, THREE, option, thread)))
        many = (option, thread, "training.epochs=30")
        cases.append(Case(f"recurrent (example), {title}", "examples/recurrent.yaml", many))
        if mnist is not None:
            path = (f"data.dataset.mnist.path={mnist}", f"data.dataset.mnist.train={4 * samples}")
            cases.append(Case(f"mnist, {title}", "examples/mnist.yaml", (*path, THREE, option, thread)))
        cases.append(Case(f"balanced, {title}", "examples/balanced.yaml", (option, thread)))
        for hidden in (256, 1024):
            size = (
                f"parameters.hidden={hidden}",
                f"parameters.spread={0.5 / hidden**0.5}",
                THREE,
                option,
                thread,
            )
            cases.append(Case(f"recurrent, {hidden} hidden, {title}", RECURRENT, size, recordings=recordings))
    for backend in ("spinnaker2", "brainscales2"):
        cases.append(Case(f"yin_yang, {backend}", "examples/yin_yang.yaml", (few, THREE), backend))
    return cases


def draw_recordings(count: int) -> netdesc.Samples | None:
    """Return recordings of random spikes with labels; None for none."""
    if not count:
        return None
    random, number = np.random.default_rng(3), count * SPIKES
    events = Events.from_arrays(
        random.uniform(0.0, LENGTH, number),
        random.integers(0, CHANNELS, number),
        np.repeat(np.arange(count), SPIKES),
        count,
    )
    return netdesc.Samples.from_events(events, (np.arange(count) % 10).astype(str))


def measure_time(case: Case) -> dict[str, float]:
    """Return the forecast before and after the first batches, and the measured time, in seconds."""
    model = netdesc.load(ROOT / case.file, case.overrides)
    if model.description.training is None:
        compiled = netdesc.compile(model, case.backend)
        before = foretell(compiled.program, model, compiled.backend, None)
        seconds = time_calls(compiled.forward, 4)
        return {"before": before.seconds, "after": before.seconds, "seconds": seconds}
    task = prepare_task(model, case.backend, draw_recordings(case.recordings))
    before = foretell(task.program, model, task.backend, task.dataset)
    outline = Outline.of(task.program, model.description, require(task.backend), dataset=task.dataset)
    pace, watch, state = Pace(outline, process_time), Watch(task, start(task).values), start(task)

    def advance() -> None:
        nonlocal state
        state = run_epoch(task, state, watch, pace)

    seconds = time_calls(advance, model.description.training.epochs)
    pace.conclude()
    return {"before": before.seconds, "after": require(pace.forecast).seconds, "seconds": seconds}


def time_calls(call: Callable[[], object], number: int) -> float:
    """Return the median of the processor seconds of calls, without the first one."""
    taken = []
    for _ in range(number):
        begin = process_time()
        call()
        taken.append(process_time() - begin)
    return float(np.median(taken[1:]))


def measure_memory(case: Case) -> dict[str, float]:
    """Return the forecast before and after the first batches, and the measured peak, in bytes."""
    model = netdesc.load(ROOT / case.file, case.overrides)
    compiled = netdesc.compile(model, case.backend)
    if model.description.training is None:
        compiled.forward()
        peak = peak_memory()
        before = after = foretell(compiled.program, model, compiled.backend, None)
        return {"memory": before.memory, "later": after.memory, "peak": peak}
    data = draw_recordings(case.recordings)
    with tempfile.TemporaryDirectory() as folder:
        result = netdesc.train(model, data=data, backend=case.backend, output=Path(folder) / "run")
    peak = peak_memory()
    dataset = prepare_task(model, case.backend, data).dataset
    before = foretell(compiled.program, model, compiled.backend, dataset)
    return {"memory": before.memory, "later": require(result.forecast).memory, "peak": peak}


def foretell(
    program: Program, model: netdesc.Model, backend: Backend | None, dataset: Dataset | None
) -> HostForecast:
    """Return the forecast of ``netdesc check``."""
    return require(forecast_host(program, model.description, require(backend), dataset=dataset))


def require(found: T | None) -> T:
    """Return what is there; every backend that is measured makes forecasts."""
    if found is None:
        raise SystemExit("expected a forecast, got none")
    return found


def run_case(case: Case) -> dict[str, float]:
    """Measure in processes of their own; the first one fills the cache of kernels."""
    given = json.dumps([case.title, case.file, case.overrides, case.backend, case.recordings])
    found: dict[str, float] = {}
    for what in ("time", "memory"):
        words = [sys.executable, __file__, "--case", what, given]
        done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


def write_row(case: Case) -> str:
    """Measure a case and return its line of the table."""
    found, mega = run_case(case), 2.0**20
    return (
        f"| {case.title} | {found['before']:.3g} | {found['seconds']:.3g} | "
        f"**{found['before'] / found['seconds']:.2f}** | {found['after'] / found['seconds']:.2f} | "
        f"{found['memory'] / mega:.0f} | {found['peak'] / mega:.0f} | "
        f"**{found['memory'] / found['peak']:.2f}** | {found['later'] / found['peak']:.2f} |"
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1000, help="of Yin-Yang; MNIST has four times as many")
    parser.add_argument("--recordings", type=int, default=96, help="random ones, for the recurrent network")
    parser.add_argument("--mnist", type=Path, help="folder of the files of MNIST; without it, it is left out")
    parser.add_argument("--only", default="", help="cases whose title holds this text")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    given = parser.parse_args()
    if given.case:
        title, file, overrides, backend, recordings = json.loads(given.case[1])
        case = Case(title, file, tuple(overrides), backend, recordings)
        print(json.dumps((measure_time if given.case[0] == "time" else measure_memory)(case)))
        return
    folder = given.mnist.resolve() if given.mnist else None
    cases = [case for case in list_cases(folder, given.samples, given.recordings) if given.only in case.title]
    rows = []
    for case in cases:
        rows.append(write_row(case))
        print(rows[-1], file=sys.stderr)
    text = "\n".join([*open_page(given), *rows, ""])
    given.output.write_text(text, encoding="utf-8")
    print(text)


def open_page(given: argparse.Namespace) -> list[str]:
    """Return the lines above the rows."""
    return [
        "# Forecasts",
        "",
        f"`python benchmarks/forecast.py`, on {platform.machine()}: an epoch of {given.samples} samples of "
        f"Yin-Yang, {4 * given.samples} of MNIST and {given.recordings} random recordings of {SPIKES} spikes "
        "in 1.4 s; a run of the balanced network. Seconds of the processor on one thread, of an epoch (the "
        "median of those after the first) or of a run, and the largest resident memory in MiB, with kernels "
        "that are compiled already. *Ratio* is forecast by measured: first as `netdesc check` prints it, "
        "from counts of work without running anything; then as `netdesc train` prints it after its first "
        "batches. "
        "While other programs use the same processors, the time on the clock is longer than `check` expects.",
        "",
        "| case | forecast / s | measured / s | ratio | ratio after batches | memory forecast | measured | "
        "ratio | ratio after batches |",
        "|---|---|---|---|---|---|---|---|---|",
    ]


if __name__ == "__main__":
    main()
