import matplotlib.colors
import pytest

from netdesc.api import compile, load
from netdesc.graph.pipeline import compile_graph
from netdesc.maps import Panel, Tile
from netdesc.plotting import View, plot_network
from netdesc.plotting.colours import colour
from netdesc.plotting.graph import TRAINED, describe_edge, lay_out_graph

LOOPED = """
netdesc: 1
name: looped
simulation: {duration: 20 ms, seed: 1}
populations:
  input: {size: 2, source: {spike_times: {times: [[1 ms], [2 ms]]}}}
  a: {size: 10, neuron: LIF}
  b: {size: [2, 5], neuron: LIF}
  out: {size: 3, neuron: LI}
projections:
  ia:
    pre: input
    post: a
    connector: all_to_all
    weight: {init: {normal: {mu: 1.0, sigma: 0.5}}, train: true}
    delay: 1 ms
  ab: {pre: a, post: b, connector: all_to_all, weight: 0.3, delay: 1 ms}
  ba: {pre: b, post: a, connector: one_to_one, weight: 0.3, delay: 2 ms}
  bb: {pre: b, post: b, connector: all_to_all, weight: 0.1, delay: 2 ms}
  bo: {pre: b, post: out, connector: all_to_all, weight: 0.4, delay: 1 ms}
"""


@pytest.fixture
def model(tmp_path):
    file = tmp_path / "looped.yaml"
    file.write_text(LOOPED, encoding="utf-8")
    return load(file)


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_populations_stand_behind_all_that_they_hear_of(model):
    columns = lay_out_graph(compile(model).graph).columns
    assert columns["input"] < columns["a"] == columns["b"] < columns["out"]


def test_no_two_boxes_stand_at_one_place(model):
    places = list(lay_out_graph(compile(model).graph).places.values())
    assert len(set(places)) == len(places) == 4


def test_arrows_say_what_is_written_and_then_what_was_drawn(model):
    before = compile_graph(model.description, after="build").edges[0]
    after = compile(model).graph.edges[0]
    assert describe_edge(before).splitlines()[:2] == ["all_to_all", "weight normal(1, 0.5)"]
    assert describe_edge(after).startswith("20 synapses\nweight ")
    assert describe_edge(after).endswith("delay 1 ms\ntrained: weight")


def test_a_picture_has_a_box_per_population_and_an_arrow_per_projection(model, tmp_path):
    axis = plot_network([View("looped", compile(model).graph)], (), tmp_path / "looped.png")[0]
    kinds = [type(patch).__name__ for patch in axis.patches]
    assert kinds.count("FancyBboxPatch") == 4
    assert kinds.count("FancyArrowPatch") == 5
    assert "b\n2 x 5 LIF" in texts(axis)
    assert (tmp_path / "looped.png").read_bytes().startswith(b"\x89PNG")


def test_trained_projections_have_a_colour_of_their_own(model):
    axis = plot_network([View("looped", compile(model).graph)])[0]
    arrows = [patch for patch in axis.patches if type(patch).__name__ == "FancyArrowPatch"]
    found = [matplotlib.colors.to_hex(arrow.get_edgecolor()).upper() == TRAINED for arrow in arrows]
    assert found == [True, False, False, False, False]


def test_tiles_are_filled_from_below_in_the_colour_of_their_population(model):
    tiles = (Tile(0, 0, 1, 1, "a", "x", 0.25), Tile(1, 0, 1, 1), Tile(2, 0, 1, 1, "out", "y", 0.5))
    axis = plot_network([View("looped", compile(model).graph)], [Panel("chip", tiles, "bytes")])[1]
    heights = [path.get_extents().height for item in axis.collections for path in item.get_paths()]
    assert heights == pytest.approx([1, 1, 0.25, 1, 0.5])
    shade = matplotlib.colors.to_hex(axis.collections[-1].get_facecolor()[0]).upper()
    assert shade == colour(3)
    assert axis.get_title() == "chip; filled: fraction of bytes"
    assert texts(axis) == ["x", "", "y"]
