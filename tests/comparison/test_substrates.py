"""How substrates are written."""

import pytest

from netdesc.comparison import Settings, Substrate, parse_list
from netdesc.comparison.substrates import vary
from netdesc.errors import DescriptionError


def test_a_bare_name_is_a_backend():
    assert Substrate.parse("numba") == Substrate("numba", "numba")


def test_options_follow_the_colon_and_a_label_stands_in_front():
    found = Substrate.parse("coarse=numba:solver.grid.timestep=1 ms+threads=1")
    assert found == Substrate("coarse", "numba", ("solver.grid.timestep=1 ms", "threads=1"))


def test_commas_within_brackets_separate_nothing():
    found = parse_list("numba,s=spinnaker2:slices={a: 1, b: 2}")
    assert [item.label for item in found] == ["numba", "s"]
    assert found[1].overrides == ("slices={a: 1, b: 2}",)


@pytest.mark.parametrize("text", ["", "numba,,numba", "=numba", "x=:tick=1 ms"])
def test_a_substrate_without_a_backend_is_refused(text):
    with pytest.raises(DescriptionError, match="expected the name of a backend"):
        parse_list(text)


def test_two_substrates_need_two_labels():
    with pytest.raises(DescriptionError, match="got numba twice"):
        parse_list("numba,numba")


def test_options_change_the_backend_and_nothing_else(small):
    varied = vary(small, Substrate.parse("numba:solver.grid.timestep=500 us"))
    assert varied.description.backends["numba"]["solver"].options["timestep"] == 0.5
    assert varied.description.projections is small.description.projections
    assert varied.digest != small.digest


def test_an_unknown_option_is_told(small):
    with pytest.raises(DescriptionError, match="solver"):
        vary(small, Substrate.parse("numba:solvr.grid.timestep=1 ms"))


def test_settings_out_of_range_are_told_all_at_once():
    with pytest.raises(DescriptionError) as caught:
        Settings(samples=0, window=-1.0, tau=float("nan"))
    assert len(caught.value.diagnostics) == 3
