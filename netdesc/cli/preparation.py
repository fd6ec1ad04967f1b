"""From a file and options to a program that is ready to run, and the files that are read on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netdesc.cli.output import STAGES
from netdesc.cli.unused import read_model
from netdesc.errors import Diagnostic, OutputError
from netdesc.targets import require_apart

if TYPE_CHECKING:
    from netdesc.api import Batch, CompiledProgram, Model


def list_mentioned(mentions: Iterable[str], folder: Path) -> Iterator[Path]:
    """Yield the files that texts of a description in a folder mention.

    Each text that names a file counts, without the dataset that may follow it, and the IDX files of each text
    that names a folder.
    """
    for text in mentions:
        if "\0" not in text:
            yield from _list_named(text, folder)


def list_weights(weights: Path | None) -> Iterator[Path]:
    """Yield the files that are read for ``--weights``.

    Parameters
    ----------
    weights : Path or None
        A run directory, or a file of weights.
    """
    if weights is not None:
        yield from (weights / "weights.h5", weights / "metrics.csv") if weights.is_dir() else (weights,)


def _list_named(text: str, folder: Path) -> Iterator[Path]:
    whole, colon, _ = text.rpartition(":")
    for name in (text, whole) if colon else (text,):
        try:
            path = folder / name
            if path.is_file():
                yield path
            elif name and path.is_dir():
                yield from (
                    item for item in path.iterdir() if item.name.removesuffix(".gz").endswith("-ubyte")
                )
        except OSError:
            # Longer than any name, or in a folder that cannot be read.
            continue


Targets = Mapping[str, Path | None]
"""Files that a command writes, by what names them on the command line; None for what is not written."""


class Prepared(NamedTuple):
    """A compiled program with its first samples.

    Parameters
    ----------
    compiled : CompiledProgram
    batch : Batch
        Without events where the model has no data.
    """

    compiled: CompiledProgram
    batch: Batch

    @property
    def single(self) -> bool:
        """Whether the model stands for itself, without a dataset."""
        return self.batch.events is None


def prepare(
    file: Path,
    overrides: Sequence[str] | None,
    backend: str | None,
    *,
    weights: Path | None = None,
    targets: Targets | None = None,
) -> Prepared:
    """Read, compile and load a model.

    Parameters
    ----------
    file : Path
    overrides : sequence of str or None
        ``key.path=value``.
    backend : str or None
        None for the one that the file names, or numba.
    weights : Path or None
        Run directory or ``weights.h5`` of a training; None for the weights of the file.
    targets : mapping of str to Path or None
        What the command writes.

    Raises
    ------
    NetdescError
        If the model is wrong, the backend cannot run it, or the weights do not fit.
    """
    from netdesc.api import compile, first_batch
    from netdesc.compiled import choose_backend
    from netdesc.training.weights import load_weights

    STAGES.info("reading %s", file.name)
    model = load_model(file, overrides, targets or {})
    name = backend or choose_backend(model)
    STAGES.info("compiling the network for %s", name)
    compiled = compile(model, name)
    if weights is not None:
        compiled.write(load_weights(weights, compiled.program, compiled.model.description))
    STAGES.info("preparing the samples")
    batch = first_batch(compiled)
    if (targets or {}).get("-o") is not None:
        compiled.require_memory(batch.events, written=True)
    STAGES.info("simulating on %s", name)
    return Prepared(compiled, batch)


def load_model(file: Path, overrides: Sequence[str] | None, targets: Targets) -> Model:
    """Read a model, and refuse to write over the files that it mentions.

    Raises
    ------
    NetdescError
        If the model is wrong, or a target is one of its files.
    """
    model = read_model(file, overrides)
    if any(targets.values()):
        require_apart(targets, [file, *list_mentioned(model.description.mentions, file.parent)])
    return model


def require_targets(
    targets: Targets, inputs: Iterable[Path] = (), *, pictures: Iterable[Path | None] = ()
) -> None:
    """Refuse, before anything runs, to write where nothing can be written.

    Parameters
    ----------
    targets : mapping of str to Path or None
    inputs : iterable of Path
        Files on the command line that the command reads.
    pictures : iterable of Path or None
        Which of the targets are pictures.

    Raises
    ------
    OutputError
        If a target is anything but absent or a regular file, is read by the same command, or is named
        twice; if a folder is missing or cannot be written; or if pictures cannot be drawn.
    """
    faults: list[Diagnostic] = []
    drawn = [picture for picture in pictures if picture is not None]
    try:
        require_apart(targets, inputs)
    except OutputError as error:
        faults += error.diagnostics
    if drawn:
        from netdesc.plotting.picture import require_ending

        for picture in drawn:
            try:
                require_ending(picture)
            except OutputError as error:
                faults += error.diagnostics
        if find_spec("matplotlib") is None:
            faults += OutputError(
                "pictures need matplotlib; install it with: pip install 'netdesc[plot]'"
            ).diagnostics
    if faults:
        raise OutputError(faults)
