import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netdesc.cli import main

ROOT = Path(__file__).parents[2]
YIN_YANG = str(ROOT / "examples" / "yin_yang.yaml")
COMMANDS = ("new", "check", "show", "run", "train", "evaluate", "gradient", "gradcheck", "schema", "backends")


def start(*words, **options):
    program = "import sys; from netdesc.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_without_a_command_the_commands_are_listed(capsys):
    assert main([]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(name, capsys):
    assert main([name, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_an_unknown_option_ends_with_2(capsys):
    assert main(["check", "--colour", YIN_YANG]) == 2
    assert "--colour" in capsys.readouterr().err


def test_an_unknown_option_is_told_as_json_too(capsys):
    assert main(["check", "--colour", YIN_YANG, "--json"]) == 2
    printed = capsys.readouterr()
    assert "--colour" in json.loads(printed.out)["errors"][0]["message"]
    assert printed.err == ""


def test_an_unknown_command_ends_with_2(capsys):
    assert main(["chek", YIN_YANG]) == 2
    assert "chek" in capsys.readouterr().err


def test_a_file_that_is_not_there_ends_with_2(capsys):
    assert main(["check", "absent.yaml"]) == 2
    assert "absent.yaml" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_told_without_a_traceback(capsys, tmp_path):
    target = tmp_path / "absent" / "out.h5"
    assert main(["run", str(ROOT / "examples" / "two_neurons.yaml"), "-o", str(target)]) == 2
    assert f"there is no folder {target.parent}" in capsys.readouterr().err


def test_check_imports_nothing_heavy():
    program = (
        "import sys; from netdesc.cli import main; main(sys.argv[1:]); "
        "print(sorted({'numba', 'h5py', 'matplotlib', 'rich', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", YIN_YANG],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_interrupt_ends_with_130_and_no_traceback(monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("netdesc.description.describe", interrupt)
    assert main(["check", YIN_YANG]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupt_while_modules_are_imported_ends_with_130_and_no_traceback():
    program = (
        "import builtins, sys; from netdesc.cli import main; found = builtins.__import__\n"
        "def interrupt(name, *rest):\n"
        "    if name == 'netdesc.cli.entry': raise KeyboardInterrupt\n"
        "    return found(name, *rest)\n"
        "builtins.__import__ = interrupt; sys.exit(main(['schema']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_goes_away_hears_no_complaint():
    process = start("schema")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141


def test_an_interrupted_training_leaves_no_traceback_and_can_go_on(tmp_path):
    words = (
        "train",
        YIN_YANG,
        "data.dataset.yin_yang.train=200",
        "populations.hidden.size=20",
        "-o",
        str(tmp_path / "run"),
    )
    # a shell that runs the tests in the background lets its children ignore interrupts
    process = start(
        *words,
        "training.epochs=100000",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "checkpoint.h5").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(2)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert main([*words, "training.epochs=1", "--resume"]) == 0


def test_the_list_of_commands_cuts_no_description(capsys):
    assert main(["--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


HEAVY = (
    "numba",
    "h5py",
    "matplotlib",
    "rich",
    "networkx",
    "typer",
    "pydantic",
    "scipy",
)
"""Each takes a tenth of a second or more to import."""


def imported(code: str) -> set[str]:
    script = f"import sys; {code}; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stderr.split())


def test_a_check_imports_nothing_heavy():
    found = imported("from netdesc.cli import main; main(['check', 'examples/two_neurons.yaml'])")
    assert "jsonschema" in found
    assert found.isdisjoint(HEAVY)


def test_the_library_that_validates_is_imported_to_validate():
    assert "jsonschema" not in imported("import netdesc, netdesc.cli.entry, netdesc.description")


@pytest.mark.parametrize("words", [["check"], ["check", "--json"], ["check", "-h"], ["check", "--nothing"]])
def test_a_check_with_options_is_read_by_the_parser(words, capsys):
    name = str(ROOT / "examples" / "two_neurons.yaml")
    plain = main(["check", name])
    assert plain == 0
    capsys.readouterr()
    status = main([*words, name]) if words == ["check", "--json"] else main(words)
    printed = capsys.readouterr()
    assert status == (0 if words[1:] in (["--json"], ["-h"]) else 2)
    assert printed.out if status == 0 else printed.err
