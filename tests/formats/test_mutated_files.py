"""A small round of the attack with damaged files."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "benchmarks" / "attacks" / "mutated_files.py"


def test_damaged_files_are_read_or_refused_with_a_message() -> None:
    command = [sys.executable, str(PROGRAM), "--models", "40", "--data", "120", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "checkpoint.h5" in done.stdout
