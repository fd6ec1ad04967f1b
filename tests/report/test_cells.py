import csv

from netdesc.report import write_csv


def test_text_is_no_formula_and_numbers_stay_numbers(tmp_path):
    write_csv({"name": "=HYPERLINK(1)", "@sum": "+1", "loss": -1.5, "none": None}, tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(newline="", encoding="utf-8") as file:
        rows = dict(csv.reader(file))
    assert rows == {"path": "value", "name": "'=HYPERLINK(1)", "'@sum": "'+1", "loss": "-1.5", "none": ""}
