from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drafts import drawn, layered
from netdesc_spinnaker2.backend import SpiNNaker2Backend
from netdesc_spinnaker2.mapping.network import view_graph, view_program
from netdesc_spinnaker2.mapping.text import render
from netdesc_spinnaker2.options import CHOICES, Options
from netdesc_spinnaker2.profile import NAMES, Profile

import netdesc
from netdesc.errors import BackendError
from netdesc.graph.pipeline import compile_graph
from netdesc.lower import lower

YIN_YANG = Path(__file__).parents[2] / "examples" / "yin_yang.yaml"


def refused(options) -> list[str]:
    with pytest.raises(BackendError) as caught:
        Options.read(options)
    assert all(item.code == "S2-OPTION" for item in caught.value.diagnostics)
    return [item.path for item in caught.value.diagnostics]


def test_every_number_has_a_source_and_a_tag():
    for name, limit in Profile().numbers().items():
        assert limit.tag in {"V", "R", "D", "A"}, name
        assert limit.source, name


def test_data_has_96_kb_less_the_stack():
    assert Profile().data_sram.value == 92 * 1024


def test_a_number_of_the_file_is_an_assumption_and_says_where_it_is_from():
    limit = Profile.read({"tick": "0.5 ms"}).tick
    assert (limit.value, limit.unit, limit.tag, limit.source) == (
        0.5,
        "ms",
        "A",
        "backends.spinnaker2.profile.tick",
    )


def test_all_options_that_are_wrong_are_told_at_once():
    options = {
        "schem": "published",
        "scheme": "best",
        "batch": 0,
        "weight_bits": 5,
        "tick": "2 mV",
        "slices": {"hidden": 1.5},
        "rates": {"hidden": "-3 Hz"},
        "training": "yes",
        "dead_cores": {"9,0": [1]},
        "profile": {"sramm": 3, "sram": "many", "fifo_depth": -1},
    }
    assert refused(options) == [
        "backends.spinnaker2.schem",
        "backends.spinnaker2.scheme",
        "backends.spinnaker2.weight_bits",
        "backends.spinnaker2.tick",
        "backends.spinnaker2.batch",
        "backends.spinnaker2.slices.hidden",
        "backends.spinnaker2.rates.hidden",
        "backends.spinnaker2.training",
        "backends.spinnaker2.profile.sramm",
        "backends.spinnaker2.profile.sram",
        "backends.spinnaker2.profile.fifo_depth",
        "backends.spinnaker2.dead_cores.9,0",
    ]


def test_a_name_that_is_almost_right_is_suggested():
    with pytest.raises(BackendError, match="did you mean scheme"):
        Options.read({"schem": "published"})
    with pytest.raises(BackendError, match="did you mean sram"):
        Options.read({"profile": {"sramm": 3}})


def test_a_board_with_a_gap_is_refused():
    assert refused({"profile": {"chips": 13}}) == ["backends.spinnaker2.profile.chips"]
    assert len(Options.read({"profile": {"chips": 3}}).board) == 3
    assert len(Options.read({"chips": 13}).board) == 13


def test_options_have_the_defaults_that_the_choices_start_with():
    options = Options.read({})
    assert all(getattr(options, name) == values[0] for name, values in CHOICES.items())


def test_rates_are_read_with_their_units():
    assert Options.read({"rates": {"hidden": "50 Hz"}}).rates == {"hidden": 0.05}


@pytest.mark.parametrize(
    ("step", "before", "ticks", "messages"),
    [
        (
            1.0,
            [0.0, 1.0, 2.4, 2.6],
            [1, 1, 2, 3],
            ["3 of 4 delays rounded to ticks of 1 ms, at least one, by at most 1 ms"],
        ),
        (0.1, [0.3, 0.1], [3, 1], []),
    ],
)
def test_delays_become_ticks_of_at_least_one_and_are_noted_where_that_changes_them(
    step, before, ticks, messages
):
    rounding = next(item for item in SpiNNaker2Backend({"tick": step}).passes() if "round" in item.name)
    edge = replace(compile_graph(netdesc.load(YIN_YANG).description).edges[0], delays=np.array(before))
    notes = []
    rounded = rounding.round_edge(edge, False, notes)
    assert rounded.delays.tolist() == [step * tick for tick in ticks]
    assert [(note.path, note.code, note.message) for note in notes] == [
        (f"{edge.path}.delay", "S2-DELAY", message) for message in messages
    ]


def test_a_graph_shows_what_its_program_shows_and_its_losses():
    graph = compile_graph(netdesc.load(YIN_YANG).description)
    options = Options.read({"rates": {"hidden": 0.1}})
    one = view_graph(graph, options)
    two = view_program(lower(graph), options, {"output"})
    assert one.spikes == two.spikes
    assert one.spikes["hidden"] == pytest.approx(0.1 * one.program.duration)
    assert set(one.losses) == {"output"}
    assert one.delays.keys() == two.delays.keys()
    for name, ticks in one.delays.items():
        np.testing.assert_array_equal(ticks, two.delays[name])
    assert render(drawn(one, options)) == render(drawn(two, options))


def test_the_example_is_laid_out_in_copies():
    options = Options(batch=22)
    plan = drawn(view_graph(compile_graph(netdesc.load(YIN_YANG).description), options), options)
    assert plan.copies == 22


def test_the_map_as_text_names_slices_bytes_cycles_keys_and_entries():
    text = render(drawn(layered(), Options(slices={"hidden": 60})))
    assert text.splitlines()[0] == "placement of layered: 8 PEs on 1 chip, 1 copy, 27 ticks of 1 ms"
    assert "layer hidden[60:120] copy 0 at chip 0,0 PE 2\n" in text
    assert "  memory 4820 B: weights 1200, own_spikes 480, state 960, ring 960, gradients 1200" in text
    assert "  keys spike 00000080/ffffffc0, error 20000080/ffffffc0, gradient 60000040/ffffffc0\n" in text
    assert "before compression" in text


def test_the_map_as_text_is_the_same_every_time():
    assert render(drawn(layered(), Options(copies=50))) == render(drawn(layered(), Options(copies=50)))


def test_every_number_can_be_set_from_a_file():
    values = Profile.read(dict.fromkeys(NAMES, 8)).numbers()
    assert {limit.value for limit in values.values()} == {8.0}
