"""A program on the emulated chip, with the host in the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.adjoint.final_voltages import FINAL, final_readings, read_silent
from netdesc.adjoint.readings import read_samples
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.parameters import ParameterStore
from netdesc.program import Program
from netdesc.streams import stream
from netdesc.threads import available
from netdesc.trace import Cotangent, Read, Recording, Trace, versions
from netdesc_brainscales2.analog.core import Outcome, StageCore, TemporalNoise
from netdesc_brainscales2.chip.calibration import Calibration
from netdesc_brainscales2.chip.substrate import gather_membranes, synapse_gains
from netdesc_brainscales2.costs import compute_costs
from netdesc_brainscales2.host.in_the_loop import Host
from netdesc_brainscales2.host.true_model import TrueModel
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.readout.converters import Reader, convert, plan_last, plan_readers
from netdesc_brainscales2.readout.links import Links, stamp_spikes

COUNTS = (
    "arrivals",
    "in_flight",
    "dropped",
    "dropped_in",
    "dropped_out",
    "unrecorded",
    "clipped",
    "compressed",
    "unreliable_samples",
)
"""What is counted of a run besides its weights."""


class AnalogMachine:
    """A program on an emulated chip.

    Parameters
    ----------
    program : Program
    plan : Plan
        Where its neurons and synapses lie.
    calibration : Calibration
        Of the circuits there. It belongs to the chip, noise to the run, so that no seed is needed.
    options : Options

    Raises
    ------
    BackendError
        If a circuit cannot do what its neuron needs.
    """

    def __init__(self, program: Program, plan: Plan, calibration: Calibration, options: Options) -> None:
        self.program = program
        self.plan = plan
        self.options = options
        self.calibration = calibration
        pattern = self.calibration.pattern
        self.membranes = gather_membranes(program, plan, options.profile, pattern)
        self.gains = [synapse_gains(wiring, pattern) for wiring in plan.wirings]
        self.cores = [StageCore(program, stage, self.membranes) for stage in program.stages]
        self.readers = plan_readers(program, plan, options)
        self.last = plan_last(program, options)
        self.sampled = replace(
            program, readings=tuple(item for item in program.readings if item.kind != FINAL)
        )
        self.links = Links(program, plan, options)
        self.store = ParameterStore(program.declared(), self.links.check)
        known = TrueModel(program, self.membranes, self.gains) if options.adjoint == "true" else None
        self.host = Host(program, options, known, relayed=self.links.relayed())
        self.threads = available()
        self.inner = frozenset(k for core in self.cores for k in core.inside)
        self.arrange()

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights; see ``netdesc.backend.Machine``. They become words of the synapses."""
        self.store.write(parameters)
        self.links.write(self.store.values)
        self.host.relayed = self.links.relayed()
        self.arrange()

    def arrange(self) -> None:
        """Bring the present weights onto the chip."""
        self.as_run: dict[str, Floats] = {}
        self.weight_health = {"weights_saturated": 0, "weights_zeroed": 0}
        volts = []
        for block, wiring, (excitatory, inhibitory) in zip(
            self.program.blocks, self.plan.wirings, self.gains, strict=True
        ):
            wanted = self.store[block.weight_key]
            words = wiring.words(wanted)
            steps, demand = wanted * wiring.demand.scale, wiring.demand
            self.weight_health["weights_saturated"] += int(
                np.sum((steps > demand.high + 0.5) | (steps < demand.low - 0.5))
            )
            self.weight_health["weights_zeroed"] += int(np.sum((words == 0) & (wanted != 0.0)))
            self.as_run[block.weight_key] = wiring.weights(words)
            self.as_run[block.delay_key] = self.store[block.delay_key]
            gains = np.where(block.spread(words) > 0, excitatory, inhibitory)
            volts.append(block.charges(self.as_run[block.weight_key]) * gains)
        for core in self.cores:
            core.write(volts)

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network on the chip; see ``netdesc.backend.Machine``."""
        batch, budget = stimulus.batch, self.program.spike_budget(stimulus.batch)
        profile, noisy = self.options.profile, self.options.noise
        spreads = (profile.threshold_noise.value * noisy, profile.spike_jitter.value * noisy)
        noise = TemporalNoise(seed, stimulus.identities, *spreads)
        recorded = self.program.select_stimulus(stimulus)
        on_chip: dict[int, Events] = {}
        samples: dict[str, Recording] = {}
        last: dict[str, Recording] = {}
        health = dict.fromkeys(COUNTS, 0) | self.weight_health
        sent: dict[int, Events] = {}
        arrived = dict(recorded)
        for core in self.cores:
            if any(
                self.program.blocks[k].pre not in arrived and not self.links.stays(k) for k in core.outside
            ):
                arrived |= self.fetch(recorded, arrived, health)
            delivered = {}
            for k in core.outside:
                delivered[k] = self.links.deliver(k, arrived, on_chip, health, sent)
                if not self.links.stays(k):
                    count, pre = self.program.blocks[k].count_synapses, self.program.blocks[k].pre
                    health["dropped"] += count(arrived[pre].sources) - count(delivered[k].sources)
            outcome = core.run(delivered, budget, grid=self.grid_of(core), noise=noise, threads=self.threads)
            health["clipped"] += outcome.clipped
            health["compressed"] += outcome.saturated
            self.share(core, outcome, stimulus.identities, (recorded, on_chip))
            samples |= self.sample(core, outcome, self.readers, health, noise)
            last |= self.sample(core, outcome, self.last, health, noise)
            self.count(core, delivered, on_chip, health)
        recorded = arrived | self.fetch(recorded, arrived, health)
        for k, block in enumerate(self.program.blocks):
            if block.pre in on_chip and (self.links.stays(k) or k in self.inner):
                count, pre = block.count_synapses, block.pre
                health["unrecorded"] += count(on_chip[pre].sources) - count(recorded[pre].sources)
        names = [population.name for population in self.program.populations]
        kinds = [population.kind for population in self.program.populations]
        spiking = {k: events for k, events in recorded.items() if kinds[k] != "readout"}
        costs = compute_costs(
            self.options,
            samples=batch,
            instances=len(self.plan.instances),
            duration=self.program.duration,
            events_in=sum(len(events) for events in sent.values()),
            events_out=sum(len(events) for k, events in spiking.items() if kinds[k] == "spiking"),
            readings=sum(item.values.size for item in [*samples.values(), *last.values()]),
        )
        return Trace(
            spikes={names[k]: spiking[k] for k in sorted(spiking)},
            residuals=None,
            recordings=samples,
            effective_parameters=dict(self.as_run),
            health=health,
            costs=costs,
            provenance={
                "backend": "brainscales2",
                "solver": f"analog, {self.options.machine}",
                "chip": str(self.options.chip),
                "calibration": self.calibration.describe(),
                **versions(),
            },
            readings=read_samples(self.sampled, samples) | self.read_last(last, recorded),
            batch_size=batch,
        )

    def fetch(
        self, recorded: Mapping[int, Events], arrived: Mapping[int, Events], health: dict[str, int]
    ) -> dict[int, Events]:
        """Return the spikes that the host does not have yet, as far as the link carries them."""
        waiting = {k: events for k, events in recorded.items() if k not in arrived}
        return self.links.record(waiting, health)

    def read_last(self, last: Mapping[str, Recording], recorded: Mapping[int, Events]) -> dict[str, Read]:
        """Return the last voltages that losses read, NaN where a spike was recorded."""
        places = {item.name: k for k, item in enumerate(self.program.populations)}
        return {
            item.key: read_silent(
                last[f"{item.population}.v"].values[:, :, 0], recorded[places[item.population]]
            )
            for item in final_readings(self.program)
        }

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Run the adjoint on the host; see ``netdesc.backend.Machine``."""
        return self.host.adjoint(trace, cotangent)

    def grid_of(self, core: StageCore) -> Floats:
        """Return the times at which some voltage of a stage is sampled."""
        times = [
            readers[p.name].times
            for p in core.members
            for readers in (self.readers, self.last)
            if p.name in readers
        ]
        return np.unique(np.concatenate(times)) if times else np.empty(0)

    def share(
        self,
        core: StageCore,
        outcome: Outcome,
        identities: Integers,
        known: tuple[dict[int, Events], dict[int, Events]],
    ) -> None:
        """Hand the spikes of a stage to its populations, as they are recorded and as they happen."""
        recorded, on_chip = known
        everything = Events(outcome.times, outcome.neurons, outcome.offsets, identities)
        step = self.options.milliseconds(self.options.profile.event_grid.value)
        for p, member in zip(core.stage.populations, core.members, strict=True):
            place = core.places[p]
            alone = len(core.members) == 1
            events = everything if alone else everything.select(place, place + member.size)
            on_chip[p] = events
            recorded[p] = stamp_spikes(events, step, self.program.duration)

    def sample(
        self,
        core: StageCore,
        outcome: Outcome,
        readers: Mapping[str, Reader],
        health: dict[str, int],
        noise: TemporalNoise,
    ) -> dict[str, Recording]:
        """Digitize the voltages of a stage that are read out."""
        grid = self.grid_of(core)
        samples = {}
        for p, member in zip(core.stage.populations, core.members, strict=True):
            if member.name not in readers:
                continue
            reader = readers[member.name]
            place = core.places[p]
            voltages = outcome.voltages[:, place : place + member.size, np.searchsorted(grid, reader.times)]
            path = f"brainscales2.{reader.sampled.converter}.{member.name}"
            path = f"{path}.last" if readers is self.last else path
            draws = [stream(noise.seed, f"{path}.{number}") for number in noise.identities.tolist()]
            found, outside = convert(voltages, self.membranes[member.name], reader, self.options, draws)
            samples[f"{member.name}.v"] = found
            health["unreliable_samples"] += outside
        return samples

    def count(
        self,
        core: StageCore,
        delivered: Mapping[int, Events],
        on_chip: Mapping[int, Events],
        health: dict[str, int],
    ) -> None:
        """Count deliveries to a stage, and those after the end."""
        for k in (*core.outside, *core.inside):
            block = self.program.blocks[k]
            events = delivered[k] if k in delivered else on_chip[block.pre]
            late = events.times >= self.program.duration
            after = block.count_synapses(events.sources[late])
            health["arrivals"] += block.count_synapses(events.sources) - after
            health["in_flight"] += after
