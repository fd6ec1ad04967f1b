"""Times as a tick and a fraction of it."""

import numpy as np

from netdesc.dynamics.tick import RESOLUTION, split_times


def test_tick_and_fraction_add_up_to_the_time_in_steps():
    ticks, fractions = split_times(np.array([0.0, 0.05, 0.1, 1.234]), 0.1)
    assert ticks.tolist() == [0, 0, 1, 12]
    np.testing.assert_allclose(ticks + fractions, [0.0, 0.5, 1.0, 12.34], rtol=0.0, atol=0.5 / RESOLUTION)


def test_a_fraction_that_rounds_to_one_is_the_next_tick():
    ticks, fractions = split_times(np.array([1.0 - 0.1 / RESOLUTION]), 1.0)
    assert (ticks.tolist(), fractions.tolist()) == ([1], [0.0])


def test_times_beyond_any_run_stay_whole_numbers_that_int64_holds():
    ticks, _ = split_times(np.array([1e300, np.inf]), 1e-3)
    assert ticks[0] == ticks[1] > 2**45
