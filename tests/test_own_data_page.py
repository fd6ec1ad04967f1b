import re
import shlex
import shutil
from pathlib import Path

from netdesc.cli import main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how_to" / "bring_your_own_data.md"


def test_the_page_of_own_data_works_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "iris.csv", tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    steps = re.findall(r"^```(console|python)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in steps].count("console") == 4
    printed = []
    for kind, block in steps:
        if kind == "python":
            capsys.readouterr()
            exec(compile(block, "page", "exec"), {})
            printed.append(capsys.readouterr().out.split()[0])
            continue
        for line in block.splitlines():
            assert main(shlex.split(line.removeprefix("$ netdesc "))) == 0, capsys.readouterr().err
            for file in tmp_path.glob("*.yaml"):
                # Two epochs show that training works; accuracy is a test of its own.
                written = file.read_text(encoding="utf-8")
                file.write_text(re.sub(r"epochs: \d+", "epochs: 2", written), encoding="utf-8")
    made = {path.name for path in (tmp_path / "runs").iterdir()}
    assert made == {"iris", "spikes", "prices", "arrays", "traces", "traces_of_arrays"}
    # What Python prints first: numbers of samples, a loss of voltages, an accuracy, a repr.
    *counts, loss, accuracy, shown = printed
    assert (counts, shown) == (["300", "200", "400"], "Samples(2")
    assert float(loss) < 0.002
    assert float(accuracy) > 0.9


def test_the_page_shows_the_model_that_is_written(tmp_path, monkeypatch):
    from netdesc.description import describe, describe_text

    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "examples" / "iris.csv", tmp_path)
    assert main(["new", "--from", "iris.csv", "--label", "species"]) == 0
    shown = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0]
    assert describe("iris.yaml").digest == describe_text(shown).digest
