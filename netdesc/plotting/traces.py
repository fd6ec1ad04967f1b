"""Recorded voltages, currents and adjoints as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from netdesc.errors import DescriptionError
from netdesc.events import Events
from netdesc.plotting.colours import NEUTRAL, population_colours, shades
from netdesc.plotting.picture import drawn, new_figure, save
from netdesc.trace import Recording
from netdesc.units import is_quantity, parse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netdesc.gradient import Gradient
    from netdesc.results import Results
    from netdesc.trace import Trace

    Run = Trace | Gradient | Results

MOST = 7
"""Neurons drawn of one recording, at most."""


THRESHOLDS = ("v_spike", "v_threshold", "v_thresh")
"""Keys of the threshold in the parameters of a cell."""


def plot_traces(run: Run, path: Path | str | None = None, *, sample: int = 0) -> Sequence[Axes]:
    """Draw the recordings of one sample, one panel each.

    Parameters
    ----------
    run : Trace, Gradient or Results
    path : Path, str or None
        Where the picture goes; its ending names the format. None to show it in a notebook.
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
    if not run.recordings:
        raise DescriptionError(
            "the run has no recordings; add for example record: {output: [{v: {every: 1 ms}}]}"
        )
    batch = next(iter(run.recordings.values())).values.shape[0]
    if not 0 <= sample < batch:
        raise DescriptionError(f"expected a sample from 0 to {batch - 1}, got {sample}")
    figure = new_figure((6.4, 0.8 + 1.8 * len(run.recordings)), path)
    grid = figure.subplots(len(run.recordings), 1, squeeze=False, sharex=True)
    axes: list[Axes] = grid[:, 0].tolist()
    colours, thresholds = population_colours(run), _thresholds(run)
    spikes: Mapping[str, Events] = getattr(run, "spikes", {})
    for axis, (name, item) in zip(axes, run.recordings.items(), strict=True):
        population = name.rpartition(".")[0]
        _draw(axis, name, item, sample, colour=colours[population])
        if name.endswith(".v"):
            _mark(axis, item, sample, spikes.get(population), thresholds.get(population))
        axis.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axes[-1].set_xlabel("time (ms)")
    save(figure, path)
    return axes


def _draw(axis: Axes, name: str, item: Recording, sample: int, *, colour: str) -> None:
    shown = item.neurons[:MOST].tolist()
    for row, (neuron, shade) in enumerate(zip(shown, shades(colour, len(shown)), strict=True)):
        axis.plot(item.times, item.values[sample, row], color=shade, linewidth=1.2, label=f"neuron {neuron}")
    if len(item.neurons) > MOST:
        axis.set_title(f"the first {MOST} of {len(item.neurons)} neurons", fontsize="small")
    axis.set_ylabel(drawn(name))
    axis.spines[["top", "right"]].set_visible(False)


def _mark(axis: Axes, item: Recording, sample: int, spikes: Events | None, threshold: float | None) -> None:
    """Draw the threshold, and a tick above it for every spike of the neurons shown."""
    top = float(item.values[sample, :MOST].max(initial=0.0)) if threshold is None else threshold
    if threshold is not None:
        axis.axhline(threshold, color=NEUTRAL, linestyle=":", linewidth=1.0, label="threshold")
    if spikes is not None and sample < spikes.batch:
        span = slice(spikes.offsets[sample], spikes.offsets[sample + 1])
        shown = item.neurons[:MOST].tolist()
        for neuron, line in zip(shown, axis.get_lines(), strict=False):
            times = spikes.times[span][spikes.sources[span] == neuron]
            axis.plot(
                times,
                [top] * len(times),
                linestyle="none",
                marker=2,
                markersize=9,
                clip_on=False,
                color=line.get_color(),
            )


def _thresholds(run: Run) -> dict[str, float]:
    """Return the threshold of every population whose neurons share one, from the resolved file."""
    provenance: Mapping[str, str] = getattr(run, "provenance", {})
    listed = (yaml.safe_load(provenance.get("resolved", "")) or {}).get("populations") or {}
    found = {}
    for name, item in listed.items():
        for options in (item.get("neuron") or {}).values():
            value = next((options[key] for key in THRESHOLDS if key in options), None)
            if isinstance(value, int | float) or (isinstance(value, str) and is_quantity(value)):
                found[name] = parse(value).value if isinstance(value, str) else float(value)
    return found
