"""From the section ``data`` of a file to encoded samples."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from netdesc.datasets.latency import count_latency_inputs, latency
from netdesc.datasets.records import Dataset, Split, Table
from netdesc.datasets.yin_yang import yin_yang
from netdesc.description.model import Choice, Data
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.program import PopulationSlice, Program

DATASETS = ("yin_yang",)
"""Names of the datasets that can be loaded."""

ENCODERS = ("latency",)
"""Names of the encoders that can be used."""

YIN_YANG_SEEDS: Mapping[str, int] = MappingProxyType({"train": 42, "validation": 41, "test": 40})
"""Seeds of the published Yin-Yang sets."""


def load(data: Data, program: Program, *, seed: int) -> Dataset:
    """Load a dataset and encode all of it as spikes of the program's sources.

    Parameters
    ----------
    data : Data
        Section ``data`` of the file.
    program : Program
        Must have exactly one population whose source is ``dataset``.
    seed : int
        Root of what is drawn to split or augment samples. The Yin-Yang set is drawn by the published seeds,
        whatever this seed is, so that every model sees the same points.

    Returns
    -------
    Dataset

    Raises
    ------
    DescriptionError
        If the dataset, encoder or augmentation is not available, or the population does not fit the samples.
    """
    require_available(data)
    tables = draw_tables(data.dataset)
    sources = find_sources(program)
    encoder = data.encoder
    if encoder is None:
        raise DescriptionError(Diagnostic(
            f"{data.dataset.kind} needs an encoder; "
            "add encoder: {latency: {t_early: 0 ms, t_late: 30 ms}}", path="data"))
    require_size(sources, tables["train"], data)
    splits = {name: Split(table.labels, latency(table.values, encoder.options, sources.start))
              for name, table in tables.items()}
    require_in_time(splits, program.duration)
    return Dataset(splits["train"], splits.get("validation"), splits.get("test"))


def require_available(data: Data) -> None:
    """Refuse what cannot be loaded, all at once.

    Parameters
    ----------
    data : Data

    Raises
    ------
    DescriptionError
        With one diagnostic per dataset, encoder or augmentation that is not available.
    """
    wrong = []
    if data.dataset.kind not in DATASETS:
        wrong.append(Diagnostic(f"dataset {data.dataset.kind} is not available yet; available: "
                                f"{', '.join(DATASETS)}", path="data.dataset"))
    if data.encoder is not None and data.encoder.kind not in ENCODERS:
        wrong.append(Diagnostic(f"encoder {data.encoder.kind} is not available yet; available: "
                                f"{', '.join(ENCODERS)}", path="data.encoder"))
    wrong.extend(Diagnostic(f"augmentation {item.kind} is not available yet; remove it",
                            path="data.augmentation") for item in data.augmentation)
    if wrong:
        raise DescriptionError(wrong)


def draw_tables(dataset: Choice) -> dict[str, Table]:
    """Draw the parts of the Yin-Yang set that a file asks for.

    Parameters
    ----------
    dataset : Choice
        ``yin_yang`` with ``train``, ``validation``, ``test``: numbers of samples, 0 or None for none.

    Returns
    -------
    dict of str to Table

    Raises
    ------
    DescriptionError
        If there is nothing to train on.
    """
    sizes = {name: int(dataset.options.get(name) or 0) for name in YIN_YANG_SEEDS}
    if sizes["train"] < 1:
        raise DescriptionError(Diagnostic("there are no samples to train on; set train to 1 or more",
                                          path=f"data.dataset.{dataset.kind}.train"))
    return {name: yin_yang(size, YIN_YANG_SEEDS[name]) for name, size in sizes.items() if size}


def find_sources(program: Program) -> PopulationSlice:
    """Return the population that receives the samples.

    Parameters
    ----------
    program : Program

    Returns
    -------
    PopulationSlice

    Raises
    ------
    DescriptionError
        Unless there is exactly one.
    """
    found = [item for item in program.populations if item.kind == "source" and item.model == "dataset"]
    if not found:
        raise DescriptionError(Diagnostic(
            "no population receives the dataset; give one of them source: dataset", path="populations"))
    if len(found) > 1:
        raise DescriptionError(
            Diagnostic(f"{len(found)} populations have source: dataset, but exactly one may; "
                       "give the others a source of their own", path=item.path) for item in found)
    return found[0]


def require_size(sources: PopulationSlice, table: Table, data: Data) -> None:
    """Refuse a population that has not one neuron per encoded feature.

    Parameters
    ----------
    sources : PopulationSlice
    table : Table
    data : Data
        With an encoder.

    Raises
    ------
    DescriptionError
        If the numbers differ.
    """
    features = table.values.shape[1]
    options = data.encoder.options if data.encoder else {}
    needed = count_latency_inputs(features, options)
    if sources.size == needed:
        return
    made_of = f"{features} features" + (" and a bias neuron" if needed > features else "")
    raise DescriptionError(Diagnostic(
        f"the population has {sources.size} neurons, but {data.dataset.kind} needs {needed} ({made_of}); "
        f"set size: {needed}", path=f"{sources.path}.size"))


def require_in_time(splits: Mapping[str, Split], duration: float) -> None:
    """Refuse an encoding whose spikes lie outside the sample.

    Parameters
    ----------
    splits : mapping of str to Split
    duration : float
        Length of a sample in ms.

    Raises
    ------
    DescriptionError
        If a spike lies before 0 or after the duration.
    """
    early = min(float(split.events.times.min()) for split in splits.values())
    late = max(float(split.events.times.max()) for split in splits.values())
    if early < 0.0 or late > duration:
        raise DescriptionError(Diagnostic(
            f"encoded spikes run from {early:g} ms to {late:g} ms, but a sample lasts from 0 ms to "
            f"{duration:g} ms; change t_early, t_late and bias, or simulation.duration", path="data.encoder"))
