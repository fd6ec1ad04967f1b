import numpy as np
import pytest
from matplotlib.colors import to_hex

from netdesc.errors import DescriptionError
from netdesc.events import Events
from netdesc.plotting import plot_curves, plot_raster, plot_traces
from netdesc.plotting.colours import population_colours, shades
from netdesc.results import Results
from netdesc.trace import Recording

HEADER = "epoch,loss,validation_loss,accuracy,validation_accuracy,silent_fraction,silent_samples\n"


def results(duration=40.0):
    spikes = Events.from_lists([[[1.0, 2.0], []], [[], [5.0]]])
    return Results({"hidden": spikes}, {"hidden": 2}, duration)


def test_curves_show_loss_error_and_silence(tmp_path):
    metrics = tmp_path / "metrics.csv"
    metrics.write_text(HEADER + "1,0.9,1.0,0.5,0.4,0.1,3\n2,0.5,0.6,0.8,0.7,0.0,0\n", encoding="utf-8")
    axes = plot_curves(metrics, tmp_path / "curve.png")
    assert [axis.get_ylabel() for axis in axes] == ["loss", "error (%)", "silent neurons (%)"]
    assert axes[1].lines[1].get_ydata() == pytest.approx([60, 30])
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_column_is_left_out(tmp_path):
    metrics = tmp_path / "metrics.csv"
    metrics.write_text(HEADER + "1,0.9,,,,0.1,3\n", encoding="utf-8")
    axes = plot_curves(metrics)
    assert [axis.get_ylabel() for axis in axes] == ["loss", "silent neurons (%)"]
    assert len(axes[0].lines) == 1


def test_a_perfect_epoch_needs_a_linear_scale(tmp_path):
    metrics = tmp_path / "metrics.csv"
    metrics.write_text(HEADER + "1,0.9,1.0,1.0,0.9,0.1,3\n", encoding="utf-8")
    assert plot_curves(metrics)[1].get_yscale() == "linear"


def test_metrics_without_an_epoch_are_refused(tmp_path):
    metrics = tmp_path / "metrics.csv"
    metrics.write_text(HEADER, encoding="utf-8")
    with pytest.raises(DescriptionError, match="no epoch"):
        plot_curves(metrics)


def test_a_raster_shows_the_spikes_of_one_sample(tmp_path):
    axes = plot_raster(results(), tmp_path / "raster.png", sample=1)
    segments = axes[0].collections[0].get_segments()
    assert [segment[0][0] for segment in segments] == [5.0]
    assert np.mean(segments[0][:, 1]) == 1.0
    assert axes[0].get_xlabel() == "time (ms)"
    assert (tmp_path / "raster.png").read_bytes().startswith(b"\x89PNG")


def test_a_raster_covers_the_whole_run():
    assert plot_raster(results(duration=70.0))[0].get_xlim()[1] == 70.0


def test_a_sample_that_is_not_there_is_refused():
    with pytest.raises(DescriptionError, match="expected a sample from 0 to 1, got 2"):
        plot_raster(results(), sample=2)


RESOLVED = """
populations:
  input: {source: {dataset: {}}}
  hidden: {neuron: {LIF: {v_threshold: 1.0}}}
  output: {neuron: {IF_curr_exp: {v_thresh: -50 mV}}}
"""


def recorded():
    spikes = Events.from_lists([[[1.0, 2.0], []]])
    voltage = Recording(np.arange(4.0), np.array([0, 1]), np.ones((1, 2, 4)))
    return Results(
        {"input": spikes, "hidden": spikes},
        {"input": 2, "hidden": 2},
        4.0,
        {"hidden.v": voltage, "output.v": voltage},
        {"resolved": RESOLVED},
    )


def test_a_population_has_one_colour_in_all_pictures():
    run = recorded()
    colours = population_colours(run)
    assert list(colours) == ["input", "hidden", "output"]
    assert len(set(colours.values())) == 3
    for axis, name in zip(plot_raster(run), ("input", "hidden"), strict=True):
        assert to_hex(axis.collections[0].get_color()[0]).upper() == colours[name]
    for axis, name in zip(plot_traces(run), ("hidden", "output"), strict=True):
        assert axis.lines[0].get_color().upper() == colours[name]


def test_voltages_show_the_threshold_and_the_spikes():
    hidden, output = plot_traces(recorded())
    legend = [text.get_text() for text in hidden.get_legend().get_texts()]
    assert legend == ["neuron 0", "neuron 1", "threshold"]
    assert hidden.lines[2].get_ydata() == [1.0, 1.0]
    assert output.lines[2].get_ydata() == [-50.0, -50.0]
    assert list(hidden.lines[3].get_xdata()) == [1.0, 2.0]


def test_shades_begin_with_the_colour_itself():
    assert shades("#0072B2", 2) == ["#0072b2", "#b2d5e8"]
    assert shades("#0072B2", 1) == ["#0072b2"]
