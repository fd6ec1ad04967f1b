import csv

from netdesc.report import write_csv
from netdesc.report.tables import Number, Page


def test_text_is_no_formula_and_numbers_stay_numbers(tmp_path):
    write_csv({"name": "=HYPERLINK(1)", "@sum": "+1", "loss": -1.5, "none": None}, tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="", encoding="utf-8") as file:
        rows = dict(csv.reader(file))
    assert rows == {"path": "value", "name": "'=HYPERLINK(1)", "'@sum": "'+1", "loss": "-1.5", "none": ""}


def test_zero_has_no_sign():
    page = Page({"a": [-0.0, 0.0, -1e-9, 0.25]})
    assert [page.show(Number(("a", k), "+.3g")) for k in range(4)] == ["0", "0", "-1e-09", "+0.25"]
    assert page.show(Number(("a", 2), "+.2%")) == "0.00%"
    assert page.show(Number(("a", 0), ".3g", " mV")) == "0 mV"
    assert page.show(Number(("b",))) == "–"
