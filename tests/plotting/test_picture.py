import numpy as np
import pytest
from matplotlib.figure import Figure

from netdesc.errors import OutputError
from netdesc.plotting import plot_weights
from netdesc.plotting.picture import LARGEST, drawn, save


def test_a_name_with_dollar_signs_is_no_formula(tmp_path):
    plot_weights({"a $\\frac{$ b\x1b[31m.weight": np.ones(3)}, tmp_path / "out.svg")
    assert (tmp_path / "out.svg").read_text(encoding="utf-8").count("</svg>") == 1
    assert drawn("5 $\x1b") == r"5 \$\x1b"


@pytest.mark.parametrize("name", ["out", "out.txt", "out.png.gz"])
def test_a_picture_without_a_known_ending_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match="expected a name that ends with"):
        save(Figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_picture_larger_than_the_library_draws_has_fewer_dots_per_inch(tmp_path):
    save(Figure(figsize=(1, 2 * LARGEST / 150)), tmp_path / "long.png")
    assert (tmp_path / "long.png").read_bytes().endswith(b"IEND\xaeB`\x82")


def test_a_picture_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "out.png").write_text("old")
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(Figure(), tmp_path / "out.png")
    assert [(item.name, item.read_text()) for item in tmp_path.iterdir()] == [("out.png", "old")]
