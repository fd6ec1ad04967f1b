"""Plain terms in messages, pages and JSON keys: phrases that are not used any more."""

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from netdesc.cli.app import assemble
from netdesc.comparison.keys import FORMER, GRADIENT

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").glob("*.yaml")),
]
CODE = [
    path
    for folder in (ROOT / "netdesc", ROOT / "benchmarks", *(ROOT / "backends").iterdir())
    for path in sorted(folder.rglob("*.py"))
]
ASSETS = [*sorted((ROOT / "netdesc" / "report" / "assets").glob("*.js"))]

PHRASES = (
    r"is due here",
    r"\bit says\b",
    r"weight words",
    r"weights as run",
    r"streams? of noise",
    r"without (?:a )?partner",
    r"gradient length",
    r"silent labels?\b",
    r"ties wrong",
    r"trained apart",
    r"\bafresh\b",
    r"\banew\b",
    r"largest cause",
    r"points the other way",
    r"\bdepartures?\b",
    r"scheme paper\b",
    r"\b(?:a|here|neither|value) is due\b",
    r"\bstands? (?:here|twice|for nothing)\b",
    r"\bknown are\b",
    r"\bexchange them\b",
    r"\bgo on with\b",
    r"\bthere is no kind\b",
    r"\bhas no place in\b",
    r"\bexpressions know\b",
    r"\btake another\b",
    r"\btold\b",
    r"\btells?\b",
    r"line of names",
    r"not known here",
    r"\bis not possible; ",
    r"written-out",
    r"\blooks? at a population",
    r"loss looks at",
    r"\bexplodes\b",
    r"\bis dead\b",
    r"spikes? without end",
    r"a sign were swapped",
    r"make it first",
    r"lead back to themselves",
    r"\bbug of netdesc",
    r"no room for (?:the moments|a velocity)",
    r"is left as it is",
    r"cannot be (?:run|trained) yet",
    r"aware of the hardware",
    r"only just (?:happened|reach)",
    r"in the first place",
    r"right output",
    r"output that is right",
    r"by the seed\b",
    r"\bexpected: ",
    r"in which the device computes",
    r"\bgoes? on\b",
    r"behind times",
    r"\bwith much to do\b",
    r"rate of its own",
    r"\bone more neuron\b",
    r"\bas it was published\b",
    r"\bis about (?:targets|times)",
    r"as many times as long",
    r"exactly one may",
    r"the device took",
    r"\bis claimed",
    r"returned the result",
    r"finds no derivative",
    r"ms is not a step",
    r"agree with its checksum",
    r"without end\b",
    r"same bit for bit",
    r"fall on ticks",
    r"fall where v",
)
"""Regular expressions of terms that plainer ones have replaced."""

METHOD = "departures"
"""Former name of a method of backends, still looked up."""


@cache
def literals(path):
    """Return all texts of a module but its docstrings and comments."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    plain = {
        id(item.value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        for item in node.body
        if isinstance(item, ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in plain
    ]


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_message_has_a_replaced_phrase(phrase):
    found = [
        f"{path.name}: {text[:80]}"
        for path in CODE
        for text in literals(path)
        if re.search(phrase, text) and text != METHOD
    ]
    found += [path.name for path in ASSETS if re.search(phrase, path.read_text(encoding="utf-8"))]
    assert found == []


@cache
def helps():
    """Return the help of every command, as a terminal shows it, without line breaks."""
    application = typer.main.get_command(assemble([]))
    with click.Context(application) as context:
        return [
            " ".join(command.get_help(click.Context(command, parent=context)).split())
            for command in (application, *application.commands.values())
        ]


def test_no_help_has_a_replaced_phrase():
    found = [(phrase, text[:60]) for text in helps() for phrase in PHRASES if re.search(phrase, text)]
    assert found == []


def test_the_search_reads_the_help_of_every_command():
    texts = helps()
    assert any("Train a model" in text and "--resume" in text for text in texts)
    assert len(texts) > 10


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_description_in_the_schema_has_a_replaced_phrase(phrase):
    text = (ROOT / "schemas" / "netdesc-1.schema.json").read_text(encoding="utf-8")
    assert re.search(phrase, text) is None


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_page_has_a_replaced_phrase(phrase):
    found = [
        f"{path.name}:{number} {line[:80]}"
        for path in PAGES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(phrase, line, re.IGNORECASE)
    ]
    assert found == []


def test_the_search_finds_a_phrase(tmp_path):
    module = tmp_path / "module.py"
    module.write_text('"""Afresh."""\nx = f"weights as run {1}"\n', encoding="utf-8")
    assert any(re.search("weights as run", text) for text in literals(module))
    assert not any("Afresh" in text for text in literals(module))


def test_the_page_reads_no_former_key():
    script = (ROOT / "netdesc" / "report" / "assets" / "charts.js").read_text(encoding="utf-8")
    for former in {*FORMER.values(), *GRADIENT.values()} - {"length", "map"}:
        assert not re.search(rf"\.{former}\b", script), former
