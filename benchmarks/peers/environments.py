"""An environment for each simulator, installed once below ``.bench`` in the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FOLDER = ROOT / ".bench"
DROPPED = ("OPENBLAS_CORETYPE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that no worker sees: one slows matrix products down, the others lead out of an environment."""


@dataclass(frozen=True)
class Environment:
    """Where a simulator is installed, or why it is not.

    Parameters
    ----------
    peer : str
    python : Path
        Its interpreter.
    fault : str
        Empty where it is installed.
    """

    peer: str
    python: Path
    fault: str = ""


def list_peers() -> list[str]:
    """Return the simulators that have a list of requirements, in alphabetical order."""
    return sorted(path.stem for path in (HERE / "requirements").glob("*.txt"))


def install(peer: str) -> Environment:
    """Create the environment of a simulator, unless it is there with the same requirements.

    Nothing is raised where that fails: the environment then says why.
    """
    wanted = (HERE / "requirements" / f"{peer}.txt").read_text(encoding="utf-8")
    place, stamp = FOLDER / peer, FOLDER / peer / "installed.txt"
    python = place / "bin" / "python"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return Environment(peer, python)
    print(f"installing {peer}: {', '.join(wanted.split())}", flush=True)
    requirements = ["-r", str(HERE / "requirements" / f"{peer}.txt")]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, env=clean(), check=False)
        if done.returncode:
            return Environment(peer, python, find_reason(done.stderr))
    stamp.write_text(wanted, encoding="utf-8")
    return Environment(peer, python)


def find_reason(text: str) -> str:
    """Return the line of an error output that says most: the last error, or else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no output"])[-1][:200]


def clean(threads: int = 1) -> dict[str, str]:
    """Return the environment variables of a worker that computes on so many threads."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    count = str(threads)
    kept.update(
        OMP_NUM_THREADS=count,
        OPENBLAS_NUM_THREADS=count,
        MKL_NUM_THREADS=count,
        NUMBA_NUM_THREADS=count,
        JAX_PLATFORMS="cpu",
        CUDA_VISIBLE_DEVICES="",
        PYTHONWARNINGS="ignore",
    )
    if threads == 1:
        kept["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return kept
