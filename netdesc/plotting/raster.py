"""Spikes of a run as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.plotting.colours import population_colours
from netdesc.plotting.picture import drawn, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netdesc.results import Results
    from netdesc.trace import Trace


def plot_raster(
    run: Trace | Results, path: Path | str | None = None, *, sample: int = 0, duration: float | None = None
) -> Sequence[Axes]:
    """Draw the spikes of one sample, one panel per population.

    Parameters
    ----------
    run : Trace or Results
    path : Path, str or None
        Where the picture goes; its ending names the format. None to show it in a notebook.
    sample : int
        Which sample of the batch.
    duration : float, optional
        Length of a sample in ms; that of the results, or the time of the last spike, otherwise.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        One per population, the first of the file on top.

    Raises
    ------
    DescriptionError
        If the run has no spiking population or no such sample.
    """
    from matplotlib.ticker import MaxNLocator

    if not run.spikes:
        raise DescriptionError("expected a run with spiking populations, got one without")
    events = {name: _one_sample(item, sample) for name, item in run.spikes.items()}
    sizes = _sizes(run, events)
    end = (
        duration
        or getattr(run, "duration", None)
        or max((float(times.max()) for times, _ in events.values() if len(times)), default=1.0)
    )
    heights = [0.6 + min(size, 200) ** 0.5 / 4 for size in sizes.values()]
    figure = new_figure((6.4, 0.8 + sum(heights)), path)
    grid = figure.subplots(len(events), 1, squeeze=False, sharex=True, height_ratios=heights)
    axes: list[Axes] = grid[:, 0].tolist()
    colours = population_colours(run)
    for axis, (name, (times, neurons)) in zip(axes, events.items(), strict=True):
        # A tick shorter than this is hard to see among many neurons.
        half = 0.4 * max(1.0, sizes[name] / 80)
        axis.vlines(times, neurons - half, neurons + half, color=colours[name], linewidth=1.2)
        axis.set_ylim(-0.6, sizes[name] - 0.4)
        axis.set_ylabel(f"{drawn(name)}\nneuron")
        axis.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axis.spines[["top", "right"]].set_visible(False)
    figure.align_ylabels(axes)
    # The axis would hide half of a spike at 0.
    axes[-1].set_xlim(-0.01 * end, end)
    axes[-1].set_xlabel("time (ms)")
    save(figure, path)
    return axes


def _one_sample(events: Events, sample: int) -> tuple[Floats, Integers]:
    if not 0 <= sample < events.batch:
        raise DescriptionError(f"expected a sample from 0 to {events.batch - 1}, got {sample}")
    span = slice(events.offsets[sample], events.offsets[sample + 1])
    return events.times[span], events.sources[span]


def _sizes(run: Trace | Results, events: Mapping[str, tuple[Floats, Integers]]) -> dict[str, int]:
    known: Mapping[str, int] = getattr(run, "sizes", {})
    return {name: known.get(name, int(neurons.max(initial=0)) + 1) for name, (_, neurons) in events.items()}
