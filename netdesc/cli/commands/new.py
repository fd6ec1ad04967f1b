"""``netdesc new``: write a starting file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, tell
from netdesc.cli.output import show as print_text
from netdesc.cli.preparation import require_targets
from netdesc.cli.templates import Template, find_templates
from netdesc.errors import DescriptionError, Diagnostic, OutputError
from netdesc.files import replace_bytes, replace_text
from netdesc.targets import explain
from netdesc.units import parse


def new(
    template: Annotated[
        str | None,
        typer.Argument(
            metavar="TEMPLATE",
            help="Name of a template; if omitted, the templates are listed.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="File to write; TEMPLATE.yaml in the current folder by default.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DATA",
            help="Write a model for this table (CSV, NPZ, NPY, Parquet) or these recorded spikes (HDF5, NPZ, "
            "CSV); FILE is the only argument then, DATA.yaml by default.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="COLUMN", help="Column with the class labels.", show_default=False),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="COLUMN",
            help="Column with a number to predict; may be repeated.",
            show_default=False,
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option("--unit", help="Unit of the spike times: s, ms, us or ns.", show_default=False),
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(
            "--target-interval",
            metavar="TIME",
            help="Interval of target voltages, for example '1 ms'; they are the array targets of the file, "
            "or the columns that --target names, one for each step.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a model from a template, or for your own data."""
    about_data = {"--label": label, "--target": target, "--unit": unit, "--target-interval": interval}
    require_use(source, file, [option for option, value in about_data.items() if value])
    if source is not None:
        from netdesc.cli.drafts import Wanted, draft

        place = Path(template or f"{source.stem}.yaml")
        wanted = Wanted(label, target or (), None if interval is None else read_interval(interval))
        text = draft(source, place, wanted=wanted, unit=unit)
        write_new(place, text)
        emit({"source": str(source), "file": str(place)}) if as_json else tell(
            f"wrote {place}; try: netdesc train {place}"
        )
        return
    known = find_templates()
    if template is None:
        about = {name: found.about for name, found in known.items()}
        emit({"templates": list(known), "about": about}) if as_json else print_text(tabulate(about))
        return
    name = template.replace("_", "-").removesuffix(".yaml")
    if name not in known:
        raise DescriptionError(Diagnostic(_unknown(template, list(known))))
    place = file or Path(f"{name.replace('-', '_')}.yaml")
    copied = copy(known[name], place)
    missing = known[name].explain_missing(place.parent)
    if as_json:
        emit(
            {"template": name, "file": str(place), "data": [str(path) for path in copied], "missing": missing}
        )
        return
    tell(f"wrote {', '.join(str(path) for path in (place, *copied))}; try: netdesc check {place}")
    if missing:
        tell(missing)
    tell("for completion in an editor, run beside the file: netdesc schema > netdesc-1.schema.json")


def require_use(source: Path | None, file: Path | None, about_data: Sequence[str]) -> None:
    """Refuse what goes only with data, or only with a template.

    Raises
    ------
    DescriptionError
    """
    if source is None and about_data:
        raise DescriptionError(
            Diagnostic(
                f"expected --from beside {', '.join(about_data)}, got none; use --from DATA, or leave "
                f"{'it' if len(about_data) == 1 else 'them'} out"
            )
        )
    if source is not None and file is not None:
        raise DescriptionError(
            Diagnostic(
                f"expected FILE as the only argument beside --from, got {file} too; leave the template out"
            )
        )


def read_interval(text: str) -> float:
    """Return the interval of target voltages in ms.

    Raises
    ------
    DescriptionError
        If it is not a time.
    """
    try:
        found = parse(text, "ms")
    except DescriptionError:
        found = None
    if found is None or found.unit != "ms" or not found.value > 0:
        raise DescriptionError(
            Diagnostic(f"--target-interval: expected a time above 0 ms, got {text!r}; use for example '1 ms'")
        )
    return found.value


def tabulate(about: Mapping[str, str]) -> str:
    """Return the list of templates: a line for each, with what it shows.

    Parameters
    ----------
    about : mapping of str to str
        By name.

    Returns
    -------
    str
    """
    width = max(map(len, about), default=0)
    lines = (f"{name:{width}}  {text}".rstrip() for name, text in about.items())
    return "\n".join((*lines, "", f"start with: netdesc new {next(iter(about))}"))


def copy(template: Template, place: Path) -> list[Path]:
    """Write a template and the data files that it reads, all of them or none.

    Parameters
    ----------
    template : Template
    place : Path
        Of the description; its data go beside it, into the same subfolders as in the template.

    Returns
    -------
    list of Path
        The data files that were written; those that are there already with the same content are not.

    Raises
    ------
    OutputError
        If the description or another file in the place of a data file exists, or a place cannot be written.
    """
    require_free(place)
    data = {place.parent / path: (template.path.parent / path).read_bytes() for path in template.list_data()}
    taken = [path for path, content in data.items() if os.path.lexists(path) and not holds(path, content)]
    if taken:
        raise OutputError(
            [
                Diagnostic(
                    f"{path} already exists with different content and was not changed; give another folder"
                )
                for path in taken
            ]
        )
    missing = {path: content for path, content in data.items() if not os.path.lexists(path)}
    for path in missing:
        make_folder(path.parent)
    require_targets({str(path): path for path in missing})
    for path, content in missing.items():
        replace_bytes(path, content)
    replace_text(place, template.text())
    return list(missing)


def holds(path: Path, content: bytes) -> bool:
    """Return whether a path is a regular file of exactly this content."""
    try:
        return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def make_folder(folder: Path) -> None:
    """Make a folder for data, if it is not there.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be created: {explain(error)}") from error


def require_free(file: Path) -> None:
    """Refuse a place where a file exists, or where none can be written.

    Raises
    ------
    OutputError
        If there is one, or the folder is missing.
    """
    require_targets({"FILE": file})
    if file.exists():
        raise OutputError(f"{file} already exists and was not changed; use another name")


def write_new(file: Path, text: str) -> None:
    """Write a file where there is none yet.

    Parameters
    ----------
    file : Path
    text : str

    Raises
    ------
    DescriptionError, OutputError
        If there is one, or the folder is missing.
    """
    require_free(file)
    replace_text(file, text)


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no template {name!r}; {hint}The templates are {', '.join(known)}"
