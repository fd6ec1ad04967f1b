"""The templates of ``netdesc new``, and files written only where there are none yet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from netdesc.cli.preparation import list_mentioned, require_targets
from netdesc.errors import DescriptionError, Diagnostic, OutputError
from netdesc.files import replace_bytes, replace_text
from netdesc.targets import explain

FIRST = "first"
"""The template to begin with; it is listed first."""

MNIST = (
    "MNIST does not come with netdesc: put its four files (train-images-idx3-ubyte.gz, "
    "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz) into {folder}; "
    "they are available, for example, from https://ossci-datasets.s3.amazonaws.com/mnist/"
)
"""Where the one set of data comes from that is too large to come with a template."""


@dataclass(frozen=True, slots=True)
class Template:
    """A description to begin with.

    Parameters
    ----------
    path : Path
        The file as it comes with netdesc.
    about : str
        What it shows, in a sentence.
    """

    path: Path
    about: str

    @property
    def name(self) -> str:
        """The name by which ``netdesc new`` knows it."""
        return self.path.stem.replace("_", "-")

    def text(self) -> str:
        """Return the description, which expects the schema beside it."""
        return self.path.read_text(encoding="utf-8").replace("$schema=../schemas/", "$schema=")

    def list_data(self) -> Sequence[Path]:
        """Return the data files that the description reads, relative to its folder.

        Returns
        -------
        sequence of Path
            Only those that come with netdesc.
        """
        from netdesc.description import describe

        folder = self.path.parent
        found = list_mentioned(describe(self.path).mentions, folder)
        return sorted({path.relative_to(folder) for path in found})

    def explain_missing(self, folder: Path) -> str | None:
        """Return where to get the data that does not come with netdesc, for a description in a folder.

        None where nothing is missing.
        """
        from netdesc.description import describe

        data = describe(self.path).data
        if data is None or data.dataset is None or data.dataset.kind != "mnist" or self.list_data():
            return None
        target = folder / str(data.dataset.options["path"])
        return None if target.is_dir() and any(target.iterdir()) else MNIST.format(folder=target)


def find_templates() -> dict[str, Template]:
    """Return the templates by name, the one to begin with first.

    Raises
    ------
    DescriptionError
        If the installation lacks them.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "templates", package.parent / "examples"):
        if folder.is_dir():
            found = [Template(path, summarize(path)) for path in folder.glob("*.yaml")]
            found.sort(key=lambda template: (template.name != FIRST, template.name))
            return {template.name: template for template in found}
    raise DescriptionError("the templates are missing from the installation; install netdesc again")


def summarize(path: Path) -> str:
    """Return the first sentence of the comment on top of a description, or of the one beside its name.

    Returns
    -------
    str
        Without its full stop; empty where there is no comment.
    """
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    comment = [line[2:].strip() for line in takewhile(lambda line: line.startswith("# "), lines)]
    beside = next((line.partition("# ")[2] for line in lines if line.startswith("name:")), "")
    text = " ".join(comment) or beside
    return text.split(". ")[0].removesuffix(".")


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
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"the folder {path.parent} cannot be created: {explain(error)}") from error
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
