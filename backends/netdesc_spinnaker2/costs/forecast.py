"""A plan in the words that every backend uses: shares of the machine, estimates, and a drawing."""

from __future__ import annotations

from collections.abc import Mapping

from netdesc.display import counted
from netdesc.limits import Limit
from netdesc.maps import Estimate, Forecast, Panel, Share, Tile
from netdesc_spinnaker2.costs.costs import charge, numbers_of
from netdesc_spinnaker2.costs.expectation import Prospect
from netdesc_spinnaker2.mapping.placement import capacity
from netdesc_spinnaker2.mapping.plan import SPACES, Chip, Plan
from netdesc_spinnaker2.options import Options

ROW = 16
"""Processing elements in a row of a drawn chip."""

GAP = 1.5
"""Space between drawn chips, in processing elements."""

LABELS = {"input": "in", "layer": "layer", "loss": "loss", "optimizer": "opt"}
"""What stands in a drawn processing element, by its program; the copy follows."""


def forecast(plan: Plan, options: Options, samples: int, *, trains: bool) -> Forecast:
    """Estimate what runs of a plan take.

    Parameters
    ----------
    plan : Plan
    options : Options
    samples : int
    trains : bool
        Whether it can learn.
    """
    prospect = Prospect.of(plan, options)
    return Forecast(
        share_out(plan, options),
        plan.copies,
        _estimate(prospect, samples, learns=False),
        _estimate(prospect, samples, learns=True) if trains else None,
    )


def _estimate(prospect: Prospect, samples: int, *, learns: bool) -> Estimate:
    plan, options = prospect.plan, prospect.options
    costs = charge(prospect.work(samples, learns=learns), plan, options)
    return Estimate(samples, learns, costs.values, costs.places, numbers_of(options))


def share_out(plan: Plan, options: Options) -> tuple[Share, ...]:
    """Return what a plan takes of the machine."""
    profile = options.profile
    fullest = max(plan.slices, key=lambda item: plan.bytes(item.index))
    busiest = max(plan.slices, key=lambda item: plan.cycles[item.index])
    crowded = max(plan.slices, key=lambda item: plan.packets[item.index])
    chip, entries = max(plan.tables.items(), key=lambda item: len(item[1]), default=((0, 0), ()))
    usable = profile.pes_usable
    return (
        Share(
            "processing elements",
            len(plan.slices),
            Limit(capacity(options), "PEs", f"{len(options.board)} chips, {usable.source}", usable.tag),
            counted(plan.copies, "copy", "copies"),
        ),
        Share("SRAM of the fullest PE", plan.bytes(fullest.index), profile.data_sram, str(fullest)),
        Share("cycles of the busiest PE in a tick", plan.cycles[busiest.index], options.budget, str(busiest)),
        Share("packets into a PE in a tick", plan.packets[crowded.index], profile.fifo_depth, str(crowded)),
        Share(
            "entries of the longest routing table",
            len(entries),
            profile.table_entries,
            f"chip {chip[0]},{chip[1]}",
        ),
    )


def itemize(plan: Plan) -> Mapping[str, object]:
    """Return a plan as plain data.

    Returns
    -------
    mapping
        ``copies``; ``slices``, each with its place, bytes by item, cycles, packets and keys; ``tables``, by
        chip the entries before and after compression.
    """
    slices = []
    for item, site, keys in zip(plan.slices, plan.sites, plan.keys, strict=True):
        slices.append(
            {
                "role": item.role,
                "population": item.population,
                "start": item.start,
                "stop": item.stop,
                "copy": item.copy,
                "chip": list(site.chip),
                "pe": site.pe,
                "memory": plan.memory[item.index],
                "bytes": plan.bytes(item.index),
                "recorded_bytes": plan.recorded[item.index],
                "cycles": plan.cycles[item.index],
                "packets": plan.packets[item.index],
                "keys": {
                    space: {"base": keys[space].base, "mask": keys[space].mask}
                    for space in SPACES
                    if space in keys
                },
            }
        )
    tables = {
        f"{x},{y}": {"entries": len(entries), "uncompressed": plan.uncompressed[x, y]}
        for (x, y), entries in sorted(plan.tables.items())
    }
    return {"copies": plan.copies, "slices": slices, "tables": tables}


def draw(plan: Plan, options: Options) -> tuple[Panel, ...]:
    """Return the chips in use as tiles, once filled by bytes and once by cycles."""
    profile = options.profile
    budget = options.budget.value
    sram = [plan.bytes(item.index) / profile.data_sram.value for item in plan.slices]
    cycles = [plan.cycles[item.index] / budget for item in plan.slices]
    chips = sorted({site.chip for site in plan.sites})
    return (
        Panel(
            f"memory of {plan.extent}",
            _tiles(plan, options, chips, sram),
            f"{profile.data_sram.value:g} B of SRAM",
        ),
        Panel(
            f"work of {plan.extent}",
            _tiles(plan, options, chips, cycles),
            f"{budget:g} cycles of a tick, as expected",
        ),
    )


def _tiles(plan: Plan, options: Options, chips: list[Chip], fills: list[float]) -> tuple[Tile, ...]:
    """Return the rows of processing elements of which any is in use, chip by chip."""
    last = max(site.pe for site in plan.sites) // ROW * ROW + ROW
    shown = min(last, int(options.profile.pes_usable.value))
    used = {(site.chip, site.pe): index for site, index in plan.occupants().items()}
    tiles = []
    for chip, (x, y) in _corners(chips, -(-shown // ROW)).items():
        for pe in range(shown):
            group, label, fill = "", "", 0.0
            if (chip, pe) in used:
                item = plan.slices[used[chip, pe]]
                copy = "" if item.copy < 0 else f" {item.copy}"
                group, label, fill = item.population, f"{LABELS[item.role]}{copy}", fills[item.index]
            tiles.append(Tile(x + pe % ROW, y - pe // ROW, 0.9, 0.9, group, label, fill))
    return tuple(tiles)


def _corners(chips: list[Chip], height: int) -> dict[Chip, tuple[float, float]]:
    """Return where each chip is drawn: as on the board, rows and columns without a chip in use left out."""
    columns = {x: number for number, x in enumerate(sorted({x for x, _ in chips}))}
    rows = {y: number for number, y in enumerate(sorted({y for _, y in chips}))}
    return {(x, y): (columns[x] * (ROW + GAP), rows[y] * (height + GAP)) for x, y in chips}
