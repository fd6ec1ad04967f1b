"""A plan as stable text."""

from __future__ import annotations

from collections.abc import Iterator

from netdesc.display import counted, number_ranges
from netdesc_spinnaker2.mapping.checks import listed
from netdesc_spinnaker2.mapping.plan import SPACES, Plan


def render(plan: Plan) -> str:
    """Write a plan as text, the same on every machine.

    Returns
    -------
    str
        Slice by slice place, bytes by item, cycles and keys; chip by chip entries before and after
        compression; totals and notes.
    """
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield (
        f"placement of {plan.network.program.name}: {plan.extent}, "
        f"{counted(plan.copies, 'copy', 'copies')}, "
        f"{counted(plan.network.ticks, 'tick')} of {plan.network.tick:g} ms"
    )
    for item in plan.slices:
        yield f"{item} at {plan.sites[item.index]}"
        yield f"  memory {plan.bytes(item.index)} B: {listed(plan.memory[item.index])}"
        if plan.recorded[item.index]:
            yield f"  recorded {plan.recorded[item.index]} B of DRAM per sample"
        yield f"  cycles {plan.cycles[item.index]:.0f}, packets {plan.packets[item.index]:.3g} per tick"
        keys = _keys(plan, item.index)
        if keys:
            yield f"  keys {', '.join(keys)}"
    for (x, y), entries in sorted(plan.tables.items()):
        yield (
            f"chip {x},{y}: {counted(len(entries), 'entry', 'entries')}, "
            f"{plan.uncompressed[x, y]} before compression"
        )
        for entry in entries:
            yield f"  {_ternary(entry.key, entry.mask)} -> {_route(entry.links, entry.pes)}"
    for note in plan.notes:
        yield f"note {note}"


def _keys(plan: Plan, index: int) -> list[str]:
    blocks = plan.keys[index]
    return [
        f"{space} {blocks[space].base:08x}/{blocks[space].mask:08x}" for space in SPACES if space in blocks
    ]


def _ternary(key: int, mask: int) -> str:
    return "".join("X" if not mask >> bit & 1 else str(key >> bit & 1) for bit in reversed(range(32)))


def _route(links: int, pes: tuple[int, ...]) -> str:
    names = ("E", "NE", "N", "W", "SW", "S")
    out = " ".join(name for bit, name in enumerate(names) if links >> bit & 1)
    sent = f"PE {number_ranges(pes)}" if pes else ""
    return ", ".join(part for part in (out, sent) if part)
