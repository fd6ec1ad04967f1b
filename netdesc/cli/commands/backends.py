"""``netdesc backends``: what each installed backend can do."""

from __future__ import annotations

from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, table
from netdesc.cli.output import show as print_text
from netdesc.limits import Limits


def backends(as_json: AsJson = False) -> None:
    """List backends and what they can do."""
    from netdesc.registry import backend_class, names

    known = {name: backend_class(name)({}).limits for name in names()}
    if as_json:
        emit({name: arrange(limits) for name, limits in known.items()})
        return
    print_text("\n\n".join(f"{name}\n{table(('', ''), rows(limits))}" for name, limits in known.items()))


def arrange(limits: Limits) -> dict[str, object]:
    """Return limits as JSON data.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    dict
    """
    return {
        "time": limits.time,
        "models": sorted(limits.models),
        "trainable": sorted(limits.trainable),
        "losses": sorted(limits.losses),
        "recordings": sorted(limits.recordings),
        "numbers": {
            name: {"value": item.value, "unit": item.unit, "source": item.source, "tag": item.tag}
            for name, item in limits.numbers.items()
        },
    }


def rows(limits: Limits) -> list[tuple[str, str]]:
    """Return limits as lines of a table.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    list of (str, str)
    """
    lists = [
        (name, ", ".join(sorted(getattr(limits, name))) or "none")
        for name in ("models", "trainable", "losses", "recordings")
    ]
    numbers = [
        (name, f"{item.value:g} {item.unit} ({item.source})".replace("  ", " "))
        for name, item in limits.numbers.items()
    ]
    return [("time", limits.time), *lists, *numbers]
