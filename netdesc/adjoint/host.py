"""EventProp on the host: from the cotangent of a trace to the gradient of the parameters.

Wunderlich and Pehle 2021 (Event-based backpropagation can compute exact gradients for spiking neural
networks), extended by delays, refractory periods and several synaptic currents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Afferents
from netdesc.adjoint.derivatives import add_parts, make_sums, share_batch
from netdesc.adjoint.drive import Drive, check_cotangent, drive_readout
from netdesc.adjoint.final_voltages import drive_final_voltages
from netdesc.adjoint.layer import sweep_layer_back
from netdesc.adjoint.neuron import Rules
from netdesc.adjoint.neurons import measure_slopes, sweep_network_back, sweep_neurons_back
from netdesc.adjoint.readout import sweep_readout_back
from netdesc.adjoint.readout_layer import sweep_readout_layer_back
from netdesc.adjoint.recording import record_adjoints
from netdesc.adjoint.stage_spikes import OwnSpikes, check_trace, collect, find_origins, take, take_counts
from netdesc.adjoint.windows import sweep_windows_back
from netdesc.adjoint.wiring import LAYER, NETWORK
from netdesc.block import split_gradients
from netdesc.dynamics.protocol import needs_states
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, all_finite
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.threads import run
from netdesc.trace import Cotangent, Trace

FLOOR = 1e-6


def first_forces(program: Program, trace: Trace, cotangent: Cotangent) -> dict[int, Floats]:
    """Return copies of the cotangent by population index, zeros where it says nothing.

    Raises
    ------
    NumericsError
        If a value is not finite, its shape is not that of the spikes, or its population is not known.
    """
    unknown = sorted(set(cotangent.spikes) - set(trace.spikes))
    if unknown:
        raise NumericsError(f"the cotangent names {unknown[0]!r}, which has no spikes in the trace")
    forces = {}
    for index, population in enumerate(program.populations):
        if population.name not in trace.spikes:
            continue
        count = len(trace.spikes[population.name])
        if population.name not in cotangent.spikes:
            forces[index] = np.zeros(count)
            continue
        values = np.array(cotangent.spikes[population.name], dtype=np.float64)
        if values.shape != (count,):
            raise NumericsError(
                f"the cotangent of {population.name!r} has shape {values.shape}; its spikes have ({count},)"
            )
        if not all_finite(values):
            raise NumericsError(f"the cotangent of {population.name!r} holds a value that is not finite")
        forces[index] = values
    return forces


@dataclass(slots=True)
class Sums:
    """Partial sums of one stage.

    Parameters
    ----------
    weight, delay : ndarray of float64, shape (parts, synapses)
    """

    weight: Floats
    delay: Floats

    def add(self, other: Sums) -> None:
        """Add the sums of another sweep of the stage; those that nobody asks for have other shapes."""
        for mine, others in ((self.weight, other.weight), (self.delay, other.delay)):
            if mine.shape[1:] == others.shape[1:]:
                mine[0] += add_parts(others)


class Adjoint:
    """The adjoint run of a program.

    Parameters
    ----------
    layout : Layout
        With the parameters of the forward run.
    floor : float
        Smallest slope at a spike, relative to the distance from reset to threshold; slopes below it
        are raised to it and counted as ``grazing``.
    threads : int
        Number of threads; results do not depend on it.
    grid : ndarray of float64, optional
        Times at which means of voltages were sampled; they are integrals over continuous time without.
    """

    def __init__(
        self, layout: Layout, *, floor: float = FLOOR, threads: int = 1, grid: Floats | None = None
    ) -> None:
        self.layout = layout
        self.threads = threads
        self.grid = grid
        self.floor = floor

    def run(self, trace: Trace, cotangent: Cotangent, *, sound: bool = False) -> Gradient:
        """Compute the gradient from a cotangent.

        Parameters
        ----------
        trace : Trace
            Result of the forward run with the same parameters.
        cotangent : Cotangent
        sound : bool
            Whether the trace is known to have all residuals, and finite ones.

        Returns
        -------
        Gradient
            Summed over the batch.

        Raises
        ------
        NumericsError
            If the trace or the cotangent does not fit or is not finite.
        """
        program = self.layout.program
        if not sound:
            check_trace(program, trace)
        check_cotangent(program, trace, cotangent)
        forces = first_forces(program, trace, cotangent)
        spikes = {
            k: trace.spikes[p.name] for k, p in enumerate(program.populations) if p.name in trace.spikes
        }
        parameters: dict[str, Floats] = {}
        grazing = 0
        owns: dict[int, tuple[OwnSpikes, Floats]] = {}
        drives: dict[int, Drive | None] = {}
        for index in reversed(range(len(program.stages))):
            population = program.populations[program.stages[index].populations[0]]
            drive = None
            if population.kind == "readout":
                drive = drive_readout(program, population, trace, cotangent, grid=self.grid)
                drives[index] = drive
            afferents = (
                self.layout.emissions(index, spikes, trace.batch)
                if drive is not None and drive.sampled
                else self.layout.afferents(index, spikes, trace.batch)
            )
            arrival = np.zeros(len(afferents.times))
            if population.kind == "readout":
                sums = self.sweep_readout(index, afferents, drive, arrival)
            else:
                own = collect(self.layout, index, trace)
                force = take(own.parts, forces, len(own.times))
                extra = self.regularize(index, own, force, trace, cotangent)
                last = self.sweep_final_voltages(index, spikes, own, force, trace, cotangent)
                sums, raised = self.sweep(index, afferents, own, force, arrival)
                grazing += raised
                if last is not None:
                    sums.add(last[0])
                    for k, gained in last[1].items():
                        forces[k] = forces[k] + gained
                owns[index] = (own, force)
                whole = force if extra is None else force + extra
                for k, positions in own.parts:
                    forces[k] = whole if positions is None else whole[positions]
            for k, positions in afferents.parts:
                # what a recurrent layer sends to itself is in its own forces
                if k not in program.stages[index].populations:
                    forces[k] = forces[k] + (arrival if positions is None else arrival[positions])
            self.write_gradients(index, sums, parameters)
        samples = (
            record_adjoints(self.layout, self.floor, owns, drives, trace.batch) if program.sampling else {}
        )
        totals = {program.populations[k].name: values for k, values in forces.items()}
        return Gradient(parameters, totals, samples, {"grazing": grazing})

    def regularize(
        self, index: int, own: OwnSpikes, force: Floats, trace: Trace, cotangent: Cotangent
    ) -> Floats | None:
        """Let derivatives by spike counts lower lam_v just before each spike of a stage.

        Parameters
        ----------
        index : int
            Of the stage.
        own : OwnSpikes
        force : ndarray of float64, shape (spikes,)
            Changed in place: a jump is force over slope, so that c times the slope lowers lam_v by c.
        trace : Trace
        cotangent : Cotangent

        Returns
        -------
        ndarray of float64, shape (spikes,), or None
            What was taken off, no part of dL/dt; None where the cotangent has no counts of the stage.
        """
        if not cotangent.counts:
            return None
        counts = take_counts(own.parts, self.layout.program, trace, cotangent)
        if counts is None:
            return None
        slopes = np.empty(len(force))
        measure_slopes(own.kept, own.neurons, self.layout.cells[index], self.floor, slopes)
        extra = counts * slopes
        force -= extra
        return extra

    def sweep_final_voltages(
        self, index: int, spikes: Mapping[int, Events], own: OwnSpikes, force: Floats, trace: Trace,
        cotangent: Cotangent
    ) -> tuple[Sums, dict[int, Floats]] | None:  # fmt: skip
        """Compute the gradient by last voltages of a stage, whose silent neurons are read-outs.

        Parameters
        ----------
        index : int
            Of the stage.
        spikes : mapping of int to Events
            By population index.
        own : OwnSpikes
        force : ndarray of float64, shape (spikes,)
            dL/dt of the stage's spikes is added.
        trace : Trace
        cotangent : Cotangent

        Returns
        -------
        tuple of (Sums, dict of int to ndarray) or None
            Gradients, and dL/dt of the spikes from outside by population; None where there is nothing.
        """
        wiring = self.layout.wirings[index]
        drive = drive_final_voltages(self.layout.program, wiring.places, wiring.size, trace, cotangent)
        if drive is None:
            return None
        afferents = self.layout.emissions(index, spikes, trace.batch)
        arrival = np.zeros(len(afferents.times))
        sums = self.sweep_readout(index, afferents, drive, arrival)
        if wiring.stage.recurrent:
            base = wiring.slots[wiring.stage.populations[0]]
            inner = Afferents.of(own.times, own.neurons + base, own.offsets)
            sums.add(self.sweep_readout(index, inner, drive, force))
        return sums, {k: arrival if at is None else arrival[at] for k, at in afferents.parts}

    def sweep_readout(self, index: int, afferents: Afferents, drive: Drive | None, arrival: Floats) -> Sums:
        """Run the kernel that fits a read-out on all parts of the batch."""
        if drive is None:
            synapses = int(self.layout.wirings[index].offsets[-1])
            return Sums(np.zeros((1, synapses)), np.zeros((1, synapses)))
        kernel = (
            sweep_readout_layer_back
            if self.layout.wirings[index].kind == LAYER and not drive.sampled
            else sweep_readout_back
        )
        return self.run_kernel(kernel, index, afferents, arrival, drive, self.layout.program.duration)[0]

    def sweep(
        self, index: int, afferents: Afferents, own: OwnSpikes, force: Floats, arrival: Floats
    ) -> tuple[Sums, int]:
        """Run the kernel that fits a stage on all parts of the batch."""
        wiring = self.layout.wirings[index]
        duration, base = self.layout.program.duration, wiring.slots[wiring.stage.populations[0]]
        rules = Rules(duration, self.floor, base, *self.layout.reach(index))
        kernel: Callable[..., int] = sweep_neurons_back
        if wiring.kind == NETWORK:
            cells = self.layout.cells[index]
            windows = self.layout.has_windows(index) and not needs_states(cells)
            kernel = sweep_windows_back if windows else sweep_network_back
        given: tuple[object, ...] = (own.events(force), rules)
        if wiring.by_rows:
            kernel, given = sweep_layer_back, (*given, find_origins(afferents, wiring))
        sums, raised = self.run_kernel(kernel, index, afferents, arrival, *given)
        return sums, int(sum(raised))

    def run_kernel(
        self, kernel: Callable[..., Any], index: int, afferents: Afferents, arrival: Floats, *given: object
    ) -> tuple[Sums, list[Any]]:
        """Run a kernel on the whole batch; several threads share the parts that are summed by themselves."""
        layout, batch, incoming = self.layout, len(afferents.offsets) - 1, afferents.arrays
        synapses = int(layout.wirings[index].offsets[-1])
        if kernel in (sweep_layer_back, sweep_readout_layer_back):
            layer = layout.layer(index)
            stage: tuple[object, ...] = (layer,)
            partial = make_sums(arrival, batch, layer.weights.size, shape=layer.weights.shape)
        else:
            stage = (layout.fanout(index), layout.cells[index])
            blocks = layout.blocks[index]
            asked = any(block.train_weight for block in blocks), any(block.train_delay for block in blocks)
            partial = make_sums(arrival, batch, synapses, asked=asked)
        threads = layout.count_threads(index, incoming, self.threads)
        parts = share_batch(batch, synapses, threads)
        found = run(
            lambda first, last: kernel(first, last, incoming, *stage, partial, *given), parts, threads
        )
        return Sums(partial.weight.reshape(len(partial.weight), -1), partial.delay), found

    def write_gradients(self, index: int, sums: Sums, parameters: dict[str, Floats]) -> None:
        """Add the gradients of the trainable parameters of a stage's blocks to the result."""
        blocks, weights = self.layout.blocks[index], add_parts(sums.weight)
        if self.layout.plain[index] and not blocks[0].train_delay:
            parameters |= {block.weight_key: weights for block in blocks if block.train_weight}
            return
        delays = add_parts(sums.delay) if any(block.train_delay for block in blocks) else np.empty(0)
        parameters |= split_gradients(blocks, weights, delays)


def adjoint(program: Program, trace: Trace, cotangent: Cotangent, *, floor: float = FLOOR) -> Gradient:
    """Run EventProp on the trace of any device.

    Parameters
    ----------
    program : Program
    trace : Trace
        Its ``effective_parameters`` replace the program's weights and delays.
    cotangent : Cotangent
    floor : float
        See ``Adjoint``.

    Returns
    -------
    Gradient
        Summed over the batch.

    Raises
    ------
    NumericsError
        If the trace or the cotangent does not fit or is not finite.
    """
    layout = Layout(program.with_parameters(trace.effective_parameters))
    return Adjoint(layout, floor=floor).run(trace, cotangent)
