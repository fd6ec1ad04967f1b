"""``netdesc train``: training, with progress, checkpoints and curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netdesc.cli.arguments import AsJson, Backend, File, Overrides, option
from netdesc.cli.costs import arrange_beside, foresee, tabulate_costs
from netdesc.cli.output import emit, show, tell
from netdesc.cli.preparation import list_mentioned, load_model
from netdesc.cli.watching import follow
from netdesc.escapes import safe_name
from netdesc.targets import require_apart

if TYPE_CHECKING:
    from netdesc.api import Model
    from netdesc.maps import Estimate
    from netdesc.training import TrainingResult


def train(
    file: File,
    overrides: Overrides = None,
    *,
    backend: Backend = None,
    output: Annotated[
        Path | None, option("-o", "--output", metavar="DIR", help="Run directory; runs/NAME by default.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue the run in the directory as if it had not been interrupted."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model and write all results to a run directory."""
    from netdesc.training import train as train_model

    model = load_model(file, overrides, {})
    directory = output or choose_directory(model.description.name or file.stem)
    require_apart(list_files(directory), [file, *list_mentioned(model.description.mentions, file.parent)])
    epochs = model.description.training.epochs if model.description.training else 0
    with follow(epochs, quiet=as_json) as progress:
        result = train_model(model, backend=backend, output=directory, resume=resume, progress=progress)
    shown = {note for report in result.reports for note in report.notes}
    for note in result.notes:
        if note not in shown:
            tell(note)
    estimate = foresee_step(model, backend) if result.reports and result.reports[-1].costs else None
    if as_json:
        emit(arrange(result, estimate))
        return
    show("\n".join(sum_up(result)))
    if result.reports and result.reports[-1].costs:
        last = result.reports[-1]
        costs = tabulate_costs(estimate, last.costs, last.samples)
        show(f"\nlast epoch, {last.samples} samples\n{costs}")


def choose_directory(name: str) -> Path:
    """Return the run directory of a model for which none is named: a folder in ``runs``.

    Parameters
    ----------
    name : str
        Of the model; another folder is named on standard error where it is no name of a folder.
    """
    folder = Path("runs") / safe_name(name)
    if folder.name != name:
        tell(f"the name {name!r} is not a valid folder name; the run is written to {folder}")
    return folder


def list_files(directory: Path) -> dict[str, Path]:
    """Return what a training writes into a folder that exists, by what names it."""
    from netdesc.training.directory import RunDirectory

    files = RunDirectory(directory).files if directory.is_dir() else []
    return {f"-o ({path.name})": path for path in files}


def foresee_step(model: Model, backend: str | None) -> Estimate | None:
    """Return what the device is expected to report of a step of training; None without estimates.

    It is a step of learning on the device, or a run forward where the host learns.
    """
    from netdesc.api import compile
    from netdesc.compiled import choose_backend

    outlook = foresee(compile(model, backend or choose_backend(model)))
    if outlook is None:
        return None
    training = model.description.training
    on_device = training is not None and training.options.get("on_device")
    return outlook.forecast.step if on_device else outlook.forecast.run


def arrange(result: TrainingResult, estimate: Estimate | None) -> dict[str, object]:
    """Return the result of a training as JSON data.

    Parameters
    ----------
    result : TrainingResult
    estimate : Estimate or None
        Of a step of training.
    """
    from netdesc.forecast import arrange_forecast
    from netdesc.training.records import arrange_record

    last = result.reports[-1] if result.reports else None
    return {
        "directory": str(result.directory),
        "epochs": len(result.reports),
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
        "test": arrange_record(result.test) if result.test else None,
        "last_epoch": arrange_record(last) if last else None,
        "forecast": arrange_forecast(result.forecast),
        "estimate": arrange_beside(estimate, last.costs, last.samples) if last else None,
        "weights": str(result.weights),
        "curve": str(result.curve) if result.curve else None,
        "notes": list(result.notes),
    }


def sum_up(result: TrainingResult) -> list[str]:
    """Say what a training reached and where everything is.

    Returns
    -------
    list of str
        One line each.
    """
    lines = []
    if result.reports:
        lines.append(
            f"{len(result.reports)} epochs{', stopped early' if result.stopped_early else ''}; "
            f"best: epoch {result.best_epoch}; last training loss {result.reports[-1].loss:.6g}"
        )
    if result.test is not None:
        accuracy = "" if result.test.accuracy is None else f"accuracy {100 * result.test.accuracy:.2f} %, "
        lines.append(f"test: {accuracy}loss {result.test.loss:.6g}, {result.test.samples} samples")
    lines.append(f"weights  {result.weights}")
    lines.append(f"metrics  {result.directory / 'metrics.csv'}")
    if result.curve is not None:
        lines.append(f"curve    {result.curve}")
    return lines
