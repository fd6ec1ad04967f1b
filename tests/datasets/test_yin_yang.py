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


def test_the_last_two_features_mirror_the_first_two():
    values = yin_yang(50, 1).values
    np.testing.assert_array_equal(values[:, 2:], 1.0 - values[:, :2])


def test_every_point_lies_in_the_part_that_its_label_names():
    table = yin_yang(200, 3)
    assert [classify(x, y) for x, y in table.values[:, :2]] == table.labels.tolist()
    assert np.all(np.hypot(*(table.values[:, :2] - 0.5).T) <= 0.5)


def test_the_two_halves_of_the_sign_mirror_each_other():
    parts = {classify(0.5, 0.9), classify(0.5, 0.1)}
    assert parts == {0, 1}


def test_both_dots_belong_to_the_third_class():
    assert classify(0.25, 0.5) == classify(0.75, 0.5) == 2
