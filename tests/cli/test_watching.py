"""What a command reports of its work while it goes on."""

from __future__ import annotations

import logging
import time

import pytest

from netdesc.cli import watching
from netdesc.cli.output import STAGES, show
from netdesc.cli.watching import Lines, Watcher, watch

KERNELS = logging.getLogger("netdesc.kernels")


class Shown:
    """A display that remembers."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def show(self, text: str) -> None:
        self.texts.append(text)

    def close(self) -> None:
        self.texts.append("closed")


def emit(watcher: Watcher, logger: logging.Logger, text: str) -> None:
    watcher.emit(logger.makeRecord(logger.name, logging.INFO, "", 0, text, (), None))


def test_kernels_are_counted_and_the_stage_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown()
    watcher = Watcher(shown)
    emit(watcher, STAGES, "simulating on numba")
    for text in ("compiling a", "compiling b", "compiled b", "compiled a", "compiling c", "compiled c"):
        emit(watcher, KERNELS, text)
    watcher.finish()
    assert shown.texts == [
        "simulating on numba",
        "compiling kernel 1, once per machine",
        "compiling kernel 2, once per machine",
        "compiling kernel 2, once per machine",
        "simulating on numba",
        "compiling kernel 3, once per machine",
        "simulating on numba",
        "closed",
    ]
    assert capsys.readouterr().err == "compiled 3 kernels in 0 s, once per machine\n"


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
