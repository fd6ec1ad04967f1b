"""Small files and models for the tests of a user's own data."""

from netdesc.datasets.catalogue import load
from netdesc.description.model import Choice, Data
from netdesc.program import PopulationSlice, Program

TABLE = {
    "file": None,
    "train": None,
    "validation": 0.0,
    "test": 0.0,
    "features": None,
    "label": None,
    "target": None,
    "target_time": None,
    "target_unit": None,
    "scale": "per_feature",
    "missing": "error",
}
SPIKES = {
    "validation": None,
    "test": None,
    "unit": "ms",
    "channels": None,
    "outside": "error",
    "train_labels": None,
    "validation_labels": None,
    "test_labels": None,
}
LATENCY = Choice(
    "latency", {"t_early": 0.0, "t_late": 30.0, "first": "small", "threshold": None, "bias": None}
)


def program_of(size, duration=40.0, seed=0, first=0):
    """Return a program with one population of sources."""
    source = PopulationSlice("input", first, first + size, "source", "dataset", (), False, (size,), {})
    return Program("own", duration, seed, (source,), (), {}, ())


def load_table(folder, size, *, seed=0, encoder=LATENCY, **options):
    """Load a table from a folder."""
    data = Data(Choice("table", {**TABLE, **options}), encoder, (), folder)
    return load(data, program_of(size), seed=seed)


def load_spikes(folder, size, *, seed=0, duration=40.0, first=0, **options):
    """Load recorded spikes from a folder."""
    data = Data(Choice("spikes", {**SPIKES, **options}), None, (), folder)
    return load(data, program_of(size, duration, first=first), seed=seed)


def decoded(split, features):
    """Return the values of 0 to 1 that the latencies of a split stand for, shape (samples, features)."""
    return split.events.first_spikes(features) / 30.0
