"""A starting file for a user's own data: the sizes, times and weights that fit them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, log10, sqrt
from pathlib import Path

import numpy as np
import yaml

from netdesc.datasets.recorded import Recorded
from netdesc.datasets.sheet import read_sheet
from netdesc.datasets.spike_files import read_spikes
from netdesc.datasets.table import PLAIN, choose_columns, take_rows
from netdesc.datasets.trace_files import ENDINGS
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.formats.npy import read_npz
from netdesc.formats.source import size_of
from netdesc.units import UNITS_OF_TIME

NEURONS = 8
"""Neurons per feature of a table with few features."""

FEW = 32
"""Features up to which each gets several neurons."""

HIDDEN = 60


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is decided about a model of some data.

    Parameters
    ----------
    dataset : str
        The dataset, in YAML, indented by two steps.
    encoder : str
        The same of the encoder; empty for spikes.
    about : str
        What the data are, for a comment.
    samples, inputs, outputs : int
    active : float
        Spikes per sample that reach the network.
    duration : float
        Length of a sample in ms.
    late : float
        Latest target time in ms; 0 where classes are learned.
    """

    dataset: str
    encoder: str
    about: str
    samples: int
    inputs: int
    outputs: int
    active: float
    duration: float
    late: float = 0.0


def draft(source: Path, target: Path, *, label: str | None, targets: Sequence[str], unit: str | None) -> str:
    """Write a description of a model for a file of data.

    Parameters
    ----------
    source : Path
        A table (CSV, NPZ, NPY, Parquet), or recorded spikes (HDF5, NPZ, CSV).
    target : Path
        Where the description will be, for relative paths.
    label : str or None
        Column of the class.
    targets : sequence of str
        Columns of numbers to learn.
    unit : str or None
        Of the times of spikes; guessed from the last spike where there is none.

    Returns
    -------
    str
        YAML.

    Raises
    ------
    DescriptionError
        If the file cannot be read, or nothing is there to be learned.
    """
    path = os.path.relpath(str(source), str(target.parent)).replace(os.sep, "/")
    if unit is not None and unit not in UNITS_OF_TIME:
        known = ", ".join(UNITS_OF_TIME)
        raise DescriptionError(Diagnostic(f"expected one of {known} as unit, got {unit}"))
    sketch = (
        sketch_spikes(source, path, unit)
        if holds_spikes(source)
        else sketch_table(source, path, label, targets)
    )
    return compose(sketch, target.stem)


def holds_spikes(source: Path) -> bool:
    """Return whether a file holds recorded spikes, not a table."""
    ending = source.suffix.lower()
    if ending in ENDINGS:
        return True
    if ending == ".npz":
        return {"times", "neurons", "offsets"} <= set(read_npz(source, text=True))
    size_of(source, "a file of data")
    return ending not in (".npy", ".parquet") and {"sample", "time", "neuron"} <= set(
        read_sheet(source).names
    )


def sketch_table(source: Path, path: str, label: str | None, targets: Sequence[str]) -> Sketch:
    """Decide about a model of a table.

    Raises
    ------
    DescriptionError
        If a column is missing.
    """
    sheet = read_sheet(source)
    roles, _ = choose_columns(sheet, {**PLAIN, "label": label, "target": tuple(targets) or None})
    rows, dropped = take_rows(sheet, roles, None, drop=True)
    lines = [f"file: {text_of(path)}"]
    features = len(roles.features)
    if features <= FEW and not sheet.answers:
        lines.append(f"features: {text_of(list(roles.features))}")
    if roles.label is not None:
        outputs, late = len(np.unique(rows.labels)) if rows.labels is not None else 0, 0.0
        lines += [] if sheet.answers else [f"label: {text_of(roles.label)}"]
        about = f"{len(rows)} samples of {features} features in {outputs} classes"
    else:
        outputs, late = len(roles.targets), 30.0
        lines += [] if sheet.answers else [f"target: {text_of(list(roles.targets))}"]
        lines.append("target_time: [10 ms, 30 ms]    # of the smallest and the largest target")
        about = f"{len(rows)} samples of {features} features, {outputs} to learn"
    lines += ["missing: drop"] if dropped else []
    lines += ["validation: 0.1    # fractions of the samples, drawn by simulation.seed", "test: 0.2"]
    dataset = "\n".join(("    table:", *(f"      {line}" for line in lines)))
    several = features <= FEW
    encoder = (
        f"{{population: {{neurons: {NEURONS}, t_late: 20 ms}}}}"
        if several
        else ("{latency: {t_late: 20 ms, first: large, threshold: 0.1}}")
    )
    inputs = features * (NEURONS if several else 1) + 1
    active = features * 4.5 + 1 if several else features * 0.5 + 1
    return Sketch(
        dataset,
        encoder,
        about,
        len(rows),
        inputs,
        outputs,
        active,
        60.0 if late else 40.0,
        late,
    )


