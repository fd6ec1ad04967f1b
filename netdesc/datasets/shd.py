"""Spoken digits as spikes on 700 channels, in the layout of the Spiking Heidelberg Digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from netdesc.datasets.records import Split
from netdesc.errors import DescriptionError
from netdesc.events import Events, Floats, Integers
from netdesc.formats import hdf5
from netdesc.formats.numbers import as_floats, as_integers
from netdesc.formats.source import at, fault
from netdesc.streams import stream

CHANNELS = 700
"""Frequency channels of a sample, each fed to one source."""

PATH = "data.dataset.shd"


class Recordings(NamedTuple):
    """The content of one file.

    Parameters
    ----------
    events : Events
        Spikes by channel, in ms.
    labels : ndarray of int64, shape (samples,)
    speakers : ndarray of int64, shape (samples,), or None
        None where the file does not tell.
    """

    events: Events
    labels: Integers
    speakers: Integers | None


def shd(
    options: Mapping[str, Any], directory: Path, seed: int, *, duration: float, first_source: int
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Read the files, and hold the samples of one speaker out for validation.

    Parameters
    ----------
    options : mapping
        ``train``, ``test``: files; ``validation``: ``speaker_holdout`` or ``none``; ``speaker``: who is
        held out, or None to draw; ``late_spikes``: ``error`` or ``drop``.
    directory : Path
        Where relative paths begin.
    seed : int
        Root of the stream that draws the speaker.
    duration : float
        Length of a sample in ms.
    first_source : int
        Program-wide index of the source of channel 0.

    Returns
    -------
    splits : dict of str to Split
    notes : tuple of str
        Who was held out, and how many spikes were dropped.

    Raises
    ------
    DescriptionError
        If a file is missing or damaged, no speaker can be held out, or spikes come after the end of a
        sample and are not to be dropped.
    """
    held = {name: read(directory / str(options[name]), f"{PATH}.{name}") for name in ("train", "test")}
    drop, notes, splits = options.get("late_spikes") == "drop", list[str](), dict[str, Split]()
    for name, recordings in held.items():
        events, lost = within(recordings.events, duration, drop=drop)
        if lost:
            notes.append(
                f"{lost} of {len(recordings.events)} {name} spikes are after simulation.duration, "
                f"{duration:g} ms, and are dropped; the last is at {recordings.events.times.max():g} ms"
            )
        splits[name] = Split(recordings.labels, replace(events, sources=events.sources + first_source))
    if options.get("validation", "speaker_holdout") == "none":
        return splits, tuple(notes)
    speaker, out = hold_out(held["train"].speakers, options.get("speaker"), seed)
    notes.append(f"speaker {speaker} is held out for validation: {out.sum()} of {len(out)} training samples")
    whole = splits["train"]
    return {
        "train": whole.part(np.flatnonzero(~out)),
        "validation": whole.part(np.flatnonzero(out)),
        "test": splits["test"],
    }, tuple(notes)


def hold_out(speakers: Integers | None, wanted: int | None, seed: int) -> tuple[int, np.ndarray[Any, Any]]:
    """Choose the speaker whose samples are held out.

    Parameters
    ----------
    speakers : ndarray of int64, shape (samples,), or None
    wanted : int or None
        None to draw one.
    seed : int

    Returns
    -------
    speaker : int
    out : ndarray of bool, shape (samples,)
        Which samples are the speaker's.

    Raises
    ------
    DescriptionError
        If no speakers are recorded, there is only one, or the wanted one is not there.
    """
    found = [] if speakers is None else np.unique(speakers).tolist()
    if speakers is None or len(found) < 2:
        number = "one speaker" if found else "no speakers (extra/speaker)"
        raise DescriptionError(
            f"the training file has {number}, so none can be held out; set validation: none",
            path=f"{PATH}.validation",
        )
    if wanted is not None and wanted not in found:
        raise DescriptionError(
            f"there is no speaker {wanted} in the training file; speakers are {', '.join(map(str, found))}",
            path=f"{PATH}.speaker",
        )
    speaker = int(stream(seed, "data.validation").choice(found)) if wanted is None else wanted
    return speaker, speakers == speaker


def within(events: Events, duration: float, *, drop: bool) -> tuple[Events, int]:
    """Return spikes without those after the end of a sample in ms, and how many these are.

    Raises
    ------
    DescriptionError
        If there are some and ``drop`` is false.
    """
    kept = events.times <= duration
    lost = len(kept) - int(np.count_nonzero(kept))
    if lost and not drop:
        raise DescriptionError(
            f"{lost} of {len(kept)} spikes are after the end of the sample, {duration:g} ms, the last at "
            f"{events.times.max():g} ms; increase simulation.duration to {np.ceil(events.times.max()):g} ms, "
            "or set late_spikes: drop",
            path=PATH,
        )
    return events.keep(kept) if lost else events, lost


def read(file: Path, path: str) -> Recordings:
    """Read one file; ``path`` is for messages.

    Raises
    ------
    DescriptionError
        If it is missing, not HDF5, lacks a dataset, or its datasets do not fit together.
    """
    with at(path), hdf5.opened(file) as content:
        return collect(content)


def collect(content: hdf5.Group) -> Recordings:
    """Read an open file with ``spikes/times``, ``spikes/units``, ``labels`` and perhaps ``extra/speaker``."""
    labels = content.integers("labels", (None,))
    rows, units = content.ragged("spikes/times"), content.ragged("spikes/units")
    speakers = content.integers("extra/speaker", (None,)) if "extra/speaker" in content else None
    lengths = {"spikes/times": len(rows), "spikes/units": len(units), "labels": len(labels)}
    if speakers is not None:
        lengths["extra/speaker"] = len(speakers)
    if not len(labels) or len(set(lengths.values())) > 1:
        got = ", ".join(f"{count} in {name}" for name, count in lengths.items())
        raise fault(
            content.file,
            f"expected as many items in each dataset, at least one, got {got}; use the published file",
        )
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    wrong = next((index for index, row in enumerate(units) if len(row) != counts[index]), None)
    if wrong is not None:
        raise fault(
            content.file,
            f"expected as many units as times, got {len(units[wrong])} and "
            f"{counts[wrong]} in sample {wrong}; use the published file",
        )
    offsets = np.concatenate(([0], np.cumsum(counts)))
    times = as_floats(content.file, np.concatenate(rows).astype(np.float64) * 1e3, "spikes/times: ")
    channels = as_integers(content.file, np.concatenate(units), "spikes/units: ")
    require_range(times, channels, content.file)
    return Recordings(Events(*in_order(times, channels, offsets), offsets), labels, speakers)


def require_range(times: Floats, channels: Integers, file: Path) -> None:
    """Refuse negative times, which are in ms, and channels that do not exist."""
    if (times < 0.0).any():
        raise fault(file, f"expected times of at least 0, got {times.min() / 1e3:g} s; correct it")
    if (channels >= CHANNELS).any():
        raise fault(
            file, f"expected channels from 0 to {CHANNELS - 1}, got {channels.max()}; use the published file"
        )


def in_order(times: Floats, channels: Integers, offsets: Integers) -> tuple[Floats, Integers]:
    """Sort the spikes of every sample by time, ties by channel."""
    for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        order = np.lexsort((channels[start:stop], times[start:stop]))
        times[start:stop] = times[start:stop][order]
        channels[start:stop] = channels[start:stop][order]
    return times, channels
