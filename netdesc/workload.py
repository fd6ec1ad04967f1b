"""How much work a sample is: neurons, synapses and spikes, and the time that a backend needs for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from netdesc.block import Block
from netdesc.program import PopulationSlice, Program, Stage


@dataclass(frozen=True, slots=True)
class Group:
    """A population as far as it is work.

    Parameters
    ----------
    name : str
    kind : str
        ``source``, ``spiking`` or ``readout``.
    size : float
        Number of neurons.
    spikes : float
        Expected in a sample.
    linear : bool
        Whether it is a cell with a closed solution; False for cells from equations.
    recorded : float
        Values that are recorded of it in a sample.
    """

    name: str
    kind: str
    size: float
    spikes: float
    linear: bool = True
    recorded: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """The synapses of a projection as far as they are work.

    Parameters
    ----------
    pre, post : int
        Indices into the groups.
    synapses : float
    dense : bool
        Whether every source reaches every target.
    one_delay : bool
        Whether all synapses share one delay that is not trained.
    delay : float
        The shortest, in ms.
    trained : float
        Weights and delays that are trained.
    moves : bool
        Whether delays are trained.
    """

    pre: int
    post: int
    synapses: float
    dense: bool
    one_delay: bool
    delay: float
    trained: float
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """Groups that are computed together.

    Parameters
    ----------
    groups : tuple of int
        Indices.
    recurrent : bool
        Whether their projections form a cycle.
    uniform : bool
        Whether the neurons share all parameters and have no refractory period.
    """

    groups: tuple[int, ...]
    recurrent: bool
    uniform: bool


@dataclass(frozen=True, slots=True)
class Workload:
    """What has to be computed for a sample.

    Parameters
    ----------
    duration : float
        Of a sample in ms.
    groups : tuple of Group
    links : tuple of Link
    phases : tuple of Phase
    batch : int
        Samples that are computed at once.
    """

    duration: float
    groups: tuple[Group, ...]
    links: tuple[Link, ...]
    phases: tuple[Phase, ...]
    batch: int = 1

    @classmethod
    def of(cls, program: Program, spikes: Mapping[str, float], batch: int) -> Workload:
        """Return the work of a program.

        Parameters
        ----------
        program : Program
        spikes : mapping of str to float
            Expected in a sample, by population.
        batch : int
            Samples that are computed at once.
        """
        return cls(
            program.duration,
            tuple(_group(item, program, spikes.get(item.name, 0.0)) for item in program.populations),
            tuple(_link(block) for block in program.blocks),
            tuple(
                Phase(stage.populations, stage.recurrent, _is_uniform(program, stage))
                for stage in program.stages
            ),
            batch,
        )

    @property
    def trained(self) -> float:
        """Number of weights and delays that are trained."""
        return sum(link.trained for link in self.links)

    def into(self, phase: Phase) -> list[Link]:
        """Return the links that end in a phase."""
        return [link for link in self.links if link.post in phase.groups]

    def size(self, phase: Phase) -> float:
        """Return the number of neurons of a phase."""
        return sum(self.groups[k].size for k in phase.groups)

    def spikes(self, phase: Phase) -> float:
        """Return the expected spikes of a phase in a sample."""
        return sum(self.groups[k].spikes for k in phase.groups)

    def arrivals(self, phase: Phase) -> float:
        """Return how many spikes reach a phase, each counted once for all of its synapses in a link."""
        return sum(self.groups[link.pre].spikes for link in self.into(phase))

    def deliveries(self, phase: Phase) -> float:
        """Return over how many synapses spikes reach a phase."""
        return sum(
            self.groups[link.pre].spikes * link.synapses / max(self.groups[link.pre].size, 1.0)
            for link in self.into(phase)
        )

    def shrink(self, group: int, factor: float) -> Workload:
        """Return the work with a group a factor of its size, spikes and synapses in proportion."""
        old = self.groups[group]
        new = replace(old, size=old.size * factor, spikes=old.spikes * factor)
        groups = tuple(new if k == group else item for k, item in enumerate(self.groups))

        def fit(link: Link) -> Link:
            part = factor ** ((link.pre == group) + (link.post == group))
            return replace(link, synapses=link.synapses * part, trained=link.trained * part)

        return replace(self, groups=groups, links=tuple(fit(link) for link in self.links))


def _group(population: PopulationSlice, program: Program, spikes: float) -> Group:
    name = population.name
    recorded = sum(
        len(item.neurons) * (program.duration // item.every + 1.0)
        for item in program.sampling
        if item.population == name
    )
    return Group(
        name, population.kind, population.size, spikes, population.equations is None, float(recorded)
    )


def _link(block: Block) -> Link:
    trained = len(block.weights) * block.train_weight + len(block.delays) * block.train_delay
    return Link(
        block.pre,
        block.post,
        block.size,
        block.dense,
        block.uniform_delay and not block.train_delay,
        float(np.min(block.delays, initial=np.inf)),
        trained,
        block.train_delay,
    )


def _is_uniform(program: Program, stage: Stage) -> bool:
    members = [program.populations[k] for k in stage.populations]
    if any(item.equations is not None for item in members):
        return False
    return not np.any(_values(program, members, "tau_ref")) and all(
        bool(np.all((found == found[:1]) | np.isnan(found)))
        for found in (_values(program, members, name) for name in ("tau_m", "tau_s", "threshold", "reset"))
    )


def _values(program: Program, members: list[PopulationSlice], name: str) -> Any:
    return np.concatenate([program.parameters[name][item.start : item.stop] for item in members])


@dataclass(frozen=True, slots=True)
class Spell:
    """Time that a backend needs, in seconds of the machine that its constants were measured on.

    Parameters
    ----------
    forward : float
        For a sample, forward.
    backward : float
        For a sample, the gradient.
    batch : float
        For a batch, however many samples it has.
    """

    forward: float
    backward: float
    batch: float

    def step(self, samples: float) -> float:
        """Return the seconds of a step of training with so many samples."""
        return self.batch + samples * (self.forward + self.backward)

    def run(self, samples: float) -> float:
        """Return the seconds of so many samples forward, in one batch."""
        return 0.5 * self.batch + samples * self.forward


@runtime_checkable
class Timed(Protocol):
    """What a backend offers in addition that knows how fast it runs on a processor."""

    def spell(self, work: Workload) -> Spell:
        """Return the time that work takes.

        Parameters
        ----------
        work : Workload

        Returns
        -------
        Spell
            With constants measured on a machine for which `netdesc.forecast.probe.measure_slowness` is 1.
        """
        ...

    def faster(self) -> Mapping[str, Mapping[str, Any]]:
        """Return settings that may be faster.

        Returns
        -------
        mapping of str to mapping
            The section ``backends.NAME`` with one change, by the change as it is written in a command.
        """
        ...
