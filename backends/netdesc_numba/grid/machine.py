"""Programs on a time grid with packets: the schemes ``published``, ``exact_exponential`` and ``off_grid``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.drive import check_cotangent, pull_counts
from netdesc.adjoint.final_voltages import final_readings
from netdesc.adjoint.host import LARGEST_SUM, PARTS, first_forces
from netdesc.adjoint.incoming import merge
from netdesc.adjoint.stage_spikes import take
from netdesc.budget import SpikeBudget, count_spikes
from netdesc.dynamics.tick import OFF_GRID, PUBLISHED
from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.precision import beyond_float32
from netdesc.program import Program, weight_scales
from netdesc.steps import nearest_steps
from netdesc.threads import run, split
from netdesc.trace import Cotangent, Trace, require_finite
from netdesc_numba.event.machine import select_stimulus
from netdesc_numba.grid.backward import run_ticks_back
from netdesc_numba.grid.forward import run_ticks
from netdesc_numba.grid.off_grid import run_off_grid
from netdesc_numba.grid.off_grid_backward import run_off_grid_back
from netdesc_numba.grid.readings import TickReader
from netdesc_numba.grid.recording import count_arrivals, record_ticks
from netdesc_numba.grid.refusals import refuse
from netdesc_numba.grid.stage_spikes import SLOPE, OwnSpikes, collect_own
from netdesc_numba.grid.wiring import (
    Grid,
    Packets,
    StageLayout,
    collect_packets,
    delay_in_ticks,
    lay_out_stage,
    reweight,
    split_times,
)
from netdesc_numba.options import Options
from netdesc_numba.spike_limit import most_spikes

Found = tuple[Integers, Integers, Floats, Floats, Floats, Floats, Integers]
"""Tick, neuron within the stage, fraction, current, release current and slope of every spike; offsets."""


class TickMachine:
    """A program on a time grid, with at least one tick of delay on every synapse.

    Parameters
    ----------
    program : Program
    options : Options
        With a time step and a scheme.

    Raises
    ------
    BackendError
        If the scheme does not have what the program asks for.
    """

    def __init__(self, program: Program, options: Options) -> None:
        refuse(program, options.scheme)
        self.program = program
        self.options = options
        self.timestep = float(options.timestep or 0.0)
        self.steps = round(program.duration / self.timestep)
        self.grid = Grid(
            options.scheme,
            self.timestep,
            np.float32 if options.precision == "float32" else np.float64,
            options.denominator_floor,
        )
        self.values: dict[str, Floats] = {}
        self.scales = weight_scales(program) if self.grid.dtype is np.float32 else {}
        for block in program.blocks:
            self.values[block.weight_key] = block.weights
            self.values[block.delay_key] = block.delays
        self.guesses: dict[int, float] = {}
        self.layouts = [lay_out_stage(program, stage, self.grid, self.values) for stage in program.stages]

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``netdesc.backend.Machine``. Delays become whole ticks."""
        for key, values in parameters.items():
            if key not in self.values or np.shape(values) != self.values[key].shape:
                raise NumericsError(f"{key} of shape {np.shape(values)} is not a parameter of this program")
            if not np.isfinite(values).all():
                raise NumericsError(f"{key} holds a value that is not finite")
            if key.endswith(".delay") and np.min(values, initial=0.0) < 0:
                raise NumericsError(f"{key} holds a negative delay")
            faults = beyond_float32(values, key, scale=self.scales[key]) if key in self.scales else []
            if faults:
                raise NumericsError(faults)
        self.values.update({key: np.array(values, dtype=np.float64) for key, values in parameters.items()})
        rewire = any(key.endswith(".delay") for key in parameters)
        self.layouts = [
            lay_out_stage(self.program, layout.stage, self.grid, self.values)
            if rewire
            else reweight(layout, self.program, self.values)
            for layout in self.layouts
        ]

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine``. Nothing here is random."""
        batch = stimulus.batch
        budget = self.program.spike_budget(batch)
        spikes, moved = self.round_inputs(select_stimulus(self.program, stimulus))
        residuals: dict[str, dict[str, Floats]] = {}
        for index, layout in enumerate(self.layouts):
            if self.program.populations[layout.stage.populations[0]].kind == "readout":
                continue
            packets = collect_packets(layout, self.program, spikes, self.timestep, batch=batch)
            found = self.run_stage(index, packets, budget)
            self.share(layout, found, spikes, residuals)
        names = [population.name for population in self.program.populations]
        trace = Trace(
            spikes={names[k]: spikes[k] for k in sorted(spikes)},
            residuals=residuals,
            recordings=record_ticks(self.program, self.values, spikes, self.timestep, batch=batch),
            effective_parameters=self.as_run(),
            health={
                **count_arrivals(self.layouts, self.program, spikes, self.timestep, self.steps),
                "inputs_moved": moved,
            },
            provenance={
                "backend": "numba",
                "solver": f"grid {self.timestep:g} ms, {self.options.scheme}, {self.options.precision}",
            },
            readings=self.reader().forward(spikes, batch),
            batch_size=batch,
        )
        return require_finite(trace)

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry a cotangent back; see ``netdesc.backend.Machine``."""
        check_cotangent(self.program, trace, cotangent)
        forces = first_forces(self.program, trace, cotangent)
        spikes = {
            k: trace.spikes[p.name] for k, p in enumerate(self.program.populations) if p.name in trace.spikes
        }
        parameters: dict[str, Floats] = {}
        grazing = 0
        for layout in reversed(self.layouts):
            total = np.zeros(len(layout.order))
            if self.program.populations[layout.stage.populations[0]].kind == "readout":
                back = self.reader().backward(layout, spikes, trace, cotangent)
                if back is not None:
                    total, pulled = back
                    forces.update({p: forces[p] + values for p, values in pulled.items()})
            else:
                packets = collect_packets(layout, self.program, spikes, self.timestep, batch=trace.batch)
                own = collect_own(layout, self.program, trace, divided=self.divided, grid=self.grid)
                force = take(own.parts, forces, len(own.ticks)).astype(self.grid.dtype)
                arrival = np.zeros(len(packets.ticks), dtype=self.grid.dtype)
                extra = self.regularize(layout, own, force, trace, cotangent=cotangent)
                total, raised = self.sweep_back(layout, packets, own, force, arrival)
                grazing += raised
                back = None
                if self.finals(layout):
                    back = self.reader().backward(layout, spikes, trace, cotangent)
                if back is not None:
                    total = total + back[0]
                    forces.update({p: forces[p] + values for p, values in back[1].items()})
                told = force if extra is None else force + extra
                for population, positions in own.parts:
                    forces[population] = (told if positions is None else told[positions]).astype(np.float64)
                self.add_arrivals(layout, spikes, arrival, forces, batch=trace.batch)
            self.write_gradients(layout, total, parameters)
        return Gradient(
            parameters,
            {self.program.populations[k].name: values for k, values in forces.items()},
            {},
            {"grazing": grazing},
        )

    @property
    def divided(self) -> bool:
        """Whether the scheme divides by slopes of its own."""
        return self.grid.scheme == PUBLISHED

    def finals(self, layout: StageLayout) -> bool:
        """Return whether a loss reads last voltages of a stage."""
        names = {self.program.populations[p].name for p in layout.stage.populations}
        return any(item.population in names for item in final_readings(self.program))

    def reader(self) -> TickReader:
        """Return what takes readings with the present weights and delays."""
        program = self.program.with_parameters(self.values)
        return TickReader(program, tuple(self.layouts), self.grid, self.steps, self.options.threads)

    def regularize(
        self,
        layout: StageLayout,
        own: OwnSpikes,
        force: NDArray[Any],
        trace: Trace,
        *,
        cotangent: Cotangent,
    ) -> NDArray[Any] | None:
        """Let derivatives by spike counts lower lam_v at each spike; see ``Adjoint.regularize``."""
        populations = [(p, self.program.populations[p]) for p, _ in own.parts]
        if not any(item.name in cotangent.counts for _, item in populations):
            return None
        pulls = {}
        for p, item in populations:
            pull = pull_counts(self.program, trace, cotangent, item)
            pulls[p] = np.zeros(len(trace.spikes[item.name])) if pull is None else pull
        slope = np.maximum(own.slopes, layout.neurons.floor[own.neurons])
        extra: NDArray[Any] = (take(own.parts, pulls, len(force)) * slope).astype(self.grid.dtype)
        force -= extra
        return extra

    def round_inputs(self, spikes: dict[int, Events]) -> tuple[dict[int, Events], int]:
        """Move input spikes to times that packets can tell, and count those that moved by more than noise."""
        result, moved = {}, 0
        for k, events in spikes.items():
            ticks, fractions = split_times(events.times, self.timestep)
            exact = (
                ticks + fractions
                if self.grid.scheme == OFF_GRID
                else nearest_steps(events.times, self.timestep)
            )
            moved += int(np.sum(np.abs(exact * self.timestep - events.times) > 1e-6 * self.timestep))
            # what coincides now is ordered by source
            result[k] = events.move(exact * self.timestep)
        return result, moved

    def run_stage(self, index: int, packets: Packets, budget: SpikeBudget) -> Found:
        """Run a stage on all samples; room for its spikes grows as they need it."""
        layout = self.layouts[index]
        batch = len(packets.offsets) - 1
        counts = np.zeros(batch, dtype=np.int64)
        size = len(layout.neurons.gap)
        off_grid = self.grid.scheme == OFF_GRID
        common = (packets, layout.synapses, layout.neurons, layout.tick, self.steps)
        members = [self.program.populations[p] for p in layout.stage.populations]
        sizes = {item.name: item.size for item in members}
        limit = most_spikes(self.program, layout.stage, self.options.max_spikes)

        def task(first: int, last: int) -> list[list[NDArray[Any]]]:
            room = int(self.guesses.get(index, 2.0 * size) * (last - first)) + 64
            pieces: list[list[NDArray[Any]]] = []
            arrivals, part = 64, last
            while first < last:
                ticks, neurons = np.empty(room, np.int64), np.empty(room, np.int64)
                fractions, current, release, slopes = np.zeros((4, room))
                if off_grid:
                    done, used = run_off_grid(
                        first,
                        last,
                        *common,
                        self.timestep,
                        arrivals,
                        ticks,
                        neurons,
                        fractions,
                        current,
                        release,
                        counts,
                    )
                else:
                    done, used = run_ticks(
                        first,
                        last,
                        *common,
                        self.grid.scheme == PUBLISHED,
                        ticks,
                        neurons,
                        current,
                        release,
                        slopes,
                        counts,
                    )
                if used < -1:
                    arrivals = -2 * used
                    continue
                if used < 0 or (done == first and room >= limit):
                    raise NumericsError(self.overflow(layout, done, used))
                budget.keep(part, count_spikes(neurons[:used], sizes))
                if done > first:
                    pieces.append(
                        [column[:used] for column in (ticks, neurons, fractions, current, release, slopes)]
                    )
                else:
                    left = budget.hold(part, count_spikes(neurons, sizes))
                    room = min(2 * room, limit, room + max(left, 1))
                first = done
            return pieces

        pieces = [
            piece
            for part in run(task, split(batch, self.options.threads), self.options.threads)
            for piece in part
        ]
        # a batch without samples has no pieces
        nothing = [np.empty(0, np.int64), np.empty(0, np.int64), *np.empty((4, 0))]
        columns = [np.concatenate(column) for column in zip(nothing, *pieces, strict=True)]
        self.guesses[index] = max(self.guesses.get(index, 0.0), 1.25 * len(columns[0]) / max(batch, 1))
        offsets = np.concatenate(([0], np.cumsum(counts)))
        return columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], offsets

    def overflow(self, layout: StageLayout, sample: int, used: int) -> Diagnostic:
        """Return what to say of a stage that does not stop spiking."""
        names = [self.program.populations[p].name for p in layout.stage.populations]
        what = (
            "a neuron with more than 1024 spikes in a tick"
            if used < 0
            else f"more than {most_spikes(self.program, layout.stage, self.options.max_spikes)} spikes"
        )
        return Diagnostic(
            f"sample {sample} has {what} in {', '.join(names)}; lower the weights, or "
            "raise backends.numba.max_spikes",
            f"populations.{names[0]}",
        )

    def share(
        self,
        layout: StageLayout,
        found: Found,
        spikes: dict[int, Events],
        residuals: dict[str, dict[str, Floats]],
    ) -> None:
        """Hand the spikes of a stage to its populations, in ms."""
        ticks, neurons, fractions, current, release, slopes, offsets = found
        everything = Events((ticks + fractions) * self.timestep, neurons, offsets)
        place = 0
        for p in layout.stage.populations:
            population = self.program.populations[p]
            keep = (neurons >= place) & (neurons < place + population.size)
            single = len(layout.stage.populations) == 1
            spikes[p] = everything if single else everything.select(place, place + population.size)
            columns = {"current": current, "release_current": release}
            if self.divided:
                columns[SLOPE] = slopes
            residuals[population.name] = {
                name: values if single else values[keep] for name, values in columns.items()
            }
            place += population.size

    def sweep_back(
        self,
        layout: StageLayout,
        packets: Packets,
        own: OwnSpikes,
        force: NDArray[Any],
        arrival: NDArray[Any],
    ) -> tuple[Floats, int]:
        """Run the adjoint kernel on all parts of the batch; gradients by number of the synapse."""
        parts = split(len(own.offsets) - 1, min(PARTS, max(1, LARGEST_SUM // max(1, len(layout.order)))))
        sums = np.zeros((max(1, len(parts)), len(layout.order)))
        place = {part: k for k, part in enumerate(parts)}
        neurons = layout.neurons
        tau_s = np.ascontiguousarray(neurons.tau_s.T[: len(neurons.current)], dtype=self.grid.dtype)
        common = (packets, layout.synapses, neurons, layout.tick)

        def task(first: int, last: int) -> int:
            rest = (force, arrival, sums[place[first, last]])
            if self.grid.scheme == OFF_GRID:
                return int(
                    run_off_grid_back(
                        first,
                        last,
                        *common,
                        self.steps,
                        self.timestep,
                        own.ticks,
                        own.neurons,
                        own.fractions,
                        own.offsets,
                        own.currents,
                        own.release,
                        *rest,
                    )
                )
            return int(
                run_ticks_back(
                    first,
                    last,
                    *common,
                    tau_s,
                    self.steps,
                    self.grid.scheme == PUBLISHED,
                    own.ticks,
                    own.neurons,
                    own.offsets,
                    own.currents,
                    own.release,
                    own.slopes,
                    *rest,
                )
            )

        raised = run(task, parts, self.options.threads)
        total = np.empty(len(layout.order))
        total[layout.order] = sums.sum(axis=0)
        return total, sum(raised)

    def add_arrivals(
        self,
        layout: StageLayout,
        spikes: Mapping[int, Events],
        arrival: NDArray[Any],
        forces: dict[int, Floats],
        *,
        batch: int,
    ) -> None:
        """Add what a stage tells of the spikes that entered it."""
        stream = merge(
            [
                (p, spikes[p].times, spikes[p].sources + self.program.populations[p].start, spikes[p].offsets)
                for p in layout.inputs
            ],
            batch,
        )
        for population, positions in stream.parts:
            forces[population] = forces[population] + (arrival if positions is None else arrival[positions])

    def write_gradients(self, layout: StageLayout, total: Floats, parameters: dict[str, Floats]) -> None:
        """Add the gradients of the trainable weights of a stage to the result."""
        weight, begin = total * layout.scale, 0
        for k in layout.blocks:
            block = self.program.blocks[k]
            if block.train_weight:
                parameters[block.weight_key] = weight[begin : begin + block.size]
            begin += block.size

    def as_run(self) -> dict[str, Floats]:
        """Return weights and delays as the kernels use them, in the units of the file."""
        result = dict(self.values)
        for key, values in self.values.items():
            if key.endswith(".delay"):
                result[key] = delay_in_ticks(values, self.timestep).astype(np.float64) * self.timestep
        return result
