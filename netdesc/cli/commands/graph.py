"""``netdesc graph``: the network drawn, before and after lowering, and where it goes on a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from netdesc.cli.arguments import AsJson, Backend, File, Overrides, option
from netdesc.cli.output import emit, show
from netdesc.cli.preparation import load_model, require_targets


def graph(
    file: File,
    overrides: Overrides = None,
    *,
    backend: Backend = None,
    output: Annotated[
        Path, option("-o", "--output", metavar="PICTURE", help="Picture to write, for example .svg or .png.")
    ],
    as_json: AsJson = False,
) -> None:
    """Draw a network as written and as lowered for a backend.

    The placement on a device is drawn too.
    """
    targets = {"-o": output}
    require_targets(targets, [file], pictures=[output])
    from netdesc.api import compile, located
    from netdesc.compiled import choose_backend
    from netdesc.graph.pipeline import compile_graph
    from netdesc.maps import Mapped, Panel
    from netdesc.plotting.device import View, plot_network

    model = load_model(file, overrides, targets)
    compiled = compile(model, backend or choose_backend(model))
    panels: tuple[Panel, ...] = ()
    with located(model):
        written = compile_graph(model.description, after="build")
        if isinstance(compiled.backend, Mapped):
            panels = compiled.backend.describe_map(compiled.program).panels
    name = model.description.name or file.stem
    lowered = View(f"{name}, for {compiled.backend.name}", compiled.graph)
    views = (View(f"{name}, as written", written), lowered)
    plot_network(views, panels, output)
    if as_json:
        emit(
            {
                "digest": model.digest,
                "backend": compiled.backend.name,
                "picture": str(output),
                "panels": [panel.title for panel in panels],
            }
        )
    else:
        show(f"wrote {output}")
