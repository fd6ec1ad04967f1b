from pathlib import Path

import pytest

from netdesc.cli import main

FOLDER = Path(__file__).parents[1] / "data" / "invalid"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_wrong_file_ends_with_2_and_writes_nothing(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert path.name in printed.err
    assert list(tmp_path.iterdir()) == []
