"""Passes stand in the order that they need."""

from netdesc_spinnaker2 import SpiNNaker2Backend


def test_the_map_is_made_of_what_was_checked_and_rounded():
    names = [item.name for item in SpiNNaker2Backend({}).passes()]
    assert names[0] == "check_limits"
    assert names.index("round_to_steps") < names.index("check_board")
    assert names[-1] == "check_board"
