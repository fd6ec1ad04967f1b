import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
from linear_machine import train_linear

SCRIPT = """
import sys, time
from linear_machine import train_linear
train_linear(sys.argv[1], "training.epochs=40", progress=lambda report: time.sleep(0.02))
"""


def read(path):
    with h5py.File(path, "r") as file:
        return file["parameters/only.weight"][()].tobytes(), int(file.attrs["epoch"])


def start_training(output):
    here = Path(__file__).parent
    paths = [str(here), str(here.parents[1]), str(here.parents[1] / "backends")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(output)], env=environment)


def kill_after_epoch(process, metrics, epoch):
    deadline = time.monotonic() + 60
    try:
        while not (metrics.exists() and metrics.read_text().count("\n") > epoch):
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline, f"the training did not get to epoch {epoch}"
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_run_that_was_killed_goes_on_bit_for_bit(tmp_path):
    process = start_training(tmp_path / "killed")
    kill_after_epoch(process, tmp_path / "killed" / "metrics.csv", 3)
    assert process.returncode == -signal.SIGKILL
    assert read(tmp_path / "killed" / "checkpoint.h5")[1] < 40
    resumed = train_linear(tmp_path / "killed", "training.epochs=40", resume=True)
    whole = train_linear(tmp_path / "whole", "training.epochs=40")
    assert read(tmp_path / "killed" / "checkpoint.h5") == read(tmp_path / "whole" / "checkpoint.h5")
    assert [report.loss for report in resumed.reports] == [report.loss for report in whole.reports]
