"""The content of a report, without a browser."""

import csv
import json
import re
from hashlib import sha256
from html import escape, unescape
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest

from netdesc.cli import main
from netdesc.comparison import flatten
from netdesc.plotting.colours import COLOURS, colour
from netdesc.report import render, write_csv, writer
from netdesc.report.tables import Number, Page


@pytest.fixture(scope="module")
def page(data):
    return render(data)


def embedded(page):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text.group(1))


def test_the_data_of_the_page_are_the_json(page, data):
    assert embedded(page) == data


def test_every_number_shown_with_its_path_is_what_stands_there(page, data):
    cells = re.findall(r'<span data-path="(.*?)" data-form="(.*?)">(.*?)</span>', page)
    assert len(cells) > 60
    for path, form, text in cells:
        spec, _, unit = unescape(form).partition("|")
        assert Page(data).show(Number(tuple(json.loads(unescape(path))), spec, unit)) == unescape(text)


NUMBER = r"(?<![\w.])[-+−]?\d[\d.]*(?:e[-+]?\d+)?(?![\w])"


class Shown(HTMLParser):
    """Words of the title, of the first screen and of all tables, figures of the network left out."""

    def __init__(self):
        super().__init__()
        self.words, self.depth = [], 0

    def handle_starttag(self, tag, attrs):
        place = dict(attrs).get("id")
        self.depth += tag in ("header", "table") or (tag == "section" and place == "verdict")

    def handle_endtag(self, tag):
        self.depth -= tag in ("header", "table") or (tag == "section" and self.depth > 0)

    def handle_data(self, text):
        if self.depth > 0:
            self.words.append(text)


def rounds_to(token, known):
    """Return whether a number, or a hundred times it, is written as the token."""
    digits = token.replace("−", "-").removeprefix("+")
    mantissa = digits.partition("e")[0]
    decimals, significant = len(mantissa.partition(".")[2]), len(mantissa.lstrip("-0.").replace(".", ""))
    return any(
        float(form) == float(digits)
        for value in (known, 100.0 * known)
        for form in (f"{value:.{decimals}f}", f"{value:.{max(significant, 1)}g}")
    )


def test_every_number_that_can_be_read_stands_in_the_json(page, data):
    reader = Shown()
    reader.feed(page[: page.index('<script type="application/json"')])
    values = [value for _, value in flatten(data)]
    numbers = np.unique([float(item) for item in values if isinstance(item, int | float)])
    written = set(re.findall(NUMBER, " ".join(item for item in values if isinstance(item, str))))
    tokens = {token for words in reader.words for token in re.findall(NUMBER, words)} - written
    assert len(tokens) > 40
    assert [token for token in tokens if not any(rounds_to(token, number) for number in numbers)] == []


def test_capabilities_are_those_that_the_command_line_prints(page, capsys):
    assert main(["backends"]) == 0
    printed = capsys.readouterr().out
    table = page[page.index("numba: capabilities</span></caption>") :].partition("</table>")[0]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table)
    assert len(rows) > 5
    for name, cells in rows:
        what = unescape(re.sub("<.*?>", "", name))
        value, _, source = (unescape(re.sub("<.*?>", "", cell)) for cell in re.findall("<td.*?</td>", cells))
        expected = f"{value} ({source})" if source else value
        assert re.search(rf"^{re.escape(what)} +{re.escape(expected)}$", printed, re.MULTILINE), what


def test_capabilities_of_a_backend_that_refused_are_there(data):
    assert data["capabilities"]["off"]["models"] == data["capabilities"]["numba"]["models"]


def test_every_number_is_in_the_csv(data, tmp_path):
    write_csv(data, tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="", encoding="utf-8") as file:
        rows = dict(list(csv.reader(file))[1:])
    expected = {path: "" if value is None else str(value) for path, value in flatten(data)}
    assert rows == expected


def test_a_planted_fault_stands_above_everything_but_the_title(page):
    first = page[: page.index("<nav")]
    assert "bad" in first
    assert "First deviating spike: hidden" in first
    assert "No listed non-ideality explains" in first
    assert 'class="level deviates">deviates' in first
    assert first.index('class="alert"') < first.index('class="tiles"')
    assert "PL-ORDER" in first


def test_names_of_the_file_are_no_markup(page):
    assert "<b>bold</b>" not in page
    assert page.count("</script>") == 3


