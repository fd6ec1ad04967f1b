"""Options that belong together as one parameter of a command."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from netdesc.cli.arguments import expand_groups


@dataclass(frozen=True)
class Numbers:
    first: Annotated[int, typer.Option(help="A number.")]
    second: Annotated[float, typer.Option("--other", help="Another.")] = 2.5


@expand_groups
def command(name: str, *, numbers: Numbers, loud: bool = False) -> None:
    """Print what was given."""
    print(name, numbers, loud)


@pytest.fixture
def invoke():
    app = typer.Typer(rich_markup_mode=None)
    app.command()(command)
    return lambda *words: CliRunner().invoke(app, words)


def test_fields_of_a_group_are_options_of_the_command(invoke):
    found = invoke("x", "--first", "3", "--other", "4", "--loud")
    assert found.output == "x Numbers(first=3, second=4.0) True\n"


def test_a_field_without_an_option_has_its_default(invoke):
    assert invoke("x", "--first", "3").output == "x Numbers(first=3, second=2.5) False\n"


def test_a_field_without_a_default_is_required(invoke):
    found = invoke("x")
    assert found.exit_code == 2
    assert "--first" in found.output


def test_options_are_listed_in_the_order_of_parameters_and_fields(invoke):
    text = invoke("--help").output
    assert text.index("--first") < text.index("--other") < text.index("--loud")
