"""Samples with labels or targets, encoded as spikes once, before the first step of training."""

from netdesc.datasets.catalogue import DATASETS, load
from netdesc.datasets.records import Dataset, Split, Table
from netdesc.datasets.samples import Samples

__all__ = ["DATASETS", "Dataset", "Samples", "Split", "Table", "load"]
