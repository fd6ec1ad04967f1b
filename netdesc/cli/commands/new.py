"""``netdesc new``: write a starting file."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, tell
from netdesc.cli.output import show as print_text
from netdesc.cli.preparation import require_targets
from netdesc.errors import DescriptionError, Diagnostic, OutputError
from netdesc.files import replace_text


def new(
    template: Annotated[
        str | None,
        typer.Argument(
            metavar="TEMPLATE",
            help="Name of a template; without it the templates are listed.",
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
            help="Table (CSV, NPZ, NPY, Parquet) or recorded spikes (HDF5, NPZ, CSV) to write a file for; "
            "FILE is the only argument then, DATA.yaml by default.",
            show_default=False,
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Column of the class.", show_default=False)
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="COLUMN",
            help="Column of a number to learn; may be repeated.",
            show_default=False,
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option("--unit", help="Unit of the times of spikes: s, ms, us or ns.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a starting file: a template, or a model for your own data."""
    if source is not None:
        from netdesc.cli.drafts import draft

        place = Path(template or f"{source.stem}.yaml")
        text = draft(source, place, label=label, targets=target or (), unit=unit)
        write_new(place, text)
        emit({"source": str(source), "file": str(place)}) if as_json else tell(
            f"wrote {place}; try: netdesc train {place}")
        return
    known = templates()
    if template is None:
        emit({"templates": sorted(known)}) if as_json else print_text("\n".join(sorted(known)))
        return
    name = template.replace("_", "-").removesuffix(".yaml")
    if name not in known:
        raise DescriptionError(Diagnostic(_unknown(template, sorted(known))))
    written = file or Path(f"{name.replace('-', '_')}.yaml")
    text = known[name].read_text(encoding="utf-8").replace("$schema=../schemas/", "$schema=")
    write_new(written, text)
    if as_json:
        emit({"template": name, "file": str(written)})
        return
    tell(f"wrote {written}; try: netdesc check {written}")
    tell("for completion in an editor: netdesc schema > netdesc-1.schema.json, beside the file")


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
    require_targets({"FILE": file})
    if file.exists():
        raise OutputError(f"{file} exists already and is left as it is; give another name")
    replace_text(file, text)


def templates() -> dict[str, Path]:
    """Return the starting files by name.

    Returns
    -------
    dict of str to Path

    Raises
    ------
    DescriptionError
        If the installation lacks them.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "templates", package.parent / "examples"):
        if folder.is_dir():
            return {path.stem.replace("_", "-"): path for path in sorted(folder.glob("*.yaml"))}
    raise DescriptionError("the templates are missing from the installation; install netdesc again")


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no template {name!r}; {hint}The templates are {', '.join(known)}"
