"""The benchmark of the emulated chip's speed, on tiny settings; times are not looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("speed") / "page.md"
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "benchmarks" / "brainscales2_speed.py"),
            "--rounds",
            "2",
            "--batch",
            "4",
            "--hidden",
            "12",
            "--image-rounds",
            "1",
            "--images",
            "2",
            "-o",
            str(target),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == target.read_text(encoding="utf-8")
    return done.stdout


def read_rows(text: str, first: str) -> dict[str, list[str]]:
    lines = text[text.index(first) :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows}


def test_the_chip_is_compared_with_the_solver_forward_and_back(page: str) -> None:
    rows = read_rows(page, "| run | ratio")
    assert list(rows) == ["forward", "adjoint", "both"]
    assert all(float(cell) > 0 for row in rows.values() for cell in row)


def test_images_are_timed_with_all_samples_of_membranes(page: str) -> None:
    rows = read_rows(page, "| | time")
    assert len(rows) == 3
    assert all(float(cell.split()[0]) > 0 for row in rows.values() for cell in row)
