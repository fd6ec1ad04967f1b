"""EventProp on the host: from the cotangent of a trace to the gradient of the parameters.

Wunderlich and Pehle 2021 (Event-based backpropagation can compute exact gradients for spiking neural
networks), extended by delays, refractory periods and several synaptic currents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netdesc.errors import NumericsError
from netdesc.eventprop.layer import sweep_layer_back
from netdesc.eventprop.layout import Layout
from netdesc.eventprop.network import sweep_network_back
from netdesc.eventprop.neurons import sweep_neurons_back
from netdesc.eventprop.own import OwnSpikes, check_trace, collect, take
from netdesc.eventprop.recording import record_adjoints
from netdesc.eventprop.stream import Stream
from netdesc.eventprop.wiring import LAYER, NETWORK
from netdesc.events import Floats
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.threads import run, split
from netdesc.trace import Cotangent, Trace

# The batch is summed in this many parts whatever the number of threads, so that sums do not depend on it.
PARTS = 8
# Numbers in all partial sums together.
LARGEST_SUM = 2**27
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
        if not np.isfinite(values).all():
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
    """

    def __init__(self, layout: Layout, *, floor: float = FLOOR, threads: int = 1) -> None:
        self.layout = layout
        self.threads = threads
        self.floors = [floor * (cells.gap - cells.reset) for cells in layout.cells]

    def run(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry a cotangent back.

        Parameters
        ----------
        trace : Trace
            Result of the forward run with the same parameters.
        cotangent : Cotangent

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
        check_trace(program, trace)
        forces = first_forces(program, trace, cotangent)
        spikes = {
            k: trace.spikes[p.name] for k, p in enumerate(program.populations) if p.name in trace.spikes
        }
        parameters: dict[str, Floats] = {}
        grazing = 0
        owns: dict[int, tuple[OwnSpikes, Floats]] = {}
        for index in reversed(range(len(program.stages))):
            wiring = self.layout.wirings[index]
            if program.populations[wiring.stage.populations[0]].kind == "readout":
                self.write_gradients(
                    index,
                    Sums(np.zeros((1, int(wiring.offsets[-1]))), np.zeros((1, int(wiring.offsets[-1])))),
                    parameters,
                )
                continue
            own = collect(self.layout, index, trace)
            stream = self.layout.stream(index, spikes, trace.batch)
            force = take(own.parts, forces, len(own.times))
            arrival = np.zeros(len(stream.times))
            sums, raised = self.sweep(index, stream, own, force, arrival)
            grazing += raised
            for population, positions in own.parts:
                forces[population] = force if positions is None else force[positions]
            for population, positions in stream.parts:
                forces[population] = forces[population] + (
                    arrival if positions is None else arrival[positions]
                )
            self.write_gradients(index, sums, parameters)
            owns[index] = (own, force)
        samples = record_adjoints(self.layout, self.floors, owns) if program.sampling else {}
        totals = {program.populations[k].name: values for k, values in forces.items()}
        return Gradient(parameters, totals, samples, {"grazing": grazing})

    def sweep(
        self, index: int, stream: Stream, own: OwnSpikes, force: Floats, arrival: Floats
    ) -> tuple[Sums, int]:
        """Run the kernel that fits a stage on all parts of the batch."""
        wiring, cells = self.layout.wirings[index], self.layout.cells[index]
        synapses = int(wiring.offsets[-1])
        batch = len(own.offsets) - 1
        parts = split(batch, min(PARTS, max(1, LARGEST_SUM // max(1, synapses))))
        layer = wiring.kind == LAYER
        sums = Sums(
            np.zeros((max(1, len(parts)), synapses)),
            np.zeros((1, 0) if layer else (max(1, len(parts)), synapses)),
        )
        place = {part: k for k, part in enumerate(parts)}
        duration = self.layout.program.duration
        common = (stream.times, stream.slots, stream.offsets)
        if layer:
            constants = (
                float(cells.tau_m[0]),
                float(cells.tau_s[0, 0]),
                float(cells.gap[0]),
                float(cells.reset[0]),
            )
            matrix = self.layout.weights[index].reshape(-1, wiring.size)
            matrices = sums.weight.reshape(len(sums.weight), -1, wiring.size)
            floor = float(self.floors[index][0])

        def layer_task(first: int, last: int) -> int:
            return int(
                sweep_layer_back(
                    first,
                    last,
                    *common,
                    matrix,
                    constants,
                    floor,
                    duration,
                    own.times,
                    own.neurons,
                    own.currents,
                    own.offsets,
                    force,
                    arrival,
                    matrices[place[first, last]],
                )
            )

        def general_task(first: int, last: int) -> int:
            fan = self.layout.fanout(index)
            base = (wiring.slots[wiring.stage.populations[0]],) if wiring.kind == NETWORK else ()
            kernel: Callable[..., int] = sweep_network_back if wiring.kind == NETWORK else sweep_neurons_back
            k = place[first, last]
            return int(
                kernel(
                    first,
                    last,
                    *common,
                    *base,
                    fan.start,
                    fan.target,
                    fan.synapse,
                    fan.receptor,
                    fan.weight,
                    fan.delay,
                    cells.tau_m,
                    cells.tau_s,
                    cells.tau_ref,
                    cells.gap,
                    cells.reset,
                    self.floors[index],
                    duration,
                    own.times,
                    own.neurons,
                    own.currents,
                    own.release,
                    own.offsets,
                    force,
                    arrival,
                    sums.weight[k],
                    sums.delay[k],
                )
            )

        raised = run(layer_task if layer else general_task, parts, self.threads)
        return sums, sum(raised)

    def write_gradients(self, index: int, sums: Sums, parameters: dict[str, Floats]) -> None:
        """Add the gradients of the trainable parameters of a stage's blocks to the result."""
        wiring = self.layout.wirings[index]
        weight = sums.weight.sum(axis=0) * wiring.scale
        for number, k in enumerate(wiring.blocks):
            block = self.layout.program.blocks[k]
            span = slice(wiring.offsets[number], wiring.offsets[number + 1])
            if block.train_weight:
                parameters[block.weight_key] = weight[span]
            if block.train_delay:
                parameters[block.delay_key] = sums.delay.sum(axis=0)[span]


def adjoint(program: Program, trace: Trace, cotangent: Cotangent, *, floor: float = FLOOR) -> Gradient:
    """Run EventProp on the trace of any device.

    Parameters
    ----------
    program : Program
    trace : Trace
        Its ``parameters_as_run`` replace the program's weights and delays.
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
    layout = Layout(program.with_parameters(trace.parameters_as_run))
    return Adjoint(layout, floor=floor).run(trace, cotangent)
