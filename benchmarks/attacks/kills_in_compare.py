"""Comparisons that are killed at random moments.

``netdesc compare -o REPORT.html --csv NUMBERS.csv`` is killed again and again (signal 9), half of the times
around the moment at which it writes. Afterwards each file must be the old one or a complete new one, and the
next run must leave no draft. Prints a table; exit status 1 if a file was damaged.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from outputs import MODEL, is_whole, list_command, list_drafts, list_variables, run_netdesc, write_table

WORDS = (
    "compare",
    "model.yaml",
    "--backends",
    "numba,coarse=numba:solver.grid.timestep=1ms",
    "--samples",
    "2",
    "--test-samples",
    "10",
    "--no-attribute",
    "-o",
    "report.html",
    "--csv",
    "numbers.csv",
)
FILES = ("report.html", "numbers.csv")


def kill_once(folder: Path, delay: float, *, at_write: bool) -> bool:
    """Start a comparison and kill it; return whether it was still at work.

    Parameters
    ----------
    folder : Path
    delay : float
        Seconds from the start, or from the first draft.
    at_write : bool
        Whether to wait for a draft first.
    """
    process = subprocess.Popen(
        list_command(WORDS),
        cwd=folder,
        env=list_variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = {name: (folder / name).stat().st_ino for name in FILES}
    while (
        at_write
        and process.poll() is None
        and not list_drafts(folder)
        and all((folder / name).stat().st_ino == inode for name, inode in before.items())
    ):
        time.sleep(0.0005)
    time.sleep(delay)
    process.kill()
    return process.wait() < 0


def attack(kills: int, folder: Path) -> list[tuple[object, ...]]:
    """Kill comparisons; return the rows of the table."""
    (folder / "model.yaml").write_text(MODEL, encoding="utf-8")
    run_netdesc(WORDS, folder)
    begin = time.perf_counter()
    status, printed = run_netdesc(WORDS, folder)
    if status:
        raise SystemExit(f"the comparison fails when it is left alone:\n{printed}")
    whole = time.perf_counter() - begin
    random.seed(1)
    rows: list[tuple[object, ...]] = []
    for number, moment in enumerate(("any moment", "while it writes")):
        killed = damaged = drafts = 0
        while killed < (kills + 1 - number) // 2:
            delay = random.uniform(0.0, whole) if number == 0 else random.uniform(0.0, 0.01)
            killed += kill_once(folder, delay, at_write=number == 1)
            damaged += sum(not is_whole(folder / name) for name in FILES)
            drafts += len(list_drafts(folder)) > 0
        rows.append((moment, killed, drafts, damaged))
    status, _ = run_netdesc(WORDS, folder)
    left = len(list_drafts(folder))
    rows.append(("not at all", 0, left, (status != 0) + sum(not is_whole(folder / name) for name in FILES)))
    return rows


def main() -> None:
    """Kill, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows = attack(arguments.kills, Path(folder))
    print(write_table(("killed at", "killed", "drafts left", "damaged files"), rows))
    if any(row[-1] for row in rows) or rows[-1][-2]:
        sys.exit(1)


if __name__ == "__main__":
    main()
