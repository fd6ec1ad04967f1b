"""Other simulators doing the same work as netdesc, taking turns on one machine.

Installs each into an environment of its own below ``.bench``, measures, and writes tables with ratios and
charts to ``docs/benchmarks/peers.md``. A simulator that cannot be installed, or does not finish, is on the
page with the reason. Works that are not measured this time are on it as they were measured last.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from chart import draw
from contest import Case, as_record, compete
from environments import FOLDER, ROOT, Environment, install, list_peers
from page import describe_machine, write_page
from works import PROCESSORS, WORKS

PAGE = ROOT / "docs" / "benchmarks" / "peers.md"
RECORDS = FOLDER / "results.json"


def list_names(text: str) -> list[str]:
    """Split names at commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def list_numbers(text: str) -> list[int]:
    """Split whole numbers at commas."""
    return [int(name) for name in list_names(text)]


def read_arguments() -> argparse.Namespace:
    """Return the settings of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--work", type=list_names, default=list(WORKS), help=f"some of {','.join(WORKS)}")
    add("--peers", type=list_names, default=list_peers(), help=f"some of {','.join(list_peers())}")
    add("--rounds", type=int, default=7, help="turns of every contestant")
    add("--turn", type=float, default=0.5, help="seconds that a turn lasts at least")
    add(
        "--limit",
        type=float,
        default=900.0,
        help="seconds in which a contestant must be ready, or end a turn",
    )
    add("--budget", type=float, default=300.0, help="seconds for the turns of a case; three are always taken")
    add("--hidden", type=list_numbers, default=[256, 512, 1024], help="recurrent: hidden neurons")
    add("--batch", type=int, default=32, help="recurrent: samples")
    add("--spikes", type=int, default=7000, help="recurrent: input spikes of a random sample")
    add("--digits", type=Path, help="recurrent: file in the layout of the Spiking Heidelberg Digits")
    add("--images", type=int, default=1500, help="mnist: samples of an epoch, a multiple of 150")
    add("--mnist", type=Path, help="mnist: folder of IDX files")
    add("--neurons", type=int, default=4000, help="balanced: neurons")
    add(
        "--delays",
        type=lambda text: [float(item) for item in list_names(text)],
        default=[0.1, 1.5],
        help="balanced: delays in ms",
    )
    add("--records", type=Path, default=RECORDS, help="what was measured so far, by work")
    add("-o", "--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    for name, known in (("work", list(WORKS)), ("peers", list_peers())):
        if unknown := [item for item in getattr(arguments, name) if item not in known]:
            parser.error(f"--{name}: expected some of {', '.join(known)}, got {', '.join(unknown)}")
    for path, name in ((arguments.digits, "--digits"), (arguments.mnist, "--mnist")):
        if path is not None and not path.exists():
            parser.error(f"{name}: {path} does not exist")
    if arguments.images % 150:
        parser.error(f"--images: expected a multiple of 150, got {arguments.images}")
    return arguments


def select(case: Case, options: argparse.Namespace) -> Case:
    """Return a case with the length of a turn, and without the peers that are not to be measured."""
    entries = [entry for entry in case.entries if entry.peer in ("netdesc", *options.peers)]
    return replace(case, entries=entries, settings={**case.settings, "turn": options.turn})


def describe(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the page says about the settings."""
    random = f"random input spikes, {options.spikes:,} a sample, within the first second"
    return {
        "machine": describe_machine(PROCESSORS),
        "batch": options.batch,
        "neurons": options.neurons,
        "input": random if options.digits is None else "spoken digits",
        "images": "handwritten digits" if options.mnist else "random shapes of about a hundred bright pixels",
    }


def measure(options: argparse.Namespace) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Install the peers, and after every case yield its work with what was measured of it so far."""
    environments = {"netdesc": Environment("netdesc", Path(sys.executable))}
    environments |= {peer: install(peer) for peer in options.peers}
    about = describe(options)
    with tempfile.TemporaryDirectory() as folder:
        for work in options.work:
            records = []
            for case in WORKS[work](options, Path(folder)):
                print(f"{case.work}, {case.label}", flush=True)
                results = compete(
                    select(case, options),
                    environments,
                    rounds=options.rounds,
                    limit=options.limit,
                    budget=options.budget,
                )
                records.append({**as_record(case, results), "about": about})
                yield work, list(records)


def write(kept: dict[str, list[dict[str, Any]]], output: Path) -> str:
    """Write charts and the page of all works that were measured, and return its text."""
    output.parent.mkdir(parents=True, exist_ok=True)
    works = [work for work in WORKS if kept.get(work)]
    for work in works:
        draw(kept[work], output.parent / f"{output.stem}_{work}.svg")
    page = write_page([record for work in works for record in kept[work]], output.stem)
    output.write_text(page, encoding="utf-8")
    return page


def main() -> None:
    """Measure, and write after every case."""
    options = read_arguments()
    kept: dict[str, list[dict[str, Any]]] = {}
    if options.records.exists():
        kept = json.loads(options.records.read_text(encoding="utf-8"))
    options.records.parent.mkdir(parents=True, exist_ok=True)
    page = ""
    for work, records in measure(options):
        kept[work] = records
        options.records.write_text(json.dumps(kept), encoding="utf-8")
        page = write(kept, options.output)
    print(page)


if __name__ == "__main__":
    main()