def test_nothing_is_loaded_from_anywhere(page):
    assert "default-src 'none'" in page
    assert not re.findall(r'<(?:script|img|iframe|link)[^>]+(?:src|href)="(?!data:)[^"]*"', page)


def test_substrates_that_trained_separately_show_what_they_reached(data):
    page = render({**data, "trained_separately": True, "attributions": {}})
    tiles = page[page.index('<div class="tiles">') : page.index("<nav")]
    assert "<dt>loss</dt>" in tiles
    assert "<dt>spikes matched</dt>" not in tiles
    assert "the substrates were trained separately" in page


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.headings, self.ids, self.links, self.labels, self.figures = [], [], [], [], 0
        self.tables, self.captions = 0, 0

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "label":
            self.labels.append(attributes["for"])
        if attributes.get("role") == "img":
            self.figures += 1
            assert attributes["aria-label"]
        self.tables += tag == "table"
        self.captions += tag == "caption"


def test_headings_labels_and_links_are_in_order(page):
    outline = Outline()
    outline.feed(page[: page.index('<script type="application/json"')])
    assert outline.headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(outline.headings))
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert set(outline.labels) <= set(outline.ids)
    assert outline.tables == outline.captions > 4
    assert outline.figures > 6


def test_the_bundled_script_is_the_published_one_with_its_licence(page):
    folder = files("netdesc.report").joinpath("assets", "plotly")
    script = folder.joinpath("plotly-basic.min.js").read_bytes()
    assert sha256(script).hexdigest() in folder.joinpath("README.md").read_text(encoding="utf-8")
    licence = folder.joinpath("LICENSE").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in licence
    assert escape(licence) in page


def test_a_report_is_small(page):
    assert len(page.encode()) < 1_600_000


def test_version_and_date_are_on_the_first_screen(page, data):
    header = page[page.index("<header>") : page.index("</header>")]
    assert f"netdesc {data['version']}" in header
    assert data["created"][:10] in header


def test_populations_have_the_colours_of_the_pictures(page, data):
    for item in data["network"]["populations"]:
        assert f'style="--c:{item["colour"]};' in page
    assert [item["colour"] for item in data["network"]["populations"]] == [colour(k) for k in range(3)]
    assert not {*data["colours"].values()} & {*COLOURS}


def test_thresholds_are_in_the_data(data):
    found = {item["name"]: item["threshold"] for item in data["network"]["populations"]}
    assert found == {"input": None, "hidden": [1.0], "output": [1.0]}


def test_a_report_replaces_its_file_whole(page, data, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("before")
    writer.write(data, target)
    assert target.read_text(encoding="utf-8") == page
    assert list(tmp_path.iterdir()) == [target]


def test_a_page_with_labels_shows_the_paired_test_and_confusion_matrices(data):
    test = {"samples": 40, "only_reference": 3, "only_other": 1, "discordant": 4, "p_value": 0.625}
    overview = {
        label: {**item, "accuracy": 0.5, "accuracy_test": test} for label, item in data["overview"].items()
    }
    parts = {
        label: {**item, "confusion": [[12, 8, 0], [5, 14, 1]]} for label, item in data["substrates"].items()
    }
    page = render({**data, "overview": overview, "substrates": parts})
    section = page[page.index('<section id="accuracy"') : page.index('<section id="sources"')]
    assert "McNemar's exact test" in unescape(section)
    assert ">0.62</span>" in section
    assert section.count('class="confusion"') == len(parts)
    assert 'style="--share:60%"' in section
    assert '<th scope="col">none</th>' in section


def test_energies_are_marked_as_estimates_with_their_assumptions(data):
    numbers = {
        "baseline_power": {"value": 75.2, "unit": "mW", "source": "published", "tag": "R"},
        "clock": {"value": 150.0, "unit": "MHz", "source": "published", "tag": "R"},
    }
    overview = {label: {**item, "energy": 0.4} for label, item in data["overview"].items()}
    parts = {label: {**item, "numbers": numbers} for label, item in data["substrates"].items()}
    page = render({**data, "overview": overview, "substrates": parts})
    first = page[page.index('<div class="estimates">') : page.index("<nav")]
    assert "Energies are estimates, not measurements" in first
    assert "75.2 mW</span> (reported)" in first
    assert "150 MHz" not in first