def sketch_spikes(source: Path, path: str, unit: str | None) -> Sketch:
    """Decide about a model of recorded spikes.

    Raises
    ------
    DescriptionError
        If the file has neither labels nor target times.
    """
    recorded = read_spikes(source, None, 1.0)
    last = float(recorded.events.times.max(initial=0.0))
    guessed = "" if unit else f", guessed from the last spike, at {last:g}"
    unit = unit or guess_unit(last)
    channels = int(recorded.events.sources.max(initial=0)) + 1
    outputs, late = answers_of(source, recorded)
    duration = round_up(max(last, late) * UNITS_OF_TIME[unit])
    lines = [
        f"train: {text_of(path)}",
        f"unit: {unit}    # of the times in the file{guessed}",
        "validation: 0.1    # fractions of the samples, drawn by simulation.seed",
        "test: 0.2",
    ]
    dataset = "\n".join(("    spikes:", *(f"      {line}" for line in lines)))
    about = f"{len(recorded)} samples on {channels} channels, the last spike at {last:g} {unit}"
    return Sketch(
        dataset,
        "",
        about,
        len(recorded),
        channels,
        outputs,
        max(len(recorded.events) / len(recorded), 1.0),
        duration,
        late * UNITS_OF_TIME[unit],
    )


def answers_of(source: Path, recorded: Recorded) -> tuple[int, float]:
    """Return how many outputs there are, and the latest target time as in the file, 0 for classes."""
    if recorded.labels is not None:
        return len(np.unique(recorded.labels)), 0.0
    if recorded.times is not None:
        return recorded.times.shape[1], float(np.nanmax(recorded.times, initial=0.0))
    raise DescriptionError(Diagnostic(f"{source}: expected labels or target times, got neither; add labels"))


def guess_unit(last: float) -> str:
    """Return the unit in which the last spike of a recording probably comes."""
    return "s" if last <= 10.0 else "ms" if last <= 10_000.0 else "us"


def round_up(time: float) -> float:
    """Return a round time in ms after the last spike."""
    step = 0.5 * 10.0 ** int(log10(max(time, 10.0)))
    return max(ceil(1.1 * time / step) * step, 10.0)


def compose(sketch: Sketch, name: str) -> str:
    """Return the description in YAML."""
    hidden = HIDDEN if sketch.inputs <= 300 else 2 * HIDDEN
    mean, spread = 8.0 / sketch.active, 3.0 / sqrt(sketch.active)
    classes = sketch.late == 0.0
    kind = "LI" if classes else "LIF"
    loss = "max_voltage" if sketch.duration <= 100.0 else "mean_voltage"
    epochs, batch = min(max(12000 // sketch.samples, 10), 60), 16 if sketch.samples < 2000 else 64
    mu, sigma = (0.0, 1.5 / sqrt(hidden)) if classes else (3.0 / hidden, 0.8 / sqrt(hidden))
    out = f"mu: {mu:.2g}, sigma: {sigma:.2g}"
    head = f"  # {sketch.about}\n  dataset:\n{sketch.dataset}\n" + (
        f"  # how numbers from 0 to 1 become spikes\n  encoder: {sketch.encoder}\n" if sketch.encoder else ""
    )
    words = ("the neuron with the highest voltage is the prediction" if classes
             else "first spikes at the target times")
    loss_text = (
        f"classification: {{{loss}: {{population: output}}}}"
        if classes
        else ("times: {spike_time_mse: {population: output}}")
    )
    # Spikes that do not happen have no gradient: a constant current makes every output spike by itself.
    current = f", current: {1.0 / (1.0 - exp(-sketch.late / 20.0)):.2f}" if sketch.late else ""
    note = "    # the current makes it spike by itself at the latest target" if sketch.late else ""
    return f"""\
# yaml-language-server: $schema=netdesc-1.schema.json
netdesc: 1
name: {text_of(name)}
simulation: {{duration: {sketch.duration:g} ms, seed: 1}}

data:
{head}
neurons:
  lif: {{LIF: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}

populations:
  input:  {{size: {sketch.inputs}, source: dataset}}    # the size follows from data
  hidden: {{size: {hidden}, neuron: lif}}
  output: {{size: {sketch.outputs}, neuron: {{{kind}: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}{current}}}{note}

projections:
  input_to_hidden:
    pre: input
    post: hidden
    connector: all_to_all
    weight: {{init: {{normal: {{mu: {mean:.2g}, sigma: {spread:.2g}}}}}, train: true}}
  hidden_to_output:
    pre: hidden
    post: output
    connector: all_to_all
    weight: {{init: {{normal: {{{out}}}}}, train: true}}

losses:
  # {words}
  {loss_text}

training:
  optimizer: {{adam: {{learning_rate: {"5e-3" if classes else "1e-2"}}}}}
  epochs: {epochs}
  batch_size: {batch}
"""


def text_of(value: str | list[str]) -> str:
    """Return a text or a list of texts as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
