"""From a file and options to a program that is ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netdesc.cli.output import STAGES
from netdesc.errors import DescriptionError, Diagnostic

if TYPE_CHECKING:
    from netdesc.api import Batch, CompiledProgram


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
    file: Path, overrides: Sequence[str] | None, backend: str | None, *, weights: Path | None = None
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

    Returns
    -------
    Prepared

    Raises
    ------
    NetdescError
        If the model is wrong, the backend cannot run it, or the weights do not fit.
    """
    from netdesc.api import compile, first_batch, load
    from netdesc.training.preparation import choose_backend
    from netdesc.training.weights import load_weights

    STAGES.info("reading %s", file.name)
    model = load(file, overrides or ())
    name = backend or choose_backend(model)
    STAGES.info("compiling the network for %s", name)
    compiled = compile(model, name)
    if weights is not None:
        compiled.write(load_weights(weights, compiled.program, compiled.model.description))
    STAGES.info("preparing the samples")
    batch = first_batch(compiled)
    STAGES.info("simulating on %s", name)
    return Prepared(compiled, batch)


def require_targets(output: Path | None, picture: Path | None) -> None:
    """Refuse, before anything runs, to write where nothing can be written.

    Parameters
    ----------
    output, picture : Path or None
        Files to be written.

    Raises
    ------
    DescriptionError
        If a folder is missing, a target is a folder, or pictures cannot be drawn.
    """
    faults = []
    for target in (output, picture):
        if target is not None and not target.parent.is_dir():
            faults.append(Diagnostic(f"{target}: there is no folder {target.parent}; make it first"))
        elif target is not None and target.is_dir():
            faults.append(Diagnostic(f"{target} is a folder; name a file"))
    if picture is not None and find_spec("matplotlib") is None:
        faults.append(Diagnostic("pictures need matplotlib; install it with: pip install 'netdesc[plot]'"))
    if faults:
        raise DescriptionError(faults)
