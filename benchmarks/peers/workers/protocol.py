"""How a worker talks to the runner: one line of settings in, lines of JSON out, work when told to go.

A worker runs in the environment of its simulator and imports nothing of the runner. It prepares, reports
facts for the page, repeats its work for every line ``go``, and ends at ``end``.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

MARK = "answer: "
"""How a line of the protocol begins; whatever else a library prints while it is imported is ignored."""


@dataclass
class Contestant:
    """What a worker has prepared.

    Parameters
    ----------
    run : callable
        Does the work once; returns None, or seconds where the simulator measures its own loop.
    facts : dict
        What the page reports: ``spikes`` per sample by population, ``precision``, ``version``.
    """

    run: Callable[[], float | None]
    facts: dict[str, Any] = field(default_factory=dict)


def serve(prepare: Callable[[dict[str, Any]], Contestant], *, measured_here: bool = True) -> None:
    """Read settings, prepare, and repeat the work as often as the runner asks for it.

    Memory is not reported where another process does the work.

    What libraries print on standard output goes to standard error; the lines of the protocol alone go out.
    """
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def send(**message: Any) -> None:
        out.write(f"{MARK}{json.dumps(message)}\n")
        out.flush()

    settings = json.loads(sys.stdin.readline())
    begin = perf_counter()
    contestant = prepare(settings)
    contestant.run()
    prepared, begin = perf_counter() - begin, perf_counter()
    contestant.run()
    repeats = max(1, math.ceil(float(settings["turn"]) / max(perf_counter() - begin, 1e-6)))
    send(ready=contestant.facts, preparation=prepared, repeats=repeats)
    for line in sys.stdin:
        if line.strip() != "go":
            break
        begin, busy = perf_counter(), process_time()
        measured = [contestant.run() for _ in range(repeats)]
        wall, busy = perf_counter() - begin, process_time() - busy
        if measured[0] is not None:
            wall = busy = sum(float(seconds or 0.0) for seconds in measured)
        send(wall=wall / repeats, processor=busy / repeats)
    send(peak=find_peak() if measured_here else 0)


def find_peak() -> int:
    """Return the largest memory that this process had, in bytes.

    Linux gives a new process the peak of the one that started it in ``ru_maxrss``, but not in its status.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def calibrate(count: Callable[[float], float], target: float, gain: float = 1.0) -> float:
    """Return a factor of weights at which a population spikes about as often as wanted.

    Parameters
    ----------
    count : callable
        Spikes at a factor; it rises with the factor.
    target : float
        Spikes wanted, met to 2 % where the spikes allow it.
    gain : float
        First factor to try.
    """
    low, high = 0.0, math.inf
    for _ in range(24):
        found = count(gain)
        if abs(found - target) <= 0.02 * target:
            break
        if found < target:
            low = gain
        else:
            high = gain
        gain = 2.0 * low if high == math.inf else 0.5 * high if low == 0.0 else math.sqrt(low * high)
    return gain
