import math

import numpy as np
import pytest

from netdesc.datasets.yin_yang import classify, yin_yang

PUBLISHED = [
    (5000, 42, [1681, 1702, 1617], (0.68030754, 0.45049925)),
    (1000, 41, [316, 336, 348], (0.68057273, 0.32097339)),
    (1000, 40, [350, 316, 334], (0.23409665, 0.40172498)),
]


@pytest.mark.parametrize(("samples", "seed", "counts", "point"), PUBLISHED)
def test_the_set_is_that_of_the_published_generator(samples, seed, counts, point):
    table = yin_yang(samples, seed)
    assert np.bincount(table.labels).tolist() == counts
    assert table.values[0, :2] == pytest.approx(point, abs=5e-9)


def part_of(x, y):
    """Return the part of the sign that a point of the disc lies in, as the published generator tells it."""
    right, left = math.sqrt((x - 0.75) ** 2 + (y - 0.5) ** 2), math.sqrt((x - 0.25) ** 2 + (y - 0.5) ** 2)
    if right < 0.1 or left < 0.1:
        return 2
    in_left_lobe = 0.1 < left <= 0.25
    above_right_lobe = y > 0.5 and right > 0.25
    return 1 if right <= 0.1 or in_left_lobe or above_right_lobe else 0


def draw(samples, seed):
    """Draw a set as the published generator does, number by number."""
    random = np.random.RandomState(seed)
    for _ in range(samples):
        label = random.randint(3)
        while True:
            x, y = random.random_sample(), random.random_sample()
            if ((x - 0.5) ** 2 + (y - 0.5) ** 2) ** 0.5 <= 0.5 and part_of(x, y) == label:
                break
        yield x, y, label


@pytest.mark.parametrize(("samples", "seed"), [(5000, 0), (60, 1), (1, 2), (1, 3), (2, 4), (0, 5)])
def test_points_are_the_same_if_they_are_drawn_one_by_one(samples, seed):
    table = yin_yang(samples, seed)
    assert table.values.shape == (samples, 4)
    found = [(*point, label) for point, label in zip(table.values[:, :2].tolist(), table.labels, strict=True)]
    assert found == list(draw(samples, seed))


def test_the_last_two_features_mirror_the_first_two():
    values = yin_yang(50, 1).values
    np.testing.assert_array_equal(values[:, 2:], 1.0 - values[:, :2])


def test_every_point_lies_in_the_part_that_its_label_names():
    table = yin_yang(200, 3)
    assert [part_of(x, y) for x, y in table.values[:, :2]] == table.labels.tolist()
    assert np.all(np.hypot(*(table.values[:, :2] - 0.5).T) <= 0.5)


def test_the_two_halves_of_the_sign_mirror_each_other():
    parts = {int(classify(0.5, 0.9)), int(classify(0.5, 0.1))}
    assert parts == {0, 1}


def test_both_dots_belong_to_the_third_class():
    assert classify(0.25, 0.5) == classify(0.75, 0.5) == 2
