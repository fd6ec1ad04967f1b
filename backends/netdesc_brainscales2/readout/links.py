"""Events between host and chip: the grid of time stamps, links of finite rate, replay between instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from netdesc.block import Block
from netdesc.errors import Diagnostic
from netdesc.events import Events, Floats
from netdesc.parameters import Parameter
from netdesc.precision import fits_float32
from netdesc.program import Program
from netdesc_brainscales2.analog.stamps import pass_link, put_in_order, stamp
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options


def stamp_spikes(events: Events, step: float, duration: float) -> Events:
    """Return recorded spikes: each has the stamp of the clock edge after it, or of the end of the run."""
    times, sources = np.array(events.times), np.array(events.sources)
    stamp(times, sources, events.offsets, step)
    if len(times) and times.max() > duration:
        np.minimum(times, duration, out=times)
        for b in range(events.batch):
            put_in_order(int(events.offsets[b]), int(events.offsets[b + 1]), times, sources)
    return replace(events, times=times, sources=sources)


def source_delays(block: Block, delays: Floats) -> Floats:
    """Return by how long the host holds back the events of each source of a block, in ms."""
    if block.uniform_delay:
        return np.broadcast_to(delays, (block.n_pre,))
    indptr, _ = block.sparse()
    result = np.zeros(block.n_pre)
    result[np.repeat(np.arange(block.n_pre), np.diff(indptr))] = delays
    return result


class Links:
    """The links of a program between host and chip."""

    def __init__(self, program: Program, plan: Plan, options: Options) -> None:
        self.program = program
        profile = options.profile
        self.step = options.milliseconds(profile.event_grid.value)
        self.depth = int(profile.fifo_depth.value)
        self.in_gap = options.milliseconds(1.0 / profile.input_rate.value)
        self.out_gap = options.milliseconds(1.0 / profile.output_rate.value)
        self.held = options.delays == "instance"
        self.blocks = {block.delay_key: block for block in program.blocks}
        self.write({key: block.delays for key, block in self.blocks.items()})
        self.instances = {
            p.name: np.unique(plan.instance_of(p.name)).tolist()
            for p in program.populations
            if p.kind != "source"
        }

    def check(self, parameter: Parameter, values: Floats) -> Iterator[Diagnostic]:
        """Yield what keeps values from the chip: numbers beyond its precision, impossible delays."""
        yield from fits_float32(parameter, values)
        block = self.blocks.get(parameter.key)
        if block is None:
            return
        indptr, _ = block.sparse()
        if not block.uniform_delay and np.any(
            np.repeat(source_delays(block, values), np.diff(indptr)) != values
        ):
            yield Diagnostic(
                f"{parameter.key} differs between targets of one source; the host holds all "
                "events of a source back by one time"
            )
        elif np.any(values) and (self.is_looped(block) or not self.held):
            yield Diagnostic(f"{parameter.key} is above 0; the chip has no delays", block.path)

    def is_looped(self, block: Block) -> bool:
        """Return whether a block stays within a stage."""
        members = [stage.populations for stage in self.program.stages]
        return any(block.pre in stage and block.post in stage for stage in members)

    def write(self, values: Mapping[str, Floats]) -> None:
        """Set the delays, in ms, of all blocks, by their keys; ``check`` accepts them."""
        self.delays = [source_delays(block, values[key]) for key, block in self.blocks.items()]

    def stays(self, k: int) -> bool:
        """Return whether the spikes of a block reach their targets without leaving the chip."""
        block = self.program.blocks[k]
        pre, post = (self.program.populations[j].name for j in (block.pre, block.post))
        return (
            pre in self.instances
            and len(self.instances[pre]) == 1
            and self.instances[pre] == self.instances[post]
            and not self.delays[k].any()
        )

    def relayed(self) -> frozenset[str]:
        """Return the populations whose spikes reach others through the host, sources not among them."""
        pre = (
            self.program.populations[block.pre]
            for k, block in enumerate(self.program.blocks)
            if not self.stays(k)
        )
        return frozenset(population.name for population in pre if population.kind == "spiking")

    def deliver(
        self,
        k: int,
        recorded: Mapping[int, Events],
        on_chip: Mapping[int, Events],
        health: dict[str, int],
        sent: dict[int, Events],
    ) -> Events:
        """Return what arrives over a block from outside its stage.

        Parameters
        ----------
        k : int
            Of the block.
        recorded, on_chip : mapping of int to Events
            Spikes of populations as the host and as the chip knows them.
        health : dict of str to int
            Losses are added to it.
        sent : dict of int to Events
            By population, what the host has sent already; added to.

        Returns
        -------
        Events
            At their arrival.
        """
        pre = self.program.blocks[k].pre
        if self.stays(k):
            return on_chip[pre]
        if pre not in sent:
            sent[pre] = self.send(recorded[pre], health)
        events = sent[pre]
        delays = self.delays[k]
        if not delays.any():
            return events
        return events.move(events.times + delays[events.sources])

    def send(self, events: Events, health: dict[str, int]) -> Events:
        """Put events of the host on the grid and through the link."""
        times = np.rint(events.times / self.step) * self.step
        keep = np.ones(len(times), dtype=np.bool_)
        lost = pass_link(times, events.sources, events.offsets[None], self.in_gap, self.depth, keep)
        health["dropped_in"] += lost
        rounded = replace(events, times=times)
        return rounded.keep(keep) if lost else rounded

    def record(self, recorded: Mapping[int, Events], health: dict[str, int]) -> dict[int, Events]:
        """Send the spikes of the chip to the host, through one link.

        Parameters
        ----------
        recorded : mapping of int to Events
            By population, sources included.
        health : dict of str to int
            Losses are added to it.
        """
        chip = [k for k in recorded if self.program.populations[k].kind == "spiking"]
        result = dict(recorded)
        if not chip:
            return result
        parts = [recorded[k] for k in chip]
        starts = np.cumsum([0, *(len(part) for part in parts)])
        keep = np.ones(starts[-1], dtype=np.bool_)
        lost = pass_link(
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.sources for part in parts]),
            np.stack([part.offsets + start for part, start in zip(parts, starts[:-1], strict=True)]),
            self.out_gap,
            self.depth,
            keep,
        )
        health["dropped_out"] += lost
        if lost:
            for k, flags in zip(chip, np.split(keep, starts[1:-1]), strict=True):
                result[k] = recorded[k].keep(flags)
        return result
