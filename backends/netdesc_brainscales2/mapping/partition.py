"""Which neurons run together: one execution instance, or several one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from netdesc.program import Program, Stage
from netdesc_brainscales2.mapping.demand import Demand
from netdesc_brainscales2.mapping.instances import Crowding, Placement, lay_out_instance
from netdesc_brainscales2.mapping.placement import Slice
from netdesc_brainscales2.options import Options


@dataclass(slots=True)
class Partition:
    """Fills execution instances stage by stage.

    Parameters
    ----------
    program : Program
    demands : sequence of Demand
    options : Options
    placements : list of Placement
        Instances that are complete, in the order in which they run.
    crowding : Crowding or None
        Why neurons found no place, or one instance was not enough.
    complete : bool
        Whether every neuron found a place.
    """

    program: Program
    demands: Sequence[Demand]
    options: Options
    placements: list[Placement] = field(default_factory=list)
    crowding: Crowding | None = None
    complete: bool = False
    _open: Placement | None = None

    def run(self) -> None:
        """Fill instances; everything goes into one if it fits and no delay asks for a cut."""
        self.complete = self._fill()

    def _fill(self) -> bool:
        stages = self.program.stages
        if not stages:
            return True
        if not self._held_back():
            whole = self._try([name for stage in stages for name in stage.populations])
            if isinstance(whole, Placement):
                self.placements.append(whole)
                return True
            self.crowding = whole
        if self.options.instances == 1:
            if self._held_back() and self.crowding is None:
                self.crowding = Crowding("delays", 2, 1, "", {})
            return False
        return all(self._add(stage) for stage in stages) and self._close()

    def _held_back(self) -> bool:
        """Return whether a delay between neurons asks for a cut."""
        sources = {number for number, item in enumerate(self.program.populations) if item.kind == "source"}
        return any(item.block.pre not in sources and bool(item.block.delays.any()) for item in self.demands)

    def _try(self, populations: Sequence[int], extra: Sequence[Slice] = ()) -> Placement | Crowding:
        items = [self.program.populations[number] for number in sorted(populations)]
        slices = [*extra, *(Slice(item.name, 0, item.size) for item in items)]
        return lay_out_instance(slices, self.program, self.demands, self.options)

    def _close(self) -> bool:
        if self._open is not None:
            self.placements.append(self._open)
            self._open = None
        return True

    def _add(self, stage: Stage) -> bool:
        """Add a stage to the open instance, or to new ones."""
        if self._open is not None and not self._must_follow(stage):
            joined = self._try(stage.populations, self._open.slices)
            if isinstance(joined, Placement):
                self._open = joined
                return True
        self._close()
        alone = self._try(stage.populations)
        if isinstance(alone, Placement):
            self._open = alone
            return True
        self.crowding = alone
        return not stage.recurrent and len(stage.populations) == 1 and self._cut(stage.populations[0], alone)

    def _must_follow(self, stage: Stage) -> bool:
        """Return whether delayed spikes of the open instance reach a stage."""
        here = {item.population for item in self._open.slices} if self._open else set[str]()
        return any(
            item.pre in here and item.block.post in stage.populations and bool(item.block.delays.any())
            for item in self.demands
        )

    def _cut(self, population: int, crowding: Crowding) -> bool:
        """Cut a population into slices of one instance each, as large as they can be."""
        item = self.program.populations[population]
        if crowding.kind == "fanin":
            return False
        width = crowding.merged[item.name]
        size = min(item.size, int(self.options.profile.circuits.value) // width)
        start = 0
        while start < item.size:
            size = min(size, item.size - start)
            if size < 1:
                return False
            found = lay_out_instance(
                [Slice(item.name, start, start + size)], self.program, self.demands, self.options
            )
            if isinstance(found, Crowding):
                self.crowding, size = found, size // 2
                continue
            self._close()
            self._open = found
            start += size
        return True
