"""How failures end that nobody foresaw, and output that cannot be written."""

import json
import logging
import os
import subprocess
import sys
import threading
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
import yaml

from netdesc.cli import main
from netdesc.cli.faults import keep_journal, write_log
from netdesc.errors import NetdescWarning

ROOT = Path(__file__).parents[2]
FILE = str(ROOT / "examples" / "two_neurons.yaml")


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path / "netdesc"


def fail_with(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("netdesc.description.describe", fail)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 3, "the machine has run out of memory"),
        (RecursionError("maximum recursion depth exceeded"), 2, "nested too deeply"),
        (EOFError("EOF: reading array data"), 2, "ends too early or is damaged"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, "not UTF-8"),
        (PermissionError(13, "Permission denied", "secret.npy"), 2, "secret.npy: Permission denied"),
        (OSError(28, "No space left on device"), 2, "no space is left on the device"),
        (zipfile.BadZipFile("File is not a zip file"), 2, "damaged"),
        (zlib.error("Error -3"), 2, "damaged"),
        (yaml.YAMLError("while parsing"), 2, "damaged"),
    ],
)
def test_what_a_user_can_cause_ends_as_a_message(monkeypatch, capsys, error, status, words):
    fail_with(monkeypatch, error)
    assert main(["check", FILE]) == status
    errors = capsys.readouterr().err
    assert words in errors
    assert "Traceback" not in errors
    assert "interrupted" not in errors


def test_a_bug_says_where_to_report_it_and_leaves_a_log_file(monkeypatch, capsys, state):
    fail_with(monkeypatch, ZeroDivisionError("inner words"))
    assert main(["check", FILE]) == 70
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "this is a bug in netdesc (ZeroDivisionError in test_faults.py, line" in errors
    assert "issue tracker of netdesc" in errors
    assert "Traceback" not in errors
    (log,) = state.iterdir()
    assert str(log) in errors
    text = log.read_text()
    assert all(part in text for part in ("Traceback", "inner words", f"netdesc check {FILE}", "Python 3"))
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_bug_is_reported_as_json_too(monkeypatch, capsys, state):
    fail_with(monkeypatch, AssertionError())
    assert main(["check", FILE, "--json"]) == 70
    assert "bug in netdesc" in json.loads(capsys.readouterr().out)["errors"][0]["message"]


def test_a_log_goes_to_the_temporary_folder_where_the_usual_one_cannot_be_made(monkeypatch, tmp_path, state):
    state.write_text("a file in the place of the folder")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with keep_journal() as journal:
        log = write_log(ValueError(), journal, ["check"])
    assert log is not None
    assert log.parent == tmp_path / "temporary"
    (tmp_path / "temporary").rename(tmp_path / "other")
    (tmp_path / "temporary").write_text("")
    assert write_log(ValueError(), journal, ["check"]) is None


def test_old_log_files_are_removed(state):
    state.mkdir()
    for number in range(30):
        (state / f"netdesc-error-2000{number:02}.log").write_text("")
    with keep_journal() as journal:
        log = write_log(ValueError(), journal, ["check"])
    assert log in state.iterdir()
    assert len(list(state.iterdir())) == 20


def test_warnings_of_libraries_are_kept_and_ours_are_shown(capsys):
    with warnings.catch_warnings(), keep_journal() as journal:
        warnings.simplefilter("always")
        warnings.warn("overflow encountered", RuntimeWarning, stacklevel=1)
        warnings.warn("the noise is large", NetdescWarning, stacklevel=1)
        logging.getLogger("matplotlib.font_manager").warning("findfont: not found")
        logging.getLogger("netdesc.kernels").warning("no cache")
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    assert capsys.readouterr().err == "warning: the noise is large\nno cache\n"
    assert [
        part
        for part in ("overflow encountered", "findfont", "ZeroDivisionError")
        if part not in "\n".join(journal.lines)
    ] == []


def run_shell(command):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "backends")))}
    done = subprocess.run(
        ["bash", "-c", command.replace("netdesc", f"'{sys.executable}' -m netdesc", 1)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    return done.returncode, done.stdout, done.stderr


FULL = (
    "standard output cannot be written: no space is left on the device; free some, "
    "or write to another place\n"
)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("netdesc schema --json > /dev/full", 2, FULL),
        ("netdesc schema > /dev/full", 2, FULL),
        ("netdesc check absent.yaml --json > /dev/full", 2, FULL),
        ("netdesc --help > /dev/full", 2, FULL.partition(": ")[2]),
        ("netdesc schema >&-", 2, "standard output is closed, so the result cannot be printed\n"),
        ("netdesc check absent.yaml 2>&-", 2, ""),
        ("netdesc check absent.yaml 2> /dev/full", 2, ""),
        ("netdesc check absent.yaml >&- 2>&-", 2, ""),
        ("netdesc schema | head -0; exit ${PIPESTATUS[0]}", 141, ""),
        ("netdesc --help | head -0; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)
def test_output_that_cannot_be_written_ends_with_a_status_and_no_noise(command, status, message):
    assert run_shell(command) == (status, "", message)


def test_text_that_the_terminal_has_no_characters_for_is_written_out(tmp_path):
    (tmp_path / "model.yaml").write_text(
        "netdesc: 1\nname: caf\u00e9\nsimulation: {duration: 1 ms}\n"
        "populations: {a: {size: 1, neuron: LIF}}\n",
        encoding="utf-8",
    )
    command = f"PYTHONIOENCODING=ascii netdesc show {tmp_path}/model.yaml"
    status, shown, errors = run_shell(command)
    assert (status, errors) == (0, "")
    assert "caf\\xe9" in shown
    assert json.loads(run_shell(f"{command} --json")[1])["resolved"]["name"] == "caf\u00e9"


@pytest.mark.parametrize("words", [["show"], ["check"], ["show", "--json"], ["show", "--resolved"]])
def test_control_characters_of_a_file_never_reach_the_terminal(tmp_path, capsys, words):
    file = tmp_path / "mo\x1b[31mdel.yaml"
    file.write_text(
        'netdesc: 1\nname: "\\e]0;title\\a \\x9b31m"\nsimulation: {duration: 1 ms}\n'
        "populations: {a: {size: 1, neuron: LIF}}\n",
        encoding="utf-8",
    )
    main([words[0], str(file), *words[1:]])
    main([words[0], str(file) + "\x1b[2J", *words[1:]])
    main([words[0], str(file), "populations.\x1b[2J=1", *words[1:]])
    printed = capsys.readouterr()
    assert printed.out
    assert not set("\x1b\x07\x9b") & set(printed.out + printed.err)
