from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netdesc import results
from netdesc.errors import DescriptionError
from netdesc.events import Events
from netdesc.results import Results
from netdesc.trace import Recording

TIMES = st.lists(st.floats(0, 100), max_size=4)
BATCHES = st.integers(1, 3).flatmap(
    lambda size: st.lists(st.lists(TIMES, min_size=size, max_size=size), min_size=1, max_size=3)
)


@given(batch=BATCHES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_spikes_come_back_as_they_were_written(tmp_path, batch):
    size = len(batch[0])
    events = Events.from_lists(batch)
    results.write(Results({"cells": events}, {"cells": size}, 100.0), tmp_path / "out.h5")
    again = results.read(tmp_path / "out.h5")
    assert again.spikes["cells"].lists(size) == events.lists(size)
    assert (again.sizes, again.duration) == ({"cells": size}, 100.0)


def test_recordings_and_provenance_come_back(tmp_path):
    samples = Recording(np.array([0.0, 1.0]), np.array([3]), np.array([[[0.5, 0.25]]]))
    written = Results({"a": Events.from_lists([[[]]])}, {"a": 1}, 2.0, {"a.v": samples}, {"seed": "7"})
    results.write(written, tmp_path / "out.h5")
    again = results.read(tmp_path / "out.h5")
    assert again.provenance == {"seed": "7"}
    assert np.array_equal(again.recordings["a.v"].values, samples.values)


def test_costs_and_counts_come_back(tmp_path):
    costs, health = {"time_ms": 27.0, "peak_cycles": 1.5}, {"dropped": 3}
    made = Results({"a": Events.from_lists([[[]]])}, {"a": 1}, 2.0, costs=costs, health=health)
    results.write(made, tmp_path / "out.h5")
    again = results.read(tmp_path / "out.h5")
    assert (again.costs, again.health) == (costs, health)


def test_a_file_without_costs_can_be_read(tmp_path):
    results.write(Results({"a": Events.from_lists([[[]]])}, {"a": 1}, 2.0), tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5", "a") as file:
        del file["costs"], file["health"]
    assert results.read(tmp_path / "out.h5").costs == {}


def test_populations_keep_the_order_of_the_file(tmp_path):
    spikes = {name: Events.from_lists([[[1.0]]]) for name in ("zebra", "ant", "mole")}
    results.write(Results(spikes, dict.fromkeys(spikes, 1), 2.0), tmp_path / "out.h5")
    assert list(results.read(tmp_path / "out.h5").spikes) == ["zebra", "ant", "mole"]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "out.h5"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(KeyError):
        results.write(Results({"a": Events.from_lists([[[1.0]]])}, {}, 2.0), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [item.name for item in Path(tmp_path).iterdir()] == ["out.h5"]


def test_a_file_of_somebody_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = 1
    with pytest.raises(DescriptionError, match="expected results of netdesc"):
        results.read(tmp_path / "other.h5")


def test_libsonata_reads_the_spikes_of_a_run(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed; pip install libsonata")
    spikes = {"a": Events.from_lists([[[2.0, 5.5], [], [1.25]]]), "b": Events.from_lists([[[]]])}
    results.write(Results(spikes, {"a": 3, "b": 1}, 10.0), tmp_path / "out.h5")
    reader = libsonata.SpikeReader(str(tmp_path / "out.h5"))
    assert sorted(reader.get_population_names()) == ["a", "b"]
    assert reader["a"].get() == [(2, 1.25), (0, 2.0), (0, 5.5)]
    assert reader["a"].get(tstart=1.5, tstop=3.0) == [(0, 2.0)]
    assert (reader["a"].sorting, reader["a"].time_units) == ("by_time", "milliseconds")
    assert reader["b"].get() == []


def test_libsonata_reads_the_spikes_of_a_batch(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed; pip install libsonata")
    batch = Events.from_lists([[[4.0], [3.0]], [[1.0], []]])
    results.write(Results({"a": batch}, {"a": 2}, 10.0), tmp_path / "out.h5")
    population = libsonata.SpikeReader(str(tmp_path / "out.h5"))["a"]
    assert population.sorting == "none"
    assert sorted(population.get()) == [(0, 1.0), (0, 4.0), (1, 3.0)]


def test_the_order_of_spikes_is_an_enumeration_as_the_format_wants(tmp_path):
    results.write(Results({"a": Events.from_lists([[[1.0]]])}, {"a": 1}, 2.0), tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        kind = file["spikes/a"].attrs.get_id("sorting").dtype
        assert h5py.check_enum_dtype(kind) == {"none": 0, "by_id": 1, "by_time": 2}
        assert file["spikes/a"].attrs["sorting"] == 2
