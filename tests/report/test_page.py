"""What stands in a report, without a browser."""

import csv
import json
import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from netdesc.comparison import flatten
from netdesc.errors import DescriptionError
from netdesc.report import render, write, write_csv, writer
from netdesc.report.tables import Number, Page


@pytest.fixture(scope="module")
def page(data):
    return render(data)


def embedded(page):
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text.group(1))


def test_the_data_of_the_page_are_the_json(page, data):
    assert embedded(page) == data


def test_every_number_of_every_table_is_in_the_json(page, data):
    cells = re.findall(r'<td class="number" data-path="(.*?)" data-form="(.*?)">(.*?)</td>', page)
    assert len(cells) > 60
    for path, form, text in cells:
        spec, _, unit = unescape(form).partition("|")
        assert Page(data).show(Number(tuple(json.loads(unescape(path))), spec, unit)) == unescape(text)


def test_no_table_cell_holds_a_number_of_unknown_origin(page):
    plain = re.findall(r"<td>([^<]*)</td>", page)
    assert not [text for text in plain if re.fullmatch(r"[-+]?[\d.,]+(e[-+]?\d+)?\s*%?", text.strip())]


def test_every_number_is_in_the_csv(data, tmp_path):
    write_csv(data, tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="", encoding="utf-8") as file:
        rows = dict(list(csv.reader(file))[1:])
    expected = {path: "" if value is None else str(value) for path, value in flatten(data)}
    assert rows == expected


def test_a_planted_fault_stands_above_everything_but_the_title(page):
    first = page[: page.index("<nav")]
    assert "bad" in first
    assert "part first in hidden" in first
    assert "no departure that the backend tells of explains" in first
    assert 'class="level parts">parts' in first
    assert "PL-ORDER" in first


def test_names_of_the_file_are_no_markup(page):
    assert "<b>bold</b>" not in page
    assert page.count("</script>") == 3


def test_nothing_is_loaded_from_anywhere(page):
    assert "default-src 'none'" in page
    assert not re.findall(r'<(?:script|img|iframe|link)[^>]+(?:src|href)="(?!data:)[^"]*"', page)


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


def test_a_report_without_plotly_tells_what_to_install(data, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "find_spec", lambda name: None)
    with pytest.raises(DescriptionError, match=r"netdesc\[report\]"):
        write(data, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_report_replaces_its_file_whole(page, data, tmp_path):
    target = tmp_path / "report.html"
    target.write_text("before")
    writer.write(data, target)
    assert target.read_text(encoding="utf-8") == page
    assert list(tmp_path.iterdir()) == [target]
