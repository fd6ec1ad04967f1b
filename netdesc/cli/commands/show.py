"""``netdesc show``: the model as tables, as a resolved file, or as the graph after a pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from netdesc.cli.arguments import AsJson, Backend, File, Overrides, option
from netdesc.cli.output import emit, table
from netdesc.cli.output import show as print_text
from netdesc.cli.unused import read_model
from netdesc.description.model import Description
from netdesc.errors import BackendError

if TYPE_CHECKING:
    from netdesc.compiled import Model
    from netdesc.graph.passes import Pass
    from netdesc.maps import DeviceMap


def tabulate(description: Description) -> str:
    """Return a model as tables, defaults included.

    Returns
    -------
    str
        Quantities carry their units, as in the resolved file.
    """
    return "\n\n".join(_sections(description))


def _sections(description: Description) -> Iterator[str]:
    resolved = description.resolved
    name = description.name or "model without a name"
    yield "\n".join([name, *filter(None, [description.description.strip()]), f"hash {description.digest}"])
    yield _settings("simulation", resolved.get("simulation"))
    yield table(
        ("population", "size", "cell or source"),
        [(key, _phrase(item["size"]), _cell(item)) for key, item in resolved["populations"].items()],
    )
    projections = resolved.get("projections") or {}
    if projections:
        yield table(
            ("projection", "pre", "post", "connector", "receptor", "weight", "delay"),
            [
                (
                    key,
                    *(
                        _phrase(item.get(part))
                        for part in ("pre", "post", "connector", "receptor", "weight", "delay")
                    ),
                )
                for key, item in projections.items()
            ],
        )
    losses = resolved.get("losses") or {}
    if losses:
        yield table(("loss", "definition"), [(key, _phrase(item)) for key, item in losses.items()])
    for section in ("data", "training", "record", "backends", "expect"):
        if resolved.get(section):
            yield _settings(section, resolved[section])


def _settings(title: str, values: object) -> str:
    if not isinstance(values, Mapping):
        return table((title, ""), [("", _phrase(values))])
    return table((title, ""), [(key, _phrase(value)) for key, value in values.items()])


def _cell(population: Mapping[str, object]) -> str:
    rest = {
        key: value
        for key, value in population.items()
        if key not in ("size", "neuron", "source") and value not in (None, {}, [])
    }
    kind = _phrase(population.get("neuron") or population.get("source"))
    return ", ".join([kind, *(f"{key} {_phrase(value)}" for key, value in rest.items())])


def _phrase(value: object) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} {_phrase(item)}" for key, item in value.items() if item is not None)
        if len(value) == 1:
            key, item = next(iter(value.items()))
            return f"{key} ({_phrase(item)})" if isinstance(item, Mapping) and item else inner
        return inner
    if isinstance(value, list | tuple):
        shown = [_phrase(item) for item in value[:4]]
        more = [f"... {len(value)} in all"] if len(value) > 4 else []
        return f"[{', '.join(shown + more)}]"
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


def show(
    file: File,
    overrides: Overrides = None,
    *,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print the file with every default written out.")
    ] = False,
    after: Annotated[
        str | None,
        option("--after", metavar="PASS", help="Print the graph after this pass; 'build' for the first."),
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
    """Return the graph after a pass as text; passes of a backend follow those of every network.

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
