"""EventProp on the grid: from the cotangent of a trace to the gradient of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import merge, part_of
from netdesc.adjoint.drive import check_cotangent
from netdesc.adjoint.final_voltages import drive_final_voltages
from netdesc.adjoint.host import Adjoint, first_forces
from netdesc.adjoint.stage_spikes import check_trace, find_residual, require_residuals, take, take_counts
from netdesc.block import split_gradients
from netdesc.dynamics.membrane import RESIDUALS
from netdesc.dynamics.tick import OFF_GRID, PUBLISHED, split_times
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.threads import run, split
from netdesc.ticks.records import Spikes
from netdesc.trace import Cotangent, Recording, Trace
from netdesc_numba.grid.backward import Room, most_arrivals, run_stage_back
from netdesc_numba.grid.job import make_adjoints, make_workspace
from netdesc_numba.grid.packets import Received, collect_packets, gradients_of, receive, receive_own
from netdesc_numba.grid.readings import Back, TickReader, part_batch, slice_back, sort_totals
from netdesc_numba.grid.spiking import SLOPE
from netdesc_numba.grid.wiring import Grid, StageLayout


@dataclass(frozen=True, slots=True)
class OwnSpikes:
    """Spikes of a stage for its adjoint.

    Parameters
    ----------
    spikes : Spikes
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        Populations of the stage and the positions of their spikes; None where it is all of them.
    """

    spikes: Spikes
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]


def collect_own(
    layout: StageLayout, program: Program, trace: Trace, forces: Mapping[int, Floats], *, grid: Grid
) -> OwnSpikes:
    """Bring the spikes of a stage's populations together.

    Parameters
    ----------
    layout : StageLayout
    program : Program
    trace : Trace
    forces : mapping of int to ndarray
        dL/dt of the spikes by population, in 1/ms.
    grid : Grid

    Raises
    ------
    NumericsError
        If the trace has no residuals.
    """
    members = layout.stage.populations
    names = [program.populations[p].name for p in members]
    divided = grid.scheme == PUBLISHED
    require_residuals(trace, names, (*RESIDUALS, *([SLOPE] if divided else [])))
    found = zip(layout.places.items(), (trace.spikes[name] for name in names), strict=True)
    afferents = merge([part_of(p, item, place) for (p, place), item in found], trace.batch)
    ticks, fractions = split_times(afferents.times, grid.timestep)

    def gathered(residual: str) -> NDArray[Any]:
        by_index = {p: find_residual(trace, name, residual) for p, name in zip(members, names, strict=True)}
        return take(afferents.parts, by_index, len(ticks)).astype(grid.dtype)

    currents = gathered("current")
    spikes = Spikes(
        ticks,
        afferents.slots.copy(),
        np.empty(len(ticks), dtype=np.int64),
        fractions.astype(grid.dtype),
        currents,
        gathered("release_current"),
        gathered(SLOPE) if divided else currents - layout.cells.gap[afferents.slots],
        take(afferents.parts, forces, len(ticks)).astype(grid.dtype),
    )
    return OwnSpikes(spikes, afferents.offsets.copy(), afferents.parts)


@dataclass(frozen=True, slots=True)
class GridAdjoint:
    """The adjoint run of a program on a grid.

    Parameters
    ----------
    reader : TickReader
        Of the program, laid out for the grid.
    """

    reader: TickReader

    def run(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Take a cotangent back.

        Returns
        -------
        Gradient
            Summed over the batch.

        Raises
        ------
        NumericsError
            If the trace or the cotangent does not fit or is not finite.
        """
        program = self.reader.program
        check_trace(program, trace)
        check_cotangent(program, trace, cotangent)
        forces = first_forces(program, trace, cotangent)
        spikes = {
            k: trace.spikes[p.name] for k, p in enumerate(program.populations) if p.name in trace.spikes
        }
        parameters: dict[str, Floats] = {}
        grazing = 0
        for layout in reversed(self.reader.layouts):
            if program.populations[layout.stage.populations[0]].kind == "readout":
                back = self.reader.backward(layout, spikes, trace, cotangent)
            else:
                back, raised = self.run_spiking(layout, spikes, forces, trace, cotangent)
                grazing += raised
            if back is not None:
                forces.update({p: forces[p] + values for p, values in back[1].items()})
            self.write_gradients(layout, None if back is None else back[0], parameters)
        return Gradient(
            parameters,
            {program.populations[k].name: values for k, values in forces.items()},
            self.record(trace, cotangent),
            {"grazing": grazing},
        )

    def run_spiking(
        self,
        layout: StageLayout,
        spikes: Mapping[int, Events],
        forces: dict[int, Floats],
        trace: Trace,
        cotangent: Cotangent,
    ) -> tuple[Back, int]:
        """Run a spiking stage; replace the forces of its spikes, return gradients and raised slopes."""
        grid = self.reader.grid
        entering = collect_packets(self.reader.program, layout.inputs, spikes, grid, trace.batch)
        own = collect_own(layout, self.reader.program, trace, forces, grid=grid)
        extra = self.regularize(layout, own, trace, cotangent)
        if layout.job.recurrent:
            received = receive_own(entering.packets, own.spikes, layout.job.member, own.offsets)
        else:
            received = receive(entering.packets)
        lates = self.last_voltages(layout, trace, cotangent)
        total, raised = self.sweep(layout, own, received, lates)
        force = own.spikes.force if extra is None else own.spikes.force + extra
        for population, positions in own.parts:
            forces[population] = (force if positions is None else force[positions]).astype(np.float64)
        gradients = gradients_of(entering, received)
        last = None if layout.job.recurrent else self.reader.backward(layout, spikes, trace, cotangent)
        if last is not None:
            total = total + last[0]
            # the sum has an order
            forces.update({p: forces[p] + values for p, values in last[1].items()})
        return (total, gradients), raised

    def last_voltages(self, layout: StageLayout, trace: Trace, cotangent: Cotangent) -> NDArray[Any]:
        """Return what lam_v of silent neurons of a cycle begins with, (batch, n) or (0, n)."""
        n, dtype = len(layout.cells.gap), self.reader.grid.dtype
        drive = (
            drive_final_voltages(self.reader.program, layout.places, n, trace, cotangent)
            if layout.job.recurrent
            else None
        )
        return np.zeros((0, n), dtype) if drive is None else drive.jumps[:, :, 0].astype(dtype)

    def regularize(
        self, layout: StageLayout, own: OwnSpikes, trace: Trace, cotangent: Cotangent
    ) -> NDArray[Any] | None:
        """Let derivatives by spike counts lower lam_v at each spike; see ``Adjoint.regularize``."""
        counts = take_counts(own.parts, self.reader.program, trace, cotangent)
        if counts is None:
            return None
        slope = np.maximum(own.spikes.slope, layout.cells.floor[own.spikes.neuron])
        extra: NDArray[Any] = (counts * slope).astype(self.reader.grid.dtype)
        own.spikes.force[:] -= extra
        return extra

    def sweep(
        self, layout: StageLayout, own: OwnSpikes, received: Received, lates: NDArray[Any]
    ) -> tuple[Floats, int]:
        """Run the kernel on all parts of the batch."""
        spans, sums = part_batch(len(own.offsets) - 1, layout)
        inside = True if self.reader.grid.scheme == OFF_GRID else None
        arrivals = most_arrivals(received, layout.synapses) if inside else 1

        def task(first: int, last: int) -> int:
            room = Room(
                make_adjoints(layout.job),
                make_workspace(len(layout.cells.gap), arrivals),
                np.empty(layout.job.steps + 2, dtype=np.int64),
                lates,
            )
            item, part = slice_back(layout, received, own.spikes), slice(first, last)
            return int(
                run_stage_back(spans[part], inside, layout.job, item, room, received, own.offsets, sums[part])
            )

        raised = run(task, split(len(spans), self.reader.threads), self.reader.threads)
        return sort_totals(layout, sums), sum(raised)

    def write_gradients(
        self, layout: StageLayout, total: Floats | None, parameters: dict[str, Floats]
    ) -> None:
        """Add the gradients of the trainable parameters of a stage to the result."""
        found = np.zeros((2, layout.count)) if total is None else total
        parameters |= split_gradients(
            [self.reader.program.blocks[k] for k in layout.blocks], found[0], found[-1]
        )

    def record(self, trace: Trace, cotangent: Cotangent) -> dict[str, Recording]:
        """Sample adjoints: those of continuous time for the spikes on the grid, which are the same."""
        if not any(item.variable.startswith("lam") for item in self.reader.program.sampling):
            return {}
        counted = self.reader.counted()
        whole = Adjoint(
            Layout(counted.program),
            floor=self.reader.grid.floor,
            threads=self.reader.threads,
            grid=np.arange(self.reader.grid.steps + 1.0),
        )
        found = whole.run(counted.trace(trace), counted.cotangent(cotangent))
        return counted.recordings(found.recordings)
