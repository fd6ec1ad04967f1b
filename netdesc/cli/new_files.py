"""Files written only where there are none yet."""

from __future__ import annotations

import os
from pathlib import Path

from netdesc.cli.preparation import require_targets
from netdesc.cli.templates import Template
from netdesc.errors import Diagnostic, OutputError
from netdesc.files import replace_bytes, replace_text
from netdesc.targets import explain


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

    Raises
    ------
    DescriptionError, OutputError
        If there is one, or the folder is missing.
    """
    require_free(file)
    replace_text(file, text)
