"""Workers that take turns on one machine."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO, Any

from environments import HERE, Environment, clean, find_reason

MARK = "answer: "
"""How the lines of a worker begin that are meant for the runner."""


@dataclass(frozen=True)
class Entry:
    """A contestant.

    Parameters
    ----------
    name : str
        On the page.
    peer : str
        Whose environment it needs.
    script : str
    settings : mapping
        Its own.
    share : float
        By what its times are divided, other than by the divisor of the case.
    """

    name: str
    peer: str
    script: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1.0


@dataclass(frozen=True)
class Case:
    """The same work for several contestants.

    Parameters
    ----------
    work : str
    label : str
        The size, for the page.
    unit : str
        Of what a time is: ``sample``, ``step`` or ``run``.
    divisor : int
        How many of these one repetition does.
    settings : mapping
        For all contestants.
    entries : sequence of Entry
        The first is what the others are compared with.
    clock : str
        ``processor`` or ``wall``.
    """

    work: str
    label: str
    unit: str
    divisor: int
    settings: Mapping[str, Any]
    entries: Sequence[Entry]
    clock: str = "processor"


@dataclass
class Result:
    """What was measured of a contestant: seconds by round, and facts; or why there is nothing."""

    name: str
    peer: str
    share: float = 1.0
    facts: dict[str, Any] = field(default_factory=dict)
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    preparation: float = 0.0
    peak: float = 0.0
    fault: str = ""


class WorkerError(Exception):
    """A worker ended, or did not answer in time."""


class Worker:
    """A process that works when told to."""

    def __init__(
        self, python: Path, entry: Entry, limit: float, *, processors: set[int], threads: int
    ) -> None:
        self.limit = limit
        # The process keeps the file open; it has no name any more once both are gone.
        self.errors: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(python), str(HERE / "workers" / f"{entry.script}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=clean(threads),
        )
        if processors:
            os.sched_setaffinity(self.process.pid, processors)
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self) -> None:
        """Queue the lines of the process; an empty one says that it ended."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                self.lines.put(line.removeprefix(MARK))
        self.lines.put("")

    def ask(self, line: str) -> dict[str, Any]:
        """Send a line and return the answer.

        Raises
        ------
        WorkerError
            If there is none in time.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.lines.get(timeout=self.limit)
        except queue.Empty:
            raise WorkerError(f"no answer within {self.limit:g} s") from None
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            raise WorkerError(find_reason(self.errors.read()))
        return dict(json.loads(answer))

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for file in (self.process.stdin, self.process.stdout, self.errors):
            # A line that the process did not read cannot be flushed any more.
            with suppress(BrokenPipeError):
                if file is not None:
                    file.close()


def choose_processors(threads: int) -> set[int]:
    """Return the processors that all contestants share, the last of those available; none where unknown."""
    if not hasattr(os, "sched_getaffinity"):
        return set()
    return set(sorted(os.sched_getaffinity(0))[-threads:])


def compete(
    case: Case, environments: Mapping[str, Environment], *, rounds: int, limit: float, budget: float
) -> list[Result]:
    """Prepare all contestants of a case, then let them take turns.

    Parameters
    ----------
    case : Case
    environments : mapping of str to Environment
    rounds : int
        Turns of each contestant; fewer, but at least three, where the budget is used up.
    limit : float
        Seconds that a contestant may take to prepare, and for a turn.
    budget : float
        Seconds for all rounds.
    """
    results = [Result(entry.name, entry.peer, entry.share) for entry in case.entries]
    workers: dict[str, Worker] = {}
    try:
        for entry, result in zip(case.entries, results, strict=True):
            environment = environments[entry.peer]
            if environment.fault:
                result.fault = f"not installed: {environment.fault}"
                continue
            settings = {**case.settings, **entry.settings}
            threads = int(settings["threads"])
            worker = Worker(
                environment.python, entry, limit, processors=choose_processors(threads), threads=threads
            )
            workers[entry.name] = worker
            if answer := listen(worker, json.dumps(settings), result):
                result.facts, result.preparation = answer["ready"], answer["preparation"]
            print(f"  {entry.name}: {result.fault or result.facts['spikes']}", flush=True)
        begin = perf_counter()
        for number in range(rounds):
            for result in results:
                if not result.fault and (answer := listen(workers[result.name], "go", result)):
                    result.wall.append(answer["wall"])
                    result.processor.append(answer["processor"])
            if number >= 2 and perf_counter() - begin > budget:
                break
        for result in results:
            if not result.fault and (answer := listen(workers[result.name], "end", result)):
                result.peak = answer["peak"]
    finally:
        for worker in workers.values():
            worker.close()
    return results


def listen(worker: Worker, line: str, result: Result) -> dict[str, Any] | None:
    """Return the answer of a worker, or None with the fault noted in its result."""
    try:
        return worker.ask(line)
    except WorkerError as error:
        result.fault = f"ended: {error}" if "no answer" not in str(error) else str(error)
        return None


def as_record(case: Case, results: Sequence[Result]) -> dict[str, Any]:
    """Return a case with its results as plain values."""
    return {
        "work": case.work,
        "label": case.label,
        "unit": case.unit,
        "divisor": case.divisor,
        "clock": case.clock,
        "results": [asdict(result) for result in results],
    }
