"""Trainings that are killed at random moments.

``netdesc train`` is killed again and again (signal 9) and resumed until it is done. After every kill
``netdesc evaluate --weights`` must accept the folder, or refuse it with a message where no epoch has ended.
Weights and optimizer of a training that was killed must equal those of an undisturbed one bit for bit. Prints
a table; exit status 1 if anything else happens.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
from outputs import ROOT, write_table

MODEL = """netdesc: 1
name: kills
simulation: {{duration: 40 ms}}
populations:
  input: {{size: 5, source: dataset}}
  hidden: {{size: 10, neuron: {{LIF: {cell}}}}}
  output: {{size: 3, neuron: {{LIF: {cell}}}}}
projections:
  first:
    {{pre: input, post: hidden, {delay}weight: {{init: {{normal: {{mu: 3.0, sigma: 1.5}}}}, train: true}}}}
  second:
    {{pre: hidden, post: output, {delay}weight: {{init: {{normal: {{mu: 2.0, sigma: 0.5}}}}, train: true}}}}
data:
  dataset: {{yin_yang: {{train: 60, validation: 30, test: 30}}}}
  encoder: {{latency: {{t_early: 2 ms, t_late: 20 ms}}}}
losses:
  task: {{time_to_first_spike: {{population: output}}}}
