"""A forecast in words, and as JSON data."""

from __future__ import annotations

from netdesc.display import counted
from netdesc.forecast.host import HostForecast
from netdesc.units import format_memory

UNITS = (("s", 1.0, 90.0), ("min", 60.0, 90.0), ("h", 3600.0, 48.0), ("days", 86400.0, 1000.0))
"""Name, seconds, and the number from which the next unit is used."""

SHORTEST = 0.01
"""Seconds below which no number is given."""


def format_seconds(seconds: float) -> str:
    """Write a duration for people, with two digits, for example ``6.1 min``."""
    if seconds < SHORTEST:
        return f"less than {SHORTEST:g} s"
    for name, length, most in UNITS:
        if seconds < most * length:
            return f"{float(f'{seconds / length:.2g}'):g} {name}"
    return "more than 1000 days"


def tell_forecast(forecast: HostForecast) -> str:
    """Say in a line how long it takes and how much memory, and in a second one what would help if it is long.

    Returns
    -------
    str
        Without a line break at the end.
    """
    if forecast.epochs:
        total = format_seconds(forecast.seconds * forecast.epochs)
        time = f"an epoch takes {_about(forecast.seconds)}"
        time += f", {counted(forecast.epochs, 'epoch')} {total}" if forecast.epochs > 1 else ""
    else:
        time = f"a run takes {_about(forecast.seconds)}"
    basis = ", assuming 10 Hz" if forecast.basis == "assumed" else ""
    line = f"{time}{basis}; memory {format_memory(forecast.memory)}"
    if not forecast.remedies:
        return line
    changes = (f"{item.change} ({item.gain:.2g} times as fast)" for item in forecast.remedies)
    return f"{line}\nmore than an hour; what would help: {', '.join(changes)}"


def _about(seconds: float) -> str:
    return "about " * (seconds >= SHORTEST) + format_seconds(seconds)


def arrange_forecast(forecast: HostForecast | None) -> dict[str, object] | None:
    """Return a forecast as JSON data; None where there is none.

    Returns
    -------
    dict or None
        ``backend``; ``seconds`` of an epoch, or of a run; ``epochs`` (0 for a run) and ``total_seconds``;
        ``memory_bytes``; ``spikes`` of a sample by population; ``basis``; and ``remedies``, each with
        ``change`` and ``gain``.
    """
    if forecast is None:
        return None
    return {
        "backend": forecast.backend,
        "seconds": forecast.seconds,
        "epochs": forecast.epochs,
        "total_seconds": forecast.seconds * max(forecast.epochs, 1),
        "memory_bytes": forecast.memory,
        "spikes": dict(forecast.spikes),
        "basis": forecast.basis,
        "remedies": [{"change": item.change, "gain": item.gain} for item in forecast.remedies],
    }
