import numpy as np
import pytest
from own import LATENCY, decoded, load_table

from netdesc.description.model import Choice
from netdesc.errors import DescriptionError

FLOWERS = "width,height,colour,kind\n" + "".join(
    f"{row % 7},{row % 5 * 10},c{row},{'abc'[row % 3]}\n" for row in range(60)
)


def write(folder, text, name="t.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_numeric_columns_are_features_and_texts_become_classes_in_sorted_order(tmp_path):
    dataset = load_table(tmp_path, 2, file=write(tmp_path, FLOWERS), label="kind")
    assert np.allclose(decoded(dataset.train, 2)[:3], [[0, 0], [1 / 6, 1 / 4], [2 / 6, 2 / 4]])
    assert dataset.train.labels.tolist() == [0, 1, 2] * 20
    assert dataset.notes == (
        "columns of texts are left out: colour",
        "classes in sorted order, numbered by output neuron: a = 0, b = 1, c = 2",
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_and_byte_order_mark_are_recognized(tmp_path, separator):
    (tmp_path / "t.csv").write_text(FLOWERS.replace(",", separator), encoding="utf-8-sig")
    dataset = load_table(tmp_path, 2, file="t.csv", label="kind")
    assert len(dataset.train) == 60


def test_the_division_depends_on_the_seed_alone_and_keeps_the_classes_even(tmp_path):
    name = write(tmp_path, FLOWERS)
    splits = [
        load_table(tmp_path, 2, file=name, label="kind", validation=0.2, test=0.1, seed=seed)
        for seed in (1, 1, 2)
    ]
    assert [len(part) for part in (splits[0].train, splits[0].validation, splits[0].test)] == [42, 12, 6]
    assert splits[0].test.events.times.tolist() == splits[1].test.events.times.tolist()
    assert splits[0].test.events.times.tolist() != splits[2].test.events.times.tolist()
    for part in (splits[0].train, splits[0].validation, splits[0].test):
        assert np.ptp(np.bincount(part.labels)) == 0


def test_every_sample_is_in_one_split(tmp_path):
    text = "x,y\n" + "".join(f"{row},{row % 2}\n" for row in range(50))
    dataset = load_table(
        tmp_path, 1, file=write(tmp_path, text), label="y", validation=0.3, test=0.3, scale="joint"
    )
    low = [decoded(part, 1)[:, 0] for part in (dataset.train, dataset.validation, dataset.test)]
    assert sum(len(part) for part in low) == 50


def test_the_range_is_that_of_the_training_samples_and_others_are_clipped(tmp_path):
    write(tmp_path, "x,y\n0,0\n10,1\n5,0\n")
    write(tmp_path, "x,y\n-5,0\n5,1\n20,1\n", "v.csv")
    dataset = load_table(tmp_path, 1, file="t.csv", label="y", validation="v.csv")
    assert decoded(dataset.train, 1)[:, 0].tolist() == [0.0, 1.0, 0.5]
    assert decoded(dataset.validation, 1)[:, 0].tolist() == [0.0, 0.5, 1.0]
    assert dataset.notes == (
        "2 of 3 values of validation are outside of the range of the training samples and are clipped to it",
    )


def test_files_of_their_own_need_no_fractions(tmp_path):
    for name in ("train", "validation", "test"):
        write(tmp_path, FLOWERS, f"{name}.csv")
    dataset = load_table(
        tmp_path, 2, train="train.csv", validation="validation.csv", test="test.csv", label="kind"
    )
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [60, 60, 60]


def test_a_fraction_for_training_leaves_the_rest_out(tmp_path):
    dataset = load_table(tmp_path, 2, file=write(tmp_path, FLOWERS), label="kind", train=0.5, test=0.1)
    assert (len(dataset.train), len(dataset.test)) == (30, 6)


def test_whole_numbers_are_numbered_in_sorted_order_too(tmp_path):
    dataset = load_table(tmp_path, 1, file=write(tmp_path, "x,y\n0,3\n1,1\n2,2\n"), label="y")
    assert dataset.train.labels.tolist() == [2, 0, 1]
    assert dataset.notes == ("classes in sorted order, numbered by output neuron: 1 = 0, 2 = 1, 3 = 2",)


def test_npz_files_hold_x_and_y(tmp_path):
    x, y = np.arange(24.0).reshape(6, 2, 2), np.array(["b", "a"] * 3)
    np.savez(tmp_path / "t.npz", x=x, y=y)
    dataset = load_table(tmp_path, 4, file="t.npz")
    assert dataset.train.labels.tolist() == [1, 0] * 3
    assert np.allclose(decoded(dataset.train, 4), (x.reshape(6, 4) - x.reshape(6, 4)[0]) / 20.0)


def test_floats_in_y_are_targets(tmp_path):
    np.savez(tmp_path / "t.npz", x=np.eye(3), y=np.array([0.5, 1.0, 2.5]))
    dataset = load_table(tmp_path, 3, file="t.npz", target_time=[10.0, 30.0])
    assert dataset.train.labels is None
    assert dataset.train.times.ravel().tolist() == [10.0, 15.0, 30.0]
    assert dataset.notes == ("target y: 0.5 at 10 ms, 2.5 at 30 ms, linear between and beyond",)


def test_npy_files_have_numbered_columns(tmp_path):
    np.save(tmp_path / "t.npy", np.array([[0.0, 5.0, 1.0], [1.0, 6.0, 0.0], [2.0, 7.0, 1.0]]))
    dataset = load_table(tmp_path, 2, file="t.npy", label="3")
    assert dataset.train.labels.tolist() == [1, 0, 1]


def test_columns_of_times_are_targets_as_they_are(tmp_path):
    text = "x,first,second\n0,0.01,0.02\n1,0.015,0.03\n"
    dataset = load_table(tmp_path, 1, file=write(tmp_path, text), target=("first", "second"), target_unit="s")
    assert dataset.train.times[:, :, 0].tolist() == [[10.0, 20.0], [15.0, 30.0]]


def test_a_target_time_after_the_sample_is_noted(tmp_path):
    text = "x,y\n0,10\n1,50\n"
    dataset = load_table(tmp_path, 1, file=write(tmp_path, text), target=("y",), target_unit="ms")
    assert dataset.notes == (
        "1 target times of train are outside of the sample, 0 ms to 40 ms, and cannot be reached",
    )


def test_samples_that_miss_a_value_are_dropped_with_a_count(tmp_path):
    name = write(tmp_path, "x,y\n0,a\n,b\n2,NA\n1,a\n1,\n")
    dataset = load_table(tmp_path, 1, file=name, label="y", missing="drop")
    assert len(dataset.train) == 3
    assert dataset.notes[0] == "2 of 5 rows of t.csv have a missing value and are dropped"


def test_a_constant_column_is_noted(tmp_path):
    dataset = load_table(tmp_path, 2, file=write(tmp_path, "x,z,y\n0,4,0\n1,4,1\n"), label="y")
    assert decoded(dataset.train, 2)[:, 1].tolist() == [0.0, 0.0]
    assert dataset.notes == (
        "constant in the training samples and encoded as 0: z; leave them out of features",
    )


def test_one_range_for_all_features_keeps_their_proportions(tmp_path):
    dataset = load_table(tmp_path, 2, file=write(tmp_path, "x,z,y\n0,4,0\n1,2,1\n"), label="y", scale="joint")
    assert decoded(dataset.train, 2).tolist() == [[0.0, 1.0], [0.25, 0.5]]


TEXT = "x,z,y\n0,1,a\n1,2,b\n"
WRONG = [
    (TEXT, {"target": ("x",)}, "expected target_time or target_unit beside a target, got neither"),
    (TEXT, {"label": "kind"}, r"t\.csv: expected a column kind, got x, z, y; use one of x, z, y"),
    (TEXT, {"label": "y", "features": ("X",)}, r"expected a column X, got x, z, y; did you mean 'x'\?"),
    (
        TEXT,
        {},
        r"expected a column to learn, got none; add label, or target for numbers; "
        r"t\.csv has the "
        r"columns x, z, y",
    ),
    (TEXT, {"label": "y", "features": ("x", "y")}, r"expected features without the target, got y"),
    (TEXT, {"label": "y", "target": ("x",)}, "expected either label or target, got both; remove one"),
    (TEXT, {"target": ("y",), "target_unit": "ms"}, "expected numbers in the column y, got 'a' in row 1"),
    (
        TEXT,
        {"label": "y", "target_time": [1.0, 2.0]},
        "target_time applies to targets, but label is a class",
    ),
    (
        TEXT,
        {"target": ("x",), "target_time": [9.0, 2.0]},
        r"expected the later time second, got \[9 ms, "
        r"2 ms\]",
    ),
    (
        TEXT,
        {"target": ("x",), "target_time": [1.0, 2.0], "target_unit": "s"},
        "expected either target_time or",
    ),
    (
        TEXT,
        {"label": "y", "validation": 0.6, "test": 0.5},
        r"got validation: 0\.6 \+ test: 0\.5, which "
        r"leaves no",
    ),
    (
        TEXT,
        {"label": "y", "train": 0.9, "test": 0.5, "validation": None},
        "expected fractions that sum to at most 1",
    ),
    (TEXT, {"label": "y", "train": 0.0}, "expected a fraction above 0, got 0"),
    (TEXT, {"label": "y", "test": 0.1}, "expected samples for test, got none of 2 by the fractions"),
    (TEXT, {"label": "y", "train": "t.csv"}, "expected either file or a file as train, got both"),
    (TEXT, {"label": "y", "scale": "none"}, "expected values from 0 to 1 with scale: none, got 0 to 2"),
    (
        "x,y\n0,a\n,b\n",
        {"label": "y"},
        "expected a value in row 2, column x, got none; complete it, or set missing: drop",
    ),
    ("x,y\n0,a\nnan,b\n", {"label": "y"}, "expected a value in row 2, column x, got none"),
    ("x,y\n0,a\n1,\n", {"label": "y"}, "expected a value in row 2, column y, got none"),
    ("x,y\n0,a\ninf,b\n", {"label": "y"}, "expected a finite number in row 2, column x, got inf"),
    (
        "x,y\n0,1.5\n1,2\n",
        {"label": "y"},
        "expected a text or a whole number as label in row 1, column "
        "y, got 1.5; to "
        "learn numbers, use target: y",
    ),
    (
        "y,z\na,b\nb,c\n",
        {"label": "y"},
        "expected a column of numbers to learn from, got none in t.csv beside y",
    ),
    (
        "x,y\n" + "0,a\n" * 20 + "oops,b\n",
        {"label": "y"},
        "expected a number in row 21 of the column x, got 'oops', where 20 other cells are numbers",
    ),
    ("x,y\n-1e308,a\n1e308,b\n", {"label": "y"}, "expected values whose range is a float64"),
    ("x,y\n0,a\n1\n", {"label": "y"}, "expected 2 cells in every line, got 1 in line 3"),
    ("x,y\n", {"label": "y"}, "expected rows below the header line, got none"),
]


@pytest.mark.parametrize(("text", "options", "message"), WRONG, ids=range(len(WRONG)))
def test_a_table_that_does_not_fit_is_refused(tmp_path, text, options, message):
    with pytest.raises(DescriptionError, match=message):
        load_table(tmp_path, 2, file=write(tmp_path, text), **options)


def test_a_missing_file_is_named_with_the_path(tmp_path):
    with pytest.raises(
        DescriptionError, match=r"flowers\.csv: expected a CSV file, but there is no such file"
    ) as caught:
        load_table(tmp_path, 2, file="flowers.csv", label="kind")
    assert caught.value.diagnostics[0].path == "data.dataset.table.file"


def test_a_class_that_training_lacks_is_refused(tmp_path):
    write(tmp_path, "x,y\n0,a\n1,b\n")
    write(tmp_path, "x,y\n0,a\n1,c\n", "v.csv")
    with pytest.raises(DescriptionError, match="in test, got c, which train does not have; train has a, b"):
        load_table(tmp_path, 1, file="t.csv", test="v.csv", label="y")


def test_the_size_that_an_encoder_needs_is_told(tmp_path):
    encoder = Choice(
        "population",
        {"neurons": 8, "width": 1.0, "threshold": 0.1, "t_early": 0.0, "t_late": 30.0, "bias": 0.0},
    )
    with pytest.raises(
        DescriptionError,
        match=r"has 2 neurons, but table needs 17 \(2 features with 8 "
        r"neurons each "
        r"and a bias neuron\); set size: 17",
    ):
        load_table(tmp_path, 2, file=write(tmp_path, TEXT), label="y", encoder=encoder)


def test_a_table_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(DescriptionError, match="table needs an encoder"):
        load_table(tmp_path, 2, file=write(tmp_path, TEXT), label="y", encoder=None)
    assert LATENCY.kind == "latency"
