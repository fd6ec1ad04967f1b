"""Costs as text: the estimate, and beside it what was counted."""

from __future__ import annotations

from collections.abc import Iterator

from netdesc_spinnaker2.costs import Costs
from netdesc_spinnaker2.energy import PARTS

Row = tuple[str, float, str]
"""What it is, the number, its unit."""


def render(estimate: Costs, counted: Costs | None = None) -> str:
    """Write costs as text.

    Parameters
    ----------
    estimate : Costs
        Before the run.
    counted : Costs or None
        After it; then both stand side by side, with counted / estimate.

    Returns
    -------
    str
        Per sample, except for the most that one place has to do in a tick; with the numbers that all this
        depends on, their tags and sources.
    """
    return "\n".join(_lines(estimate, counted)) + "\n"


def sum_up(costs: Costs) -> str:
    """Say in one sentence what a sample takes, with the tags of the numbers behind it.

    Parameters
    ----------
    costs : Costs
        An estimate.

    Returns
    -------
    str
    """
    each = 1.0 / costs.samples if costs.samples else 0.0
    largest = max(PARTS, key=lambda part: float(getattr(costs.energy, part)))
    share = 100.0 * getattr(costs.energy, largest) / costs.energy.total if costs.energy.total else 0.0
    tags: dict[str, list[str]] = {}
    for name, limit in costs.numbers.items():
        tags.setdefault(limit.tag, []).append(name)
    told = "; ".join(f"{tag}: {', '.join(names)}" for tag, names in sorted(tags.items()))
    return (f"a sample takes about {costs.time * each:.4g} ms and {costs.energy.total * each:.4g} mJ with "
            f"{costs.samples} in parallel, {share:.0f} % of it {largest.replace('_', ' ')}; at most "
            f"{costs.busiest.value:.6g} cycles in a tick ({costs.busiest.place}); from numbers {told}")


def rows(costs: Costs) -> tuple[Row, ...]:
    """Return the lines of a bill: what it is, the number, its unit."""
    each = 1.0 / costs.samples if costs.samples else 0.0
    return (
        ("time per sample", costs.time * each, "ms"),
        ("ticks", costs.ticks, ""),
        ("cycles per sample", costs.cycles * each, ""),
        ("busiest element, cycles in a tick", costs.busiest.value, ""),
        ("packets into an element in a tick", costs.crowded.value, ""),
        ("packets over a link in a tick", costs.link.value, ""),
        ("overruns", costs.overruns, ""),
        ("elements and ticks at the high clock", costs.at_high, ""),
        ("SRAM of the fullest element", costs.sram.value, "B"),
        ("DRAM per sample", costs.dram * each, "B"),
        *((f"{kind} packets per sample", number * each, "") for kind, number in costs.packets.items()),
        *((f"energy per sample, {part.replace('_', ' ')}", getattr(costs.energy, part) * each, "mJ")
          for part in PARTS),
        ("energy per sample", costs.energy.total * each, "mJ"))


def _lines(estimate: Costs, counted: Costs | None) -> Iterator[str]:
    found = {} if counted is None else {name: value for name, value, _ in rows(counted)}
    expected = list(rows(estimate))
    names = {name for name, _, _ in expected}
    if counted is not None:
        expected += [(name, 0.0, unit) for name, _, unit in rows(counted) if name not in names]
    width = max(len(name) for name, _, _ in expected)
    head = f"{'costs':<{width}}  {'estimate':>12}"
    yield f"{head}  {'counted':>12}  ratio" if counted is not None else head
    for name, value, unit in expected:
        line = f"{name:<{width}}  {value:>12.6g}"
        if counted is not None:
            real = found.get(name, 0.0)
            line += f"  {real:>12.6g}  {f'{real / value:.3f}' if value else '-':>5}"
        yield f"{line} {unit}".rstrip()
    places = estimate if counted is None else counted
    for what, peak in (("busiest element", places.busiest), ("busiest link", places.link)):
        if peak.place:
            yield f"{what}: {peak.place}"
    for name, limit in places.numbers.items():
        number = f"{limit.value:g} {limit.unit}".rstrip()
        yield f"  {name} {number} ({limit.tag}: {limit.source})"
