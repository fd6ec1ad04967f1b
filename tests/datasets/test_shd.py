import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from netdesc.datasets.catalogue import load
from netdesc.datasets.shd import read
from netdesc.description.model import Choice, Data
from netdesc.errors import DescriptionError
from netdesc.program import PopulationSlice, Program

SHARED = Path(__file__).parents[3] / "shared/data/spoken_digits"
FOLDER = Path(os.environ.get("NETDESC_SPOKEN_DIGITS", SHARED))
TIMES = [[0.010, 0.005, 0.005], [0.5], [], [0.002, 0.001]]
UNITS = [[3, 699, 7], [0], [], [1, 2]]


def write_file(path, *, times=TIMES, units=UNITS, labels=(0, 1, 2, 3), speakers=(0, 1, 0, 5)):
    with h5py.File(path, "w") as file:
        for name, rows, kind in (("times", times, np.float16), ("units", units, np.uint16)):
            data = file.create_dataset(f"spikes/{name}", (len(rows),), dtype=h5py.vlen_dtype(kind))
            for index, row in enumerate(rows):
                data[index] = np.array(row, dtype=kind)
        file["labels"] = np.array(labels)
        if speakers is not None:
            file["extra/speaker"] = np.array(speakers, dtype=np.uint8)
    return path


def make_data(folder, **options):
    for name in ("train", "test"):
        if not (folder / f"{name}.h5").exists():
            write_file(folder / f"{name}.h5")
    return Data(Choice("shd", {"train": "train.h5", "test": "test.h5", **options}), None, (), folder)


def make_program(*, size=700, duration=600.0, first=0):
    source = PopulationSlice("input", first, first + size, "source", "dataset", (), False, (size,), {})
    return Program("test", duration, 0, (source,), (), {}, ())


def test_spikes_are_read_in_ms_in_order_of_time_and_then_of_channel(tmp_path):
    dataset = load(make_data(tmp_path, validation="none"), make_program(first=10), seed=0)
    first = slice(*dataset.train.events.offsets[:2])
    assert dataset.train.events.sources[first].tolist() == [17, 709, 13]
    np.testing.assert_allclose(dataset.train.events.times[first], [5.0, 5.0, 10.0], rtol=1e-3)


def test_one_speaker_is_held_out_whole_and_told(tmp_path):
    dataset = load(make_data(tmp_path, speaker=0), make_program(), seed=0)
    assert (dataset.train.labels.tolist(), dataset.validation.labels.tolist()) == ([1, 3], [0, 2])
    assert dataset.test.labels.tolist() == [0, 1, 2, 3]
    assert dataset.notes == ("speaker 0 is held out for validation: 2 of 4 training samples",)


def test_the_seed_draws_who_is_held_out(tmp_path):
    data = make_data(tmp_path)
    held = [tuple(load(data, make_program(), seed=seed).validation.labels.tolist()) for seed in range(20)]
    assert set(held) == {(0, 2), (1,), (3,)}


def test_late_spikes_are_an_error_that_tells_how_many_and_what_to_do(tmp_path):
    with pytest.raises(DescriptionError, match=r"1 of 6 .* 400 ms, the last at 500 ms; .* to 500 ms, or"):
        load(make_data(tmp_path), make_program(duration=400.0), seed=0)


def test_late_spikes_are_dropped_and_counted_where_the_file_says_so(tmp_path):
    data = make_data(tmp_path, late_spikes="drop", validation="none")
    dataset = load(data, make_program(duration=400.0), seed=0)
    assert np.diff(dataset.train.events.offsets).tolist() == [3, 0, 0, 2]
    assert dataset.notes[0].startswith("1 of 6 train spikes are after simulation.duration, 400 ms, and")
    assert len(dataset.notes) == 2


def test_a_spike_at_the_end_of_the_sample_stays(tmp_path):
    dataset = load(make_data(tmp_path, validation="none"), make_program(duration=500.0), seed=0)
    assert len(dataset.train.events) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": (0, 1, 2)}, "got 4 in spikes/times, 4 in spikes/units, 3 in labels"),
        ({"labels": (0, 1, 2, -3)}, "/labels: expected whole numbers of at least 0, got -3"),
        ({"labels": (0, 1, 2, 0.5)}, "/labels: expected whole numbers"),
        ({"units": [[3, 700, 7], [0], [], [1, 2]]}, "expected channels from 0 to 699, got 700"),
        ({"units": [[3, 7], [0], [], [1, 2]]}, "got 2 and 3 in sample 0"),
        (
            {"times": [[0.1, np.nan, 0.2], [0.5], [], [1, 2]]},
            "spikes/times: expected finite numbers, got nan",
        ),
        ({"times": [[0.1, -0.1, 0.2], [0.5], [], [1, 2]]}, "expected times of at least 0"),
        ({"speakers": (0, 1)}, "4 in labels, 2 in extra/speaker"),
        ({"times": [], "units": [], "labels": (), "speakers": None}, "got 0 in spikes/times"),
    ],
)
def test_a_file_that_does_not_fit_together_is_refused_with_what_is_wrong(tmp_path, change, message):
    with pytest.raises(DescriptionError, match=message):
        read(write_file(tmp_path / "x.h5", **change), "data")


def test_a_file_that_is_missing_cut_off_or_incomplete_is_reported_with_its_name(tmp_path):
    with pytest.raises(DescriptionError, match=r"gone\.h5: expected an HDF5 file, but there is no such file"):
        read(tmp_path / "gone.h5", "data")
    with pytest.raises(DescriptionError, match="got a folder"):
        read(tmp_path, "data")
    whole = write_file(tmp_path / "whole.h5").read_bytes()
    for size in (0, 100, len(whole) // 2):
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        with pytest.raises(DescriptionError, match=r"cut\.h5: expected an? (complete )?HDF5 file"):
            read(tmp_path / "cut.h5", "data")
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file["labels"] = [1]
    with pytest.raises(DescriptionError, match=r"expected /spikes/times, but / holds labels"):
        read(tmp_path / "part.h5", "data")


@pytest.mark.parametrize(
    ("speakers", "options", "message"),
    [
        (None, {}, "no speakers .* set validation: none"),
        ((2, 2, 2, 2), {}, "one speaker, so none can be held out; set validation: none"),
        ((0, 1, 2, 3), {"speaker": 7}, "no speaker 7 in the training file; speakers are 0, 1, 2, 3"),
    ],
)
def test_a_speaker_that_cannot_be_held_out_is_an_error(tmp_path, speakers, options, message):
    write_file(tmp_path / "train.h5", speakers=speakers)
    with pytest.raises(DescriptionError, match=message):
        load(make_data(tmp_path, **options), make_program(), seed=0)


def test_a_population_without_one_neuron_per_channel_is_refused(tmp_path):
    with pytest.raises(DescriptionError, match="has 100 neurons, but shd has 700 channels; set size: 700"):
        load(make_data(tmp_path), make_program(size=100), seed=0)


@pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the spoken digits are not here; set NETDESC_SPOKEN_DIGITS to their folder"
)
def test_the_spoken_digits_have_ten_digits_of_four_speakers():
    recordings = read(FOLDER / "spoken_digits_test.h5", "data")
    assert np.bincount(recordings.labels).tolist() == [20] * 10
    assert np.bincount(recordings.speakers).tolist() == [50] * 4
