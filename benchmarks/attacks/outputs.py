"""Models and commands for attacks on what netdesc writes, and what must hold afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MODEL = """netdesc: 1
name: attack
simulation: {duration: 40 ms}
populations:
  input: {size: 5, source: dataset}
  hidden: {size: 20, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  first: {pre: input, post: hidden, weight: {init: {normal: {mu: 1.5, sigma: 0.8}}, train: true}}
  second: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.5, sigma: 0.3}}, train: true}}
data:
  dataset: {yin_yang: {train: 60, validation: 30, test: 30}}
  encoder: {latency: {t_early: 0 ms, t_late: 20 ms}}
losses:
  task: {time_to_first_spike: {population: output}}
training: {epochs: 2, batch_size: 30, optimizer: {adam: {learning_rate: 0.005}}}
record:
  hidden: [{v: {every: 0.5 ms}}]
"""
"""Small and quick, and with recordings, so that files have some size."""


def run_netdesc(words: Sequence[str], folder: Path) -> tuple[int, str]:
    """Run a command in a folder; return its status (negative for a signal) and what it printed."""
    done = subprocess.run(
        list_command(words),
        cwd=folder,
        env=list_variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


def list_command(words: Sequence[str]) -> list[str]:
    """Return a command line of this Python."""
    return [sys.executable, "-m", "netdesc", *words]


def list_variables() -> Mapping[str, str]:
    """Return the environment in which the netdesc of this folder is found, wherever a command runs."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "backends")))
    return {**os.environ, "PYTHONPATH": paths}


def is_whole(path: Path) -> bool:
    """Return whether a file that netdesc wrote is complete."""
    content = path.read_bytes()
    if path.suffix == ".h5":
        return is_whole_hdf5(path)
    if path.suffix == ".png":
        return content.startswith(b"\x89PNG") and content.endswith(b"IEND\xaeB`\x82")
    if path.suffix == ".html":
        return content.startswith(b"<!DOCTYPE html>") and content.endswith(b"</html>\n")
    return path.suffix not in (".csv", ".json", ".yaml", ".txt") or content.endswith(b"\n")


def is_whole_hdf5(path: Path) -> bool:
    """Return whether every dataset of a file can be read."""
    import h5py

    def read(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(read)
    except (OSError, RuntimeError):
        return False
    return True


def list_drafts(folder: Path) -> list[str]:
    """Return the names of files that are not complete."""
    return [path.name for path in folder.rglob("*.draft")]


def write_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
