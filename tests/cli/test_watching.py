"""What a command reports of its work while it goes on."""

from __future__ import annotations

import logging
import time

import pytest

from netdesc.cli import watching
from netdesc.cli.output import STAGES, show
from netdesc.cli.watching import Lines, Spinner, Watcher, watch

KERNELS = logging.getLogger("netdesc.kernels")


class Shown:
    """A display that remembers."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def show(self, text: str) -> None:
        self.texts.append(text)

    def count(self, done: int, total: int) -> None:
        self.texts.append(f"{done} of {total}")

    def close(self) -> None:
        self.texts.append("closed")


def emit(watcher: Watcher, logger: logging.Logger, text: str) -> None:
    watcher.emit(logger.makeRecord(logger.name, logging.INFO, "", 0, text, (), None))


def test_functions_of_kernels_are_counted_and_the_stage_comes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = Shown()
    watcher = Watcher(shown)
    emit(watcher, STAGES, "simulating on numba")
    for text in (
        "compiling a: 3 functions", "translated f", "compiling b: 1 functions", "compiled b", "translated g",
        "translated h", "compiled a", "compiling c: 2 functions", "compiled c",
    ):  # fmt: skip
        emit(watcher, KERNELS, text)
    watcher.finish()
    assert shown.texts == [
        "simulating on numba", "0 of 3", "1 of 3", "1 of 3", "1 of 3", "2 of 3", "2 of 3",
        "simulating on numba", "3 of 5", "simulating on numba", "closed",
    ]  # fmt: skip
    assert capsys.readouterr().err == "compiled 3 kernels in 0 s, once per machine\n"


def test_a_cell_that_is_derived_meanwhile_is_shown() -> None:
    shown = Shown()
    watcher = Watcher(shown)
    for text in ("compiling a: 2 functions", "deriving EIF", "translated f"):
        emit(watcher, KERNELS, text)
    assert shown.texts == ["0 of 2", "deriving EIF", "0 of 2", "1 of 2"]


def test_without_a_terminal_it_is_said_once_that_kernels_are_compiled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PATIENCE", 0.05)
    lines = Lines()
    for done in range(3):
        lines.count(done, 3)
        time.sleep(0.2)
    lines.show("")
    lines.count(0, 1)
    time.sleep(0.2)
    lines.close()
    assert capsys.readouterr().err == "compiling kernels, once per machine\n"


def test_on_a_terminal_the_functions_are_counted_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    spinner = Spinner()
    for done in range(3):
        spinner.count(done, 40)
    assert [task.description for task in spinner._progress.tasks] == [
        "compiling kernels, once per machine: 2 of 40 functions"
    ]
    spinner.show("simulating")
    assert [task.description for task in spinner._progress.tasks] == ["simulating"]
    spinner.show("")
    assert not spinner._progress.tasks
    spinner.close()


def test_messages_of_parts_are_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    with watch():
        logging.getLogger("netdesc.comparison").info("numba: running")
        logging.getLogger("netdesc.kernels").warning("no cache")
    assert capsys.readouterr().err == "numba: running\nno cache\n"
    assert not logging.getLogger("netdesc").handlers


def test_a_short_stage_leaves_no_line_and_a_long_one_does(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PATIENCE", 0.05)
    with watch():
        STAGES.info("short")
        STAGES.info("long")
        time.sleep(0.5)
        show("result")
    assert capsys.readouterr() == ("result\n", "long\n")


def test_many_short_stages_are_reported_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Lines()
    monkeypatch.setattr(watching, "SILENCE", -1.0)
    lines.show("entry 1 of 9")
    monkeypatch.setattr(watching, "SILENCE", 100.0)
    lines.show("entry 2 of 9")
    lines.close()
    assert capsys.readouterr().err == "entry 1 of 9\n"
