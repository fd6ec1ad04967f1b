from pathlib import Path

import pytest

from netdesc import load
from netdesc.cli.commands.train import choose_directory
from netdesc.training.session import run_directory

MODEL = {
    "netdesc": 1,
    "simulation": {"duration": "1 ms"},
    "populations": {"a": {"size": 1, "neuron": {"LIF": {}}}},
}


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a b", "plain", "..", "Größe"])
def test_a_run_lies_in_the_folder_of_runs_whatever_its_name_from_python_as_from_the_command_line(name):
    folder = run_directory(load({**MODEL, "name": name}).description, None)
    assert (folder.parent, choose_directory(name)) == (Path("runs"), folder)
    assert folder.name not in ("", ".", "..")


def test_a_named_directory_is_used_as_it_is(tmp_path):
    assert run_directory(load({**MODEL, "name": "../x"}).description, tmp_path) == tmp_path
