"""Records of a slice without reference counts; see ``views``."""

from __future__ import annotations

from netdesc.dynamics.jit import spliced
from netdesc.ticks.records import (
    Adjoints,
    Arrivals,
    Buffers,
    Cells,
    Neurons,
    Slice,
    Spikes,
    Synapses,
    Workspace,
)
from netdesc.ticks.views import unowned


@spliced
def view_slice(item: Slice) -> Slice:
    """Return the same slice without reference counts."""
    neurons, arrivals, buffers = item.neurons, item.arrivals, item.buffers
    return Slice(
        view_cells(item.cells),
        Neurons(
            unowned(neurons.state),
            unowned(neurons.free),
            unowned(neurons.waiting),
            unowned(neurons.gained),
            unowned(neurons.flag),
        ),
        view_spikes(item.spikes),
        Arrivals(
            unowned(arrivals.row),
            unowned(arrivals.fraction),
            unowned(arrivals.gradient),
            unowned(arrivals.first),
        ),
        view_synapses(item.synapses),
        Buffers(
            unowned(buffers.current),
            unowned(buffers.lift),
            unowned(buffers.rises),
            unowned(buffers.falls),
            buffers.depth,
        ),
    )


@spliced
def view_cells(cells: Cells) -> Cells:
    """Return the same cells without reference counts."""
    return Cells(
        unowned(cells.gap),
        unowned(cells.reset),
        unowned(cells.floor),
        unowned(cells.leak),
        unowned(cells.gain),
        unowned(cells.fade),
        unowned(cells.adjoint_gain),
        unowned(cells.tau),
        unowned(cells.hold),
        unowned(cells.subtract),
        unowned(cells.tau_m),
        unowned(cells.tau_s),
        cells.uniform,
        cells.holding,
    )


@spliced
def view_spikes(spikes: Spikes) -> Spikes:
    """Return the same spikes without reference counts."""
    return Spikes(
        unowned(spikes.tick),
        unowned(spikes.neuron),
        unowned(spikes.previous),
        unowned(spikes.fraction),
        unowned(spikes.current),
        unowned(spikes.release),
        unowned(spikes.slope),
        unowned(spikes.force),
    )


@spliced
def view_synapses(synapses: Synapses) -> Synapses:
    """Return the same synapses without reference counts."""
    return Synapses(
        unowned(synapses.first),
        unowned(synapses.lags),
        unowned(synapses.segments),
        unowned(synapses.target),
        unowned(synapses.weight),
        unowned(synapses.gradient),
        unowned(synapses.delay_gradient),
        unowned(synapses.delays),
    )


@spliced
def view_adjoints(adjoints: Adjoints) -> Adjoints:
    """Return the same adjoints without reference counts."""
    return Adjoints(
        unowned(adjoints.values),
        unowned(adjoints.kept),
        unowned(adjoints.latest),
        unowned(adjoints.late),
        unowned(adjoints.products),
    )


@spliced
def view_workspace(workspace: Workspace) -> Workspace:
    """Return the same workspace without reference counts."""
    return Workspace(
        unowned(workspace.when),
        unowned(workspace.weight),
        unowned(workspace.gradient),
        unowned(workspace.weight_gradient),
        unowned(workspace.found),
        unowned(workspace.receptor),
        unowned(workspace.at),
        unowned(workspace.current),
        unowned(workspace.force),
        unowned(workspace.special),
        unowned(workspace.latest),
        unowned(workspace.released),
        unowned(workspace.marked),
        unowned(workspace.result),
    )
