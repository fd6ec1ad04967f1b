"""Labelled samples, encoded as spikes once, before the first step of training."""

from netdesc.datasets.catalogue import DATASETS, load
from netdesc.datasets.records import Dataset, Split, Table

__all__ = ["DATASETS", "Dataset", "Split", "Table", "load"]
