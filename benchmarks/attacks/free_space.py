"""Commands on a small file system with less and less space.

Every command that writes runs at several levels of free space, from none to more than enough, with the file
of an earlier run in place. It must end with status 0 and a complete new file, or with status 2, a message
and the old file unchanged: never by a signal, with a traceback, or with a draft left over. Prints a table;
exit status 1 if anything else happens. Needs root for the small file system, and says so otherwise.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from outputs import MODEL, is_whole, list_drafts, run_netdesc, write_table

SIZE = 32 * 2**20
"""Bytes of the small file system."""


class Case(NamedTuple):
    """A command, and the file or folder that it writes in the small file system."""

    words: tuple[str, ...]
    target: str


CASES = {
    "run -o": Case(("run", "{model}", "-o", "out.h5"), "out.h5"),
    "run --plot": Case(("run", "{model}", "--plot", "out.png"), "out.png"),
    "gradient -o": Case(("gradient", "{model}", "-o", "gradient.h5"), "gradient.h5"),
    "graph -o": Case(("graph", "{model}", "-o", "graph.png"), "graph.png"),
    "plot": Case(("plot", "{result}", "--kind", "raster", "-o", "raster.png"), "raster.png"),
    "compare -o": Case(
        (
            "compare",
            "{model}",
            "--backends",
            "numba,coarse=numba:solver.grid.timestep=1ms",
            "--samples",
            "2",
            "--test-samples",
            "10",
            "--no-attribute",
            "-o",
            "report.html",
        ),
        "report.html",
    ),
    "train -o": Case(("train", "{model}", "-o", "run"), "run"),
}


@contextmanager
def mount_small(folder: Path) -> Iterator[bool]:
    """Mount a small file system; yield whether that was possible."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, free: int) -> Path:
    """Write a file that leaves so many bytes free."""
    ballast = folder / "ballast"
    state = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - free))
    return ballast


def read_target(target: Path) -> dict[str, bytes]:
    """Return the contents of a file, or of the files of a folder."""
    files = [target] if target.is_file() else sorted(path for path in target.rglob("*") if path.is_file())
    return {str(path.relative_to(target.parent)): path.read_bytes() for path in files}


def attempt(case: Case, places: dict[str, str], folder: Path, free: int) -> tuple[int, list[str]]:
    """Run a command with so many bytes free; return its status, and what is wrong."""
    target = folder / case.target
    before = read_target(target)
    if target.is_dir():
        shutil.rmtree(target)
    ballast = fill(folder, free)
    status, printed = run_netdesc([word.format(**places) for word in case.words], folder)
    ballast.unlink()
    after = read_target(target)
    faults = [f"status {status}"] if status not in (0, 2) else []
    faults += ["traceback"] if "Traceback" in printed or "bug in netdesc" in printed else []
    faults += ["draft left"] if list_drafts(folder) else []
    faults += [f"{name} damaged" for name in after if not is_whole(folder / name)]
    if status == 2:
        faults += [] if "no space" in printed.lower() else ["no message of the full disk"]
        faults += ["old file changed"] if target.is_file() and after != before else []
    return status, faults


def sweep(cases: Sequence[str], levels: int, folder: Path) -> Iterator[tuple[object, ...]]:
    """Yield a row of the table per command."""
    with TemporaryDirectory() as scratch:
        model, result = Path(scratch, "model.yaml"), Path(scratch, "result.h5")
        model.write_text(MODEL, encoding="utf-8")
        places = {"model": str(model), "result": str(result)}
        run_netdesc(["run", str(model), "-o", str(result)], Path(scratch))
        for name in cases:
            case = CASES[name]
            status, printed = run_netdesc([word.format(**places) for word in case.words], folder)
            if status:
                yield name, 0, 0, 0, f"fails with all space: {printed.strip()}"
                continue
            need = sum(len(content) for content in read_target(folder / case.target).values())
            done = [
                attempt(case, places, folder, round(1.5 * need * level / max(1, levels - 1)))
                for level in range(levels)
            ]
            found = sorted({fault for _, faults in done for fault in faults})
            statuses = [status for status, _ in done]
            yield name, need, statuses.count(0), statuses.count(2), ", ".join(found) or "-"


def main() -> None:
    """Sweep, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--levels", type=int, default=25, help="levels of free space per command")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, mount_small(Path(folder)) as possible:
        if not possible:
            print("skipped: a small file system can only be mounted by root")
            return
        rows = list(sweep(arguments.cases, arguments.levels, Path(folder)))
    print(write_table(("command", "bytes", "written", "refused", "faults"), rows))
    if any(row[-1] != "-" for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
