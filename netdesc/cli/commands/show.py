"""``netdesc show``: the model as tables, as a resolved file, or as the graph after a pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from netdesc.cli.arguments import AsJson, Backend, File, Overrides
from netdesc.cli.output import emit
from netdesc.cli.output import show as print_text
from netdesc.cli.tables import tabulate
from netdesc.cli.unused import read_model
from netdesc.errors import BackendError

if TYPE_CHECKING:
    from netdesc.compiled import Model
    from netdesc.graph.passes import Pass
    from netdesc.maps import DeviceMap


def show(
    file: File,
    overrides: Overrides = None,
    *,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the file with every default written out.")
    ] = False,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            metavar="PASS",
            help="Print the graph after this pass; 'build' for the first.",
            show_default=False,
        ),
    ] = None,
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    """Show a model with all defaults and its hash.

    With --backend, show its placement on that device.
    """
    from netdesc.description import dump

    model = read_model(file, overrides)
    if after is not None:
        text = render_after(model, after, backend)
        emit({"digest": model.digest, "after": after, "graph": text}) if as_json else print_text(text)
    elif backend is not None and not resolved:
        found = describe_map(model, backend)
        if as_json:
            emit({"digest": model.digest, "backend": backend, "map": found.data})
        else:
            print_text(found.text)
    elif as_json:
        emit({"digest": model.digest, "resolved": model.description.resolved})
    else:
        print_text(dump(model.description) if resolved else tabulate(model.description))


def render_after(model: Model, after: str, backend: str | None) -> str:
    """Return the graph after a pass as text.

    Parameters
    ----------
    model : Model
    after : str
        Name of the pass.
    backend : str or None
        Whose passes follow those that every network goes through.

    Raises
    ------
    GraphError
        If there is no such pass, or no network can be built.
    """
    from netdesc.compiled import located
    from netdesc.graph.pipeline import compile_graph
    from netdesc.graph.text import render

    with located(model):
        passes: Sequence[Pass] = ()
        if backend is not None:
            from netdesc.border import configure, passes_of

            passes = passes_of(configure(backend, model.description.backends.get(backend, {})))
        return render(compile_graph(model.description, passes, after=after))


def describe_map(model: Model, backend: str) -> DeviceMap:
    """Return where a model goes on a device.

    Raises
    ------
    LimitError, BackendError
        If the backend cannot run the model, or has no map.
    """
    from netdesc.api import compile, located
    from netdesc.maps import Mapped

    compiled = compile(model, backend)
    if not isinstance(compiled.backend, Mapped):
        raise BackendError(
            f"backend {backend} has no resource placement; show the graph after its passes with "
            f"--after order_stages --backend {backend}"
        )
    with located(model):
        return compiled.backend.describe_map(compiled.program)
