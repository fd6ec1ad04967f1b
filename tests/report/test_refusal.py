"""A substrate that cannot run the model is in the report, and stops nobody."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from netdesc.cli import main

EXAMPLE = Path(__file__).parents[2] / "examples/one_substrate.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Compare a network that fits one chip and not the other; return status, JSON and page."""
    from contextlib import redirect_stdout
    from io import StringIO

    path, said = tmp_path_factory.mktemp("refusal") / "report.html", StringIO()
    with redirect_stdout(said):
        status = main(
            [
                "compare",
                str(EXAMPLE),
                "populations.input.size=40",
                "populations.output.size=20",
                "projections.input_to_output.weight.init.normal.mu=0.5",
                "--backends",
                "numba,digital=spinnaker2:scheme=off_grid,brainscales2",
                "-o",
                str(path),
                "--json",
            ]
        )
    return status, json.loads(said.getvalue()), path.read_text(encoding="utf-8")


def test_the_status_reports_the_refusal_and_the_others_are_compared(made):
    status, data, _ = made
    assert status == 3
    assert data["agreements"]["digital"]["spikes"]["output"]["matched"] > 10
    assert data["attributions"]["digital"]["effects"]


def test_its_diagnostics_are_those_of_its_backend_with_their_places(made):
    _, data, _ = made
    found = data["refusals"]["brainscales2"]
    assert {item["code"] for item in found} == {"B2-DELAY", "B2-RANGE"}
    assert all(item["line"] and item["path"] for item in found)
    assert data["overview"]["brainscales2"]["level"] == "cannot run it"


def test_the_first_screen_says_why(made):
    _, data, page = made
    first = unescape(re.sub("<.*?>", "", page[page.index("<main>") : page.index("<nav")]))
    for text in data["verdicts"]["brainscales2"]["findings"]:
        assert text in first


def test_the_page_shows_what_it_could_do_and_what_it_said(made):
    _, data, page = made
    assert "brainscales2: capabilities" in page
    notes = page[page.index('<section id="notes"') :]
    for item in data["refusals"]["brainscales2"]:
        assert item["code"] in notes


def test_costs_stand_beside_their_estimate_and_the_tagged_numbers_behind_them(made):
    _, data, page = made
    part = data["substrates"]["digital"]
    assert part["costs"]["energy_mJ"] > 0.0
    assert {"energy_mJ", "time_ms"} <= set(part["estimated"]) <= set(part["costs"])
    assert {item["tag"] for item in part["numbers"].values()} <= {"V", "R", "D", "A"}
    shown = unescape(page)
    for item in part["numbers"].values():
        assert item["source"] in shown
    assert data["substrates"]["numba"]["numbers"] == {}
