import numpy as np
import pytest

from netdesc.datasets.augmentation import Augmentation, reflect
from netdesc.datasets.records import Split
from netdesc.description.model import Choice
from netdesc.events import Events

SHIFT = Choice("channel_shift", {"max": 3})
JITTER = Choice("time_jitter", {"sigma": 2.0})


def make_split(*changes, samples=40, seed=1):
    rows = [[[], [], [], [1.0 + row], [2.0 + row], [3.0 + row], [], [], []] for row in range(samples)]
    return Split(np.arange(samples), Events.from_lists(rows), Augmentation(changes, seed, 0, 9, 50.0))


def test_without_an_epoch_samples_are_as_they_are():
    split = make_split(SHIFT)
    assert split.batch(np.arange(40)).sources.tolist() == split.events.sources.tolist()


def test_all_spikes_of_a_sample_move_by_one_number_of_channels():
    split = make_split(SHIFT)
    changed = split.batch(np.arange(40), epoch=0)
    moves = (changed.sources - split.events.sources).reshape(40, 3)
    assert (moves == moves[:, :1]).all()
    assert set(moves.ravel().tolist()) == set(range(-3, 4))
    assert changed.times.tolist() == split.events.times.tolist()


def test_spikes_that_leave_the_channels_are_gone_and_the_rest_stays():
    changed = make_split(Choice("channel_shift", {"max": 5})).batch(np.arange(40), epoch=0)
    assert changed.sources.min() >= 0
    assert changed.sources.max() <= 8
    assert set(np.diff(changed.offsets).tolist()) == {1, 2, 3}


@pytest.mark.parametrize("change", [SHIFT, JITTER])
def test_a_sample_is_changed_the_same_way_in_whatever_batch_it_comes(change):
    split = make_split(change)
    whole, part = split.batch(np.arange(40), epoch=2), split.batch(np.array([7, 3]), epoch=2)
    assert part.lists(9) == [whole.lists(9)[7], whole.lists(9)[3]]


@pytest.mark.parametrize("change", [SHIFT, JITTER])
def test_epochs_and_seeds_differ(change):
    which = np.arange(40)
    drawn = [
        make_split(change, seed=seed).batch(which, epoch=epoch).lists(9)
        for seed, epoch in ((1, 0), (1, 1), (2, 0))
    ]
    assert drawn[0] != drawn[1]
    assert drawn[0] != drawn[2]


def test_jitter_keeps_every_spike_and_its_channel_within_the_sample():
    changed = make_split(Choice("time_jitter", {"sigma": 30.0})).batch(np.arange(40), epoch=0)
    assert [[len(times) for times in row] for row in changed.lists(9)] == [[0, 0, 0, 1, 1, 1, 0, 0, 0]] * 40
    assert changed.times.min() >= 0.0
    assert changed.times.max() <= 50.0
    assert all(np.all(np.diff(changed.times[3 * row : 3 * row + 3]) >= 0.0) for row in range(40))


def test_jitter_has_the_width_asked_for():
    rows = [[[25.0]] for _ in range(400)]
    split = Split(None, Events.from_lists(rows), Augmentation((JITTER,), 3, 0, 1, 50.0))
    moves = split.batch(np.arange(400), epoch=0).times - 25.0
    assert moves.std() == pytest.approx(2.0, rel=0.15)
    assert abs(moves.mean()) < 0.4


def test_times_are_reflected_at_both_ends():
    times = np.array([-1.0, 0.0, 4.0, 11.0, 25.0])
    np.testing.assert_allclose(reflect(times, 10.0), [1.0, 0.0, 4.0, 9.0, 5.0])
