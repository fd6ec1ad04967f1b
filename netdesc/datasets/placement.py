"""Where samples enter a program, and whether they fit there."""

from __future__ import annotations

from collections.abc import Iterable

from netdesc.datasets.encoders import count_sources
from netdesc.datasets.records import Split
from netdesc.description.model import Choice
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.program import PopulationSlice, Program


def find_sources(program: Program) -> PopulationSlice:
    """Return the population that receives the samples.

    Raises
    ------
    DescriptionError
        Unless there is exactly one.
    """
    found = [item for item in program.populations if item.kind == "source" and item.model == "dataset"]
    if not found:
        raise DescriptionError(
            "no population receives the dataset; give one of them source: dataset", path="populations"
        )
    if len(found) > 1:
        raise DescriptionError(
            Diagnostic(
                f"expected one population with source: dataset, got {len(found)}; give the others a "
                "different source",
                path=item.path,
            )
            for item in found
        )
    return found[0]


def require_features(sources: PopulationSlice, features: int, encoder: Choice, kind: str) -> None:
    """Refuse a population that has not one neuron per encoded feature; ``kind`` names the dataset.

    Raises
    ------
    DescriptionError
        If the numbers differ.
    """
    need = count_sources(features, encoder)
    without = encoder.options.get("bias") is not None and sources.size == need.sources - 1
    fix = f"set size: {need.sources}" + (", or bias: null in the encoder" if without else "")
    require_size(sources, need.sources, f"{kind} needs {need.sources} ({need.words}); {fix}")


def require_size(sources: PopulationSlice, needed: int, what: str) -> None:
    """Refuse a population of another size; ``what`` says who needs which and what to do.

    Raises
    ------
    DescriptionError
        If the sizes differ.
    """
    if sources.size != needed:
        raise DescriptionError(
            f"the population has {sources.size} neurons, but {what}", path=f"{sources.path}.size"
        )


def require_in_time(splits: Iterable[Split], duration: float) -> None:
    """Refuse an encoding whose spikes lie outside of samples of a duration in ms.

    Raises
    ------
    DescriptionError
        If a spike lies before 0 or after the duration.
    """
    spans = [
        (float(split.events.times.min()), float(split.events.times.max()))
        for split in splits
        if len(split.events)
    ]
    early = min((first for first, _ in spans), default=0.0)
    late = max((last for _, last in spans), default=0.0)
    if early < 0.0 or late > duration:
        raise DescriptionError(
            f"encoded spikes run from {early:g} ms to {late:g} ms, but a sample lasts from 0 ms to "
            f"{duration:g} ms; change the times and the bias of the encoder, or simulation.duration",
            path="data.encoder",
        )
