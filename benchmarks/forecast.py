"""Forecasts of time and memory next to what is measured.

Each case runs in a process of its own, after one that fills the cache of kernels: it forecasts an epoch, or a
run, without running anything, as ``netdesc check`` does; then it trains for two epochs, as ``netdesc train``
does, and takes the forecast after the first batches, the time of the second epoch and the largest resident
memory. A model without a section ``training`` is run three times, and the last one counts.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import netdesc
from netdesc.events import Events
from netdesc.forecast import HostForecast, forecast_host
from netdesc.threads import available
from netdesc.training.session import prepare_task

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "forecast.md"
RECURRENT = "benchmarks/peers/networks/recurrent.yaml"
SOLVERS = {
    "event-driven": "solver=event",
    "grid 1 ms": "solver.grid.timestep=1 ms",
    "grid 0.1 ms": "solver.grid.timestep=0.1 ms",
}
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
        option = f"backends.numba.{solver}"
        cases.append(Case(f"yin_yang, {title}", "examples/yin_yang.yaml", (few, option)))
        cases.append(Case(f"recurrent (example), {title}", "examples/recurrent.yaml", (option,)))
        if mnist is not None:
            path = (f"data.dataset.mnist.path={mnist}", f"data.dataset.mnist.train={4 * samples}")
            cases.append(Case(f"mnist, {title}", "examples/mnist.yaml", (*path, option)))
        cases.append(Case(f"balanced, {title}", "examples/balanced.yaml", (option,)))
        for hidden in (256, 1024):
            size = (f"parameters.hidden={hidden}", f"parameters.spread={0.5 / hidden**0.5}", option)
            cases.append(Case(f"recurrent, {hidden} hidden, {title}", RECURRENT, size, recordings=recordings))
    for backend in ("spinnaker2", "brainscales2"):
        cases.append(Case(f"yin_yang, {backend}", "examples/yin_yang.yaml", (few,), backend))
    return cases


def draw_recordings(count: int) -> netdesc.Samples:
    """Return recordings of random spikes with labels."""
    random, number = np.random.default_rng(3), count * SPIKES
    events = Events.from_arrays(
        random.uniform(0.0, LENGTH, number),
        random.integers(0, CHANNELS, number),
        np.repeat(np.arange(count), SPIKES),
        count,
    )
    return netdesc.Samples.from_events(events, (np.arange(count) % 10).astype(str))


def measure(case: Case) -> dict[str, float]:
    """Forecast and measure; return seconds and bytes by name."""
    model = netdesc.load(ROOT / case.file, case.overrides)
    data = draw_recordings(case.recordings) if case.recordings else None
    if model.description.training is None:
        before, after, seconds = run(model, case)
    else:
        before, after, seconds = train(model, case, data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    return {
        "before": before.seconds,
        "after": after.seconds,
        "seconds": seconds,
        "memory": before.memory,
        "later": after.memory,
        "peak": peak,
    }


def run(model: netdesc.Model, case: Case) -> tuple[HostForecast, HostForecast, float]:
    """Run a model forward."""
    compiled = netdesc.compile(model, case.backend)
    found = require(forecast_host(compiled.program, model.description, compiled.backend, dataset=None))
    begin = 0.0
    for _ in range(3):
        begin = perf_counter()
        compiled.forward()
    return found, found, perf_counter() - begin


def train(
    model: netdesc.Model, case: Case, data: netdesc.Samples | None
) -> tuple[HostForecast, HostForecast, float]:
    """Train a model for two epochs."""
    task = prepare_task(model, case.backend, data)
    before = require(
        forecast_host(task.program, model.description, require(task.backend), dataset=task.dataset)
    )
    with tempfile.TemporaryDirectory() as folder:
        result = netdesc.train(model, data=data, backend=case.backend, output=Path(folder) / "run")
    seconds = float(np.median([report.seconds for report in result.reports[1:]]))
    return before, require(result.forecast), seconds


def require(found: Any) -> Any:
    """Return what is there; every backend that is measured makes forecasts."""
    if found is None:
        raise SystemExit("expected a forecast, got none")
    return found


def run_case(case: Case) -> dict[str, float]:
    """Measure in a process of its own, once to fill the cache of kernels and once to count."""
    given = json.dumps([case.title, case.file, case.overrides, case.backend, case.recordings])
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, __file__, "--case", given], check=True, capture_output=True, text=True, cwd=ROOT
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


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
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    given = parser.parse_args()
    if given.case:
        title, file, overrides, backend, recordings = json.loads(given.case)
        case = Case(
            title,
            file,
            (*overrides, "training.epochs=3") if "balanced" not in file else tuple(overrides),
            backend,
            recordings,
        )
        print(json.dumps(measure(case)))
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
        f"`python benchmarks/forecast.py`, on {platform.machine()}, {available()} threads: an epoch of "
        f"{given.samples} samples of Yin-Yang, {4 * given.samples} of MNIST and {given.recordings} random "
        f"recordings of {SPIKES} spikes in 1.4 s; a run of the balanced network. Wall-clock seconds of an "
        "epoch (the median of those after the first) or of a run, and the largest resident memory in MiB, "
        "with kernels that are compiled already. *Ratio* is forecast by measured: first as `netdesc check` "
        "says it, from counts of work without running anything; then as `netdesc train` says it after its "
        "first batches.",
        "",
        "| case | forecast / s | measured / s | ratio | ratio after batches | memory forecast | measured | "
        "ratio | ratio after batches |",
        "|---|---|---|---|---|---|---|---|---|",
    ]


if __name__ == "__main__":
    main()