training: {{epochs: {epochs}, batch_size: 30, optimizer: {{adam: {{learning_rate: 0.005}}}}}}
"""

CELLS = {
    "numba": ("{tau_mem: 20 ms, tau_syn: 5 ms}", ""),
    "spinnaker2": ("{tau_mem: 20 ms, tau_syn: 5 ms}", "delay: 1 ms, "),
    "brainscales2": ("{tau_mem: 4 ms, tau_syn: 8 ms, tau_refrac: 30 ms}", ""),
}
"""Neurons that a backend has, and delays that it needs."""

EARLY = 0.2
"""Share of the kills that do not wait for the end of an epoch."""

SPAN = 0.15
"""Share of the time of a training within which a kill comes, from the start or from an epoch on."""


@dataclass(slots=True)
class Row:
    """What happened on a backend; the last three must be zero, zero and yes."""

    backend: str
    kills: int = 0
    before_epoch_1: int = 0
    resumes: int = 0
    runs: int = 0
    refused: int = 0
    damaged: int = 0
    failed: int = 0
    bits_equal: str = "yes"


def work(words: Sequence[str], printed: str) -> int:
    """Run a command in this process and return its status; what it prints goes into a file."""
    from netdesc.cli.entry import main

    sys.stdout.flush()
    kept = [os.dup(1), os.dup(2)]
    output = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        return main(words)
    finally:
        sys.stdout.flush()
        for number, handle in enumerate(kept, 1):
            os.dup2(handle, number)
            os.close(handle)
        os.close(output)


def work_and_exit(words: Sequence[str], printed: str) -> None:
    """Run a command and end this process with its status."""
    sys.exit(work(words, printed))


class Victim:
    """A model on a backend, and the trainings of it that are killed.

    Parameters
    ----------
    backend : str
    folder : Path
        For model and run folders.
    epochs : int
    chance : random.Random
    """

    def __init__(self, backend: str, folder: Path, epochs: int, chance: random.Random) -> None:
        cell, delay = CELLS[backend]
        self.row, self.folder, self.chance = Row(backend), folder, chance
        self.model, self.printed = folder / "model.yaml", folder / "printed.txt"
        self.model.write_text(MODEL.format(cell=cell, delay=delay, epochs=epochs), encoding="utf-8")
        # what is forked has its kernels compiled and loaded, so that the time goes into training
        self.context = multiprocessing.get_context("fork")

    def start(self, *words: str) -> BaseProcess:
        """Start a command."""
        process = self.context.Process(target=work_and_exit, args=(words, str(self.printed)))
        process.start()
        return process

    def words(self, run: Path) -> tuple[str, ...]:
        """Return the command that starts a training or goes on with it."""
        return ("train", str(self.model), "--backend", self.row.backend, "-o", str(run), "--resume")

    def measure(self) -> tuple[bytes, float]:
        """Train undisturbed, once to load the kernels; return what was learned, and in how many seconds."""
        for name in ("compiled", "whole"):
            begin, run = time.perf_counter(), self.folder / name
            if work(self.words(run), str(self.printed)):
                raise SystemExit(f"the training fails when it is left alone:\n{self.printed.read_text()}")
            seconds = time.perf_counter() - begin
            status = work(self.judgement(run), str(self.printed))
            if status:
                raise SystemExit(f"its weights are refused:\n{self.printed.read_text()}")
        with (run / "metrics.csv").open(encoding="utf-8", newline="") as file:
            first, *_, last = [float(line["loss"]) for line in csv.DictReader(file)]
        if not last < first:
            raise SystemExit(f"the training does not learn: its loss goes from {first} to {last}")
        return read_learned(run), seconds

    def judgement(self, run: Path) -> tuple[str, ...]:
        """Return the command that judges a folder."""
        return ("evaluate", str(self.model), "--backend", self.row.backend, "--weights", str(run))

    def attack(self, count: int) -> Row:
        """Kill trainings, that many times in all."""
        learned, seconds = self.measure()
        row = self.row
        while row.kills < count and not row.failed:
            run = self.folder / f"run_{row.runs}"
            done = False
            while not done and not row.failed:
                done = self.disturb(run, seconds) if row.kills < count else self.finish(run)
            row.runs += 1
            if not row.failed and read_learned(run) != learned:
                row.bits_equal = "no"
        return row

    def disturb(self, run: Path, seconds: float) -> bool:
        """Go on with a training and kill it; return whether it was done before."""
        row = self.row
        row.resumes += (run / "checkpoint.h5").exists()
        process = self.start(*self.words(run))
        if self.chance.random() < EARLY:
            time.sleep(self.chance.uniform(0.0, SPAN * seconds))
        else:
            before = stamp(run)
            while process.is_alive() and stamp(run) == before:
                time.sleep(0.001)
            time.sleep(self.chance.uniform(0.0, SPAN * seconds))
        process.kill()
        process.join()
        if process.exitcode != -9:
            return self.judge(process)
        row.kills += 1
        row.before_epoch_1 += not (run / "checkpoint.h5").exists()
        self.check(run)
        return False

    def finish(self, run: Path) -> bool:
        """Go on with a training to its end."""
        self.row.resumes += (run / "checkpoint.h5").exists()
        process = self.start(*self.words(run))
        process.join()
        return self.judge(process)

    def judge(self, process: BaseProcess) -> bool:
        """Return whether a training ended as it should."""
        if process.exitcode:
            self.row.failed += 1
            print(
                f"{self.row.backend}: status {process.exitcode}: {self.printed.read_text()}", file=sys.stderr
            )
        return process.exitcode == 0

    def check(self, run: Path) -> None:
        """Let ``evaluate`` judge a folder after a kill."""
        process = self.start(*self.judgement(run))
        process.join()
        printed = self.printed.read_text(encoding="utf-8")
        refused = process.exitcode == 2 and not (run / "weights.h5").exists() and bool(printed.strip())
        self.row.refused += refused
        if (process.exitcode and not refused) or "Traceback" in printed or "bug in netdesc" in printed:
            self.row.damaged += 1
            print(f"{self.row.backend}: status {process.exitcode} of evaluate: {printed}", file=sys.stderr)


def stamp(run: Path) -> int:
    """Return when the latest epoch of a training ended, 0 for none."""
    path = run / "checkpoint.h5"
    return path.stat().st_mtime_ns if path.exists() else 0


def read_learned(run: Path) -> bytes:
    """Return all weights and the state of the optimizer as bytes, in the order of their names."""
    found: list[bytes] = []

    def read(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and "report" not in name:
            found.extend((name.encode(), item[()].tobytes()))

    for name in ("weights.h5", "checkpoint.h5"):
        with h5py.File(run / name, "r") as file:
            file.visititems(read)
    return b"\0".join(found)


def main() -> None:
    """Kill, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="kills on each backend")
    parser.add_argument("--backends", default=",".join(CELLS), help="of them, separated by commas")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    # on one processor no threads are started, which a forked process would not have
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sys.path[:0] = [str(ROOT), str(ROOT / "backends")]
    rows = []
    for backend in arguments.backends.split(","):
        with TemporaryDirectory() as folder:
            victim = Victim(backend, Path(folder), arguments.epochs, random.Random(arguments.seed))
            rows.append(victim.attack(arguments.count))
            print(rows[-1], file=sys.stderr, flush=True)
    header = (
        "backend",
        "kills",
        "kills before epoch 1",
        "resumes",
        "trainings",
        "refused",
        "damaged",
        "failed",
        "bits equal",
    )
    print(write_table(header, [astuple(row) for row in rows]))
    if any(row.damaged or row.failed or row.bits_equal != "yes" for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
