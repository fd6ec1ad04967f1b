"""``netdesc new``: write a starting file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from netdesc.cli.arguments import AsJson, argument, expand_groups, option
from netdesc.cli.output import emit, show, tell
from netdesc.cli.templates import copy, find_templates, require_free
from netdesc.errors import DescriptionError
from netdesc.files import replace_text
from netdesc.units import parse


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Options of a model for a file of data."""

    source: Annotated[
        Path | None,
        option(
            "--from",
            metavar="DATA",
            help="Write a model for this table (CSV, NPZ, NPY, Parquet) or these recorded spikes (HDF5, NPZ, "
            "CSV); FILE is the only argument then, DATA.yaml by default.",
        ),
    ] = None
    label: Annotated[
        str | None, option("--label", metavar="COLUMN", help="Column with the class labels.")
    ] = None
    target: Annotated[
        list[str] | None,
        option("--target", metavar="COLUMN", help="Column with a number to predict; may be repeated."),
    ] = None
    unit: Annotated[str | None, option("--unit", help="Unit of the spike times: s, ms, us or ns.")] = None
    interval: Annotated[
        str | None,
        option(
            "--target-interval",
            metavar="TIME",
            help="Interval of target voltages, for example '1 ms'; they are the array targets of the file, "
            "or the columns that --target names, one for each step.",
        ),
    ] = None

    @property
    def given(self) -> list[str]:
        """The options beside ``--from`` that have a value."""
        values = {
            "--label": self.label,
            "--target": self.target,
            "--unit": self.unit,
            "--target-interval": self.interval,
        }
        return [option for option, value in values.items() if value]


@expand_groups
def new(
    template: Annotated[
        str | None,
        argument(metavar="TEMPLATE", help="Name of a template; if omitted, the templates are listed."),
    ] = None,
    file: Annotated[
        Path | None,
        argument(metavar="FILE", help="File to write; TEMPLATE.yaml in the current folder by default."),
    ] = None,
    *,
    data: DataOptions,
    as_json: AsJson = False,
) -> None:
    """Write a model from a template, or for your own data."""
    require_use(data.source, file, data.given)
    if data.source is not None:
        write_draft(data.source, Path(template or f"{data.source.stem}.yaml"), data, as_json=as_json)
    elif template is None:
        list_templates(as_json=as_json)
    else:
        write_template(template, file, as_json=as_json)


def write_draft(source: Path, place: Path, data: DataOptions, *, as_json: bool) -> None:
    """Write a model for a file of data."""
    from netdesc.cli.drafts import Wanted, draft

    interval = None if data.interval is None else read_interval(data.interval)
    text = draft(source, place, wanted=Wanted(data.label, data.target or (), interval), unit=data.unit)
    require_free(place)
    replace_text(place, text)
    if as_json:
        emit({"source": str(source), "file": str(place)})
    else:
        tell(f"wrote {place}; try: netdesc train {place}")


def list_templates(*, as_json: bool) -> None:
    """Print the names of the templates, with what each shows."""
    about = {name: found.about for name, found in find_templates().items()}
    if as_json:
        emit({"templates": list(about), "about": about})
    else:
        width = max(map(len, about), default=0)
        lines = (f"{name:{width}}  {text}".rstrip() for name, text in about.items())
        show("\n".join((*lines, "", f"start with: netdesc new {next(iter(about))}")))


def write_template(template: str, file: Path | None, *, as_json: bool) -> None:
    """Write a template and its data.

    Parameters
    ----------
    template : str
        Its name, or that of its file.
    file : Path or None
        The file to write; TEMPLATE.yaml where it is None.
    as_json : bool

    Raises
    ------
    DescriptionError
        If there is no template of that name.
    OutputError
        See ``copy``.
    """
    known = find_templates()
    name = template.replace("_", "-").removesuffix(".yaml")
    if name not in known:
        raise DescriptionError(_unknown(template, list(known)))
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
            f"expected --from beside {', '.join(about_data)}, got none; use --from DATA, or leave "
            f"{'it' if len(about_data) == 1 else 'them'} out"
        )
    if source is not None and file is not None:
        raise DescriptionError(
            f"expected FILE as the only argument beside --from, got {file} too; leave the template out"
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
            f"--target-interval: expected a time above 0 ms, got {text!r}; use for example '1 ms'"
        )
    return found.value


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no template {name!r}; {hint}The templates are {', '.join(known)}"
