"""A model as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netdesc.cli.output import table
from netdesc.description.model import Description


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
