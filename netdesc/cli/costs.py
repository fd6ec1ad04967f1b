"""What runs take: estimated before, counted after, and both beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netdesc.capabilities import TAGS, arrange_numbers
from netdesc.cli.output import table
from netdesc.limits import Limit
from netdesc.maps import Estimate, Estimating, Forecast, Share

if TYPE_CHECKING:
    from netdesc.api import CompiledProgram

PEAK = "peak_"
"""How names of costs begin that are maxima and no sums."""

UNITS = {"_ms": "ms", "_mJ": "mJ", "_bytes": "B"}
"""Ends of the names of costs that are units."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a model is expected to take on a backend.

    Parameters
    ----------
    forecast : Forecast
        For a batch of samples.
    steps : int
        Steps of learning in an epoch; 0 where it is not known before the data are read.
    """

    forecast: Forecast
    steps: int = 0


def foresee(compiled: CompiledProgram) -> Outlook | None:
    """Ask a backend what a model will take; None where it makes no estimates.

    Raises
    ------
    NetdescError
        With everything that does not fit.
    """
    from netdesc.compiled import located

    if not isinstance(compiled.backend, Estimating):
        return None
    description = compiled.model.description
    batch = description.training.batch_size if description.training and description.data else 1
    with located(compiled.model):
        forecast = compiled.backend.estimate(compiled.program, batch)
    train = description.data.option("train") if description.data else None
    steps = -(-train // batch) if isinstance(train, int) and not isinstance(train, bool) else 0
    return Outlook(forecast, steps if forecast.step is not None else 0)


def estimate_run(compiled: CompiledProgram) -> Estimate | None:
    """Return what a backend expects a run forward to take; None where it makes no estimates."""
    outlook = foresee(compiled)
    return None if outlook is None else outlook.forecast.run


def arrange_outlook(outlook: Outlook | None) -> dict[str, object] | None:
    """Return an outlook as JSON data.

    Returns
    -------
    dict or None
        ``shares``, ``parallel``, ``run``, ``step`` and ``epoch`` with their costs, ``numbers`` with the tags.
    """
    if outlook is None:
        return None
    forecast = outlook.forecast
    step = forecast.step
    return {
        "shares": [_share(item) for item in forecast.shares],
        "parallel": forecast.parallel,
        "run": _estimate(forecast.run),
        "step": None if step is None else _estimate(step),
        "epoch": None
        if step is None or not outlook.steps
        else {"steps": outlook.steps, "costs": scale(step.costs, outlook.steps)},
        "numbers": arrange_numbers(forecast.run.numbers),
    }


def arrange_beside(
    estimate: Estimate | None, counted: Mapping[str, float], samples: int
) -> dict[str, object] | None:
    """Return an estimate beside what was counted of some samples as JSON data, per sample; None without one.

    By cost there are ``estimated``, ``counted`` and their ``ratio``, then ``numbers`` with their tags.
    """
    if estimate is None:
        return None
    before, after = per_sample(estimate.costs, estimate.samples), per_sample(counted, samples)
    return {
        "per_sample": {
            name: {"estimated": before.get(name), "counted": value, "ratio": ratio(value, before.get(name))}
            for name, value in after.items()
        },
        "numbers": arrange_numbers(estimate.numbers),
    }


def tabulate_outlook(outlook: Outlook) -> str:
    """Return an outlook as tables: shares of the machine, then costs."""
    forecast, step = outlook.forecast, outlook.forecast.step
    shares = table(
        ("needs", "", "of", "", "tag", "where"),
        [
            (
                item.name,
                f"{item.need:.6g}",
                f"{item.limit.value:.6g}",
                _percent(item),
                item.limit.tag,
                item.place,
            )
            for item in forecast.shares
        ],
    )
    columns = {"run, per sample": per_sample(forecast.run.costs, forecast.run.samples)}
    if step is not None:
        columns["learning, per sample"] = per_sample(step.costs, step.samples)
        if outlook.steps:
            columns[f"epoch of {outlook.steps} steps"] = scale(step.costs, outlook.steps)
    names = dict.fromkeys(name for column in reversed(columns.values()) for name in column)
    costs = table(
        ("estimate", *columns, ""),
        [
            (phrase(name), *(_figure(column.get(name)) for column in columns.values()), unit_of(name))
            for name in names
        ],
    )
    most = step or forecast.run
    return "\n\n".join(filter(None, (shares, costs, tell_places(most.places), tell_numbers(most.numbers))))


def tabulate_costs(
    estimate: Estimate | None,
    counted: Mapping[str, float],
    samples: int,
    *,
    places: Mapping[str, str] | None = None,
) -> str:
    """Return costs per sample as a table, beside the estimate where there is one.

    Parameters
    ----------
    estimate : Estimate or None
    counted : mapping of str to float
    samples : int
        That were counted.
    places : mapping of str to str or None
        Where peaks were, by their names.

    Returns
    -------
    str
        Empty where nothing was counted.
    """
    if not counted:
        return ""
    after = per_sample(counted, samples)
    if estimate is None:
        return table(
            ("per sample", "counted", ""),
            [(phrase(name), _figure(value), unit_of(name)) for name, value in after.items()],
        )
    before = per_sample(estimate.costs, estimate.samples)
    rows = [
        (
            phrase(name),
            _figure(before.get(name)),
            _figure(value),
            _figure(ratio(value, before.get(name)), 3),
            unit_of(name),
        )
        for name, value in after.items()
    ]
    both = table(("per sample", "estimated", "counted", "ratio", ""), rows)
    return "\n\n".join(filter(None, (both, tell_places(places or {}), tell_numbers(estimate.numbers))))


def tell_places(places: Mapping[str, str]) -> str:
    """Return where peaks are, a line each."""
    return "\n".join(f"{phrase(name)}: {place}" for name, place in places.items() if name.startswith(PEAK))


def tell_numbers(numbers: Mapping[str, Limit]) -> str:
    """Return the numbers behind costs, by tag."""
    tags: dict[str, list[str]] = {}
    for name, item in numbers.items():
        tags.setdefault(item.tag, []).append(f"{name} {item.value:g} {item.unit}".rstrip())
    return "\n".join(f"{tag} {TAGS.get(tag, '')}: {', '.join(names)}" for tag, names in sorted(tags.items()))


def per_sample(costs: Mapping[str, float], samples: int) -> dict[str, float]:
    """Return costs of one sample; peaks stay as they are."""
    return scale(costs, 1.0 / samples if samples else 0.0)


def scale(costs: Mapping[str, float], factor: float) -> dict[str, float]:
    """Return costs times a factor; peaks stay as they are."""
    return {name: value if name.startswith(PEAK) else value * factor for name, value in costs.items()}


def ratio(counted: float, estimated: float | None) -> float | None:
    """Return counted over estimated; None where nothing was estimated."""
    return counted / estimated if estimated else None


def phrase(name: str) -> str:
    """Return the name of a cost for people, without its unit."""
    end = next((end for end in UNITS if name.endswith(end)), "")
    words = name.removesuffix(end).removeprefix(PEAK).replace("_", " ").replace("pe ", "PE ")
    words = words.replace("sram", "SRAM").replace("dram", "DRAM")
    return f"peak {words}" if name.startswith(PEAK) else words


def unit_of(name: str) -> str:
    """Return the unit of a cost; empty for a count."""
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _figure(value: float | None, digits: int = 6) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _percent(item: Share) -> str:
    return f"{100 * item.need / item.limit.value:.3g} %" if item.limit.value else "-"


def _share(item: Share) -> dict[str, object]:
    limit = item.limit
    return {
        "name": item.name,
        "need": item.need,
        "limit": limit.value,
        "unit": limit.unit,
        "source": limit.source,
        "tag": limit.tag,
        "place": item.place,
    }


def _estimate(item: Estimate) -> dict[str, object]:
    return {"samples": item.samples, "costs": item.costs, "places": item.places}
