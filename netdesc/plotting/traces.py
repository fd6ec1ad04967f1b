"""Recorded voltages, currents and adjoints as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from netdesc.errors import DescriptionError, Diagnostic
from netdesc.plotting.colours import colour
from netdesc.plotting.picture import drawn, save
from netdesc.trace import Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 7
"""Neurons drawn of one recording, at most; the title tells of how many."""


class HasRecordings(Protocol):
    """A trace, a gradient, or results read from a file."""

    @property
    def recordings(self) -> Mapping[str, Recording]:
        """Recordings by ``population.variable``."""
        ...


def plot_traces(run: HasRecordings, picture: Path | None = None, *, sample: int = 0) -> Sequence[Axes]:
    """Draw the recordings of one sample, one panel each.

    Parameters
    ----------
    run : Trace, Gradient or Results
    picture : Path, optional
        Where the picture goes; its ending names the format.
    sample : int
        Which sample of the batch.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        One per recording, in the order of the file.

    Raises
    ------
    DescriptionError
        If nothing was recorded, or there is no such sample.
    """
    from matplotlib.figure import Figure

    if not run.recordings:
        raise DescriptionError(
            Diagnostic("nothing was recorded; add a section record, for example output: [{v: {every: 1 ms}}]")
        )
    batch = next(iter(run.recordings.values())).values.shape[0]
    if not 0 <= sample < batch:
        raise DescriptionError(
            Diagnostic(f"there is no sample {sample}; the run has {batch}, counted from 0")
        )
    figure = Figure(figsize=(6.4, 0.8 + 1.8 * len(run.recordings)), layout="constrained")
    grid = figure.subplots(len(run.recordings), 1, squeeze=False, sharex=True)
    axes: list[Axes] = grid[:, 0].tolist()
    for axis, (name, item) in zip(axes, run.recordings.items(), strict=True):
        _draw(axis, name, item, sample)
    axes[-1].set_xlabel("time (ms)")
    if picture is not None:
        save(figure, picture)
    return axes


def _draw(axis: Axes, name: str, item: Recording, sample: int) -> None:
    for row, neuron in enumerate(item.neurons[:MOST].tolist()):
        axis.plot(
            item.times, item.values[sample, row], color=colour(row), linewidth=1.2, label=f"neuron {neuron}"
        )
    if len(item.neurons) > MOST:
        axis.set_title(f"the first {MOST} of {len(item.neurons)} neurons", fontsize="small")
    axis.set_ylabel(drawn(name))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
