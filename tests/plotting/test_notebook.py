"""Figures show in a notebook when they go to no file, and nowhere else."""

import numpy as np
import pytest
from matplotlib import pyplot

from netdesc.events import Events
from netdesc.plotting import picture, plot_raster, plot_traces, plot_weights
from netdesc.trace import Recording, Trace

TRACE = Trace(
    {"a": Events.from_lists([[[1.0, 2.0], [1.5]]])},
    None,
    {"a.v": Recording(np.arange(3.0), np.array([0]), np.zeros((1, 1, 3)))},
)

DRAWERS = {
    "raster": lambda **options: plot_raster(TRACE, **options),
    "traces": lambda **options: plot_traces(TRACE, **options),
    "weights": lambda **options: plot_weights({"p.weight": np.arange(4.0)}, **options),
}


@pytest.fixture(params=[True, False], ids=["notebook", "script"])
def notebook(request, monkeypatch):
    pyplot.switch_backend("agg")
    monkeypatch.setattr(picture, "in_notebook", lambda: request.param)
    pyplot.close("all")
    yield request.param
    pyplot.close("all")


@pytest.mark.parametrize("name", sorted(DRAWERS))
def test_a_figure_without_file_is_open_in_a_notebook_alone(name, notebook):
    axes = DRAWERS[name]()
    assert len(pyplot.get_fignums()) == int(notebook)
    assert all(axis.figure is axes[0].figure for axis in axes)


@pytest.mark.parametrize("name", sorted(DRAWERS))
def test_a_figure_with_a_file_is_not_left_open(name, notebook, tmp_path):
    DRAWERS[name](path=str(tmp_path / "picture.png"))
    assert (tmp_path / "picture.png").stat().st_size > 1000
    assert pyplot.get_fignums() == []
