import re
import shlex
from pathlib import Path

import pytest

from netdesc.cli import main
from netdesc.description import describe_text
from netdesc.errors import DescriptionError

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = [
    ROOT / "README.md",
    ROOT / "docs" / "getting_started.md",
    *sorted((ROOT / "docs" / "how_to").glob("*.md")),
]
IN_ORDER = [ROOT / "docs" / "how_to" / "bring_your_own_data.md"]
"""Pages that are followed from top to bottom, by tests of their own."""

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


def blocks(page, language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def cases(language, left_out=()):
    return [
        pytest.param(block, id=f"{page.stem}-{index}")
        for page in PAGES
        if page not in left_out
        for index, block in enumerate(blocks(page, language))
    ]


def require_files(path):
    if path.stem == "mnist" and not (path.parent / "mnist").is_dir():
        pytest.skip("no MNIST files beside the example; test_examples.py looks for them elsewhere")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_passes_check(path, capsys):
    require_files(path)
    assert main(["check", str(path), "--backend", "numba"]) == 0
    assert "valid" in capsys.readouterr().out


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_runs(path, capsys):
    require_files(path)
    assert main(["run", str(path), "--json"]) == 0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_names_its_schema(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named is not None
    assert (path.parent / named[1]).is_file()


@pytest.mark.parametrize("text", cases("yaml"))
def test_every_file_on_a_page_is_valid(text):
    assert describe_text(text).populations


def test_the_readme_shows_the_example_as_it_is():
    example = ROOT / "examples" / "yin_yang.yaml"
    assert blocks(ROOT / "README.md", "yaml")[0] == example.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_relative_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert dead == []


@pytest.mark.parametrize("page", sorted({*COMMANDS} - {*IN_ORDER}), ids=lambda page: page.stem)
def test_every_command_on_a_page_works(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for line in "".join(blocks(page, "console")).splitlines():
        words = shlex.split(line.removeprefix("$ netdesc ").partition(" > ")[0])
        # A shrunk network misses what the file expects, which is status 1 by design.
        assert main(words) in ((0, 1) if words[0] in ("evaluate", "test") else (0,)), capsys.readouterr().err
        for file in tmp_path.glob("*.yaml"):
            shrink(file)


def shrink(file):
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        "{train: 5000, validation: 1000, test: 1000}", "{train: 64, validation: 32, test: 32}"
    )
    file.write_text(text.replace("size: 200", "size: 20"), encoding="utf-8")


@pytest.mark.parametrize("program", cases("python", IN_ORDER))
def test_every_program_on_a_page_runs(program, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(compile(program, "page", "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_message_on_a_page_is_one_that_is_given(page):
    quoted = re.findall(r"^    (yin_yang\.yaml:\d+:\d+ .*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    text = (ROOT / "examples" / "yin_yang.yaml").read_text(encoding="utf-8")
    wrong = text.replace("duration: 40 ms", "duration: 40").replace("pre: hidden", "pre: hiden")
    with pytest.raises(DescriptionError) as caught:
        describe_text(wrong, "yin_yang.yaml")
    given = [str(item) for item in caught.value.diagnostics]
    assert [message for message in quoted if message not in given] == []


def test_the_changelog_has_unreleased_on_top():
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
