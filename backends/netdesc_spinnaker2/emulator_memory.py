"""Memory of the emulated processing elements: one array per kind of content, a stretch of it per slice."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.events import Floats, Integers

INPUT, LAYER, LOSS_PROGRAM, OPTIMIZER = range(4)
"""Programs, in the order of ``plan.ROLES``."""


TRAINED = 1 << 40
"""A layer knows the keys of weights that are sent to it from this number on, one for every neuron."""


class Sheet(NamedTuple):
    """Where each slice finds its own: arrays of int64, shape (slices,) or (slices + 1,).

    Parameters
    ----------
    role, size, copy, number : ndarray
        Program, number of neurons, copy of the network, place among the slices of its copy.
    cell, row, distinct : ndarray
        Where its constants, its rows of synapses, and its delays begin; all copies share these.
    delays : ndarray
        Number of different delays.
    state, ring, depth, place : ndarray
        Where its state, its ring buffer and its index by tick begin; slots of the ring buffer.
    weight, gradient : ndarray, shape (slices + 1,)
        Where its weights and gradients begin.
    own, received : ndarray, shape (slices + 1,)
        Where its stores of spikes begin.
    known : ndarray, shape (slices + 1,)
        Where the blocks of keys that it knows begin.
    spike_port, error_port, loss_port, gradient_port, weight_port : ndarray
        First of its ports of a kind, -1 where it has none.
    error_base, loss_base : ndarray
        Keys addressed to it, -1 where there are none.
    """

    role: Integers
    size: Integers
    copy: Integers
    number: Integers
    cell: Integers
    row: Integers
    distinct: Integers
    delays: Integers
    state: Integers
    ring: Integers
    depth: Integers
    place: Integers
    weight: Integers
    gradient: Integers
    own: Integers
    received: Integers
    known: Integers
    spike_port: Integers
    error_port: Integers
    loss_port: Integers
    gradient_port: Integers
    weight_port: Integers
    error_base: Integers
    loss_base: Integers


class Known(NamedTuple):
    """Blocks of keys that the programs know; shape (blocks,).

    Parameters
    ----------
    base, size, row : ndarray of int64
        Ascending by base within a slice; number of the first key of each.
    """

    base: Integers
    size: Integers
    row: Integers


class Cells(NamedTuple):
    """Constants of neurons, in the frame of the resting voltage.

    Parameters
    ----------
    gap, reset, start, current, floor : ndarray of float32
        Threshold, reset, initial voltage and current; smallest slope to divide by.
    leak, rise, fade, pull : ndarray of float32
        See ``netdesc.physics.tick.Tick``.
    tau : ndarray of float32
        Synaptic time constant in ms.
    tau_m, tau_s : ndarray of float64
        In ms.
    hold : ndarray of int64
        Refractory period in ticks.
    """

    gap: NDArray[Any]
    reset: NDArray[Any]
    start: NDArray[Any]
    current: NDArray[Any]
    floor: NDArray[Any]
    leak: NDArray[Any]
    rise: NDArray[Any]
    fade: NDArray[Any]
    pull: NDArray[Any]
    tau: NDArray[Any]
    tau_m: Floats
    tau_s: Floats
    hold: Integers


class Wiring(NamedTuple):
    """Synapses in segments: those of one source, delay and projection, by ascending target.

    Parameters
    ----------
    first : ndarray of int64, shape (rows + 1,)
        Segments of each row; a row is a source that a slice knows.
    fan : ndarray of int64, shape (rows,)
        Synapses of each row.
    delay : ndarray of int64, shape (segments,)
        In ticks.
    run : ndarray of bool, shape (segments,)
        Whether the targets follow each other.
    base, start, size : ndarray of int64, shape (segments,)
        First target; first synapse, counted within the slice; number of synapses.
    gain : ndarray of int64, shape (segments,)
        First gradient, counted within the slice; -1 where the weights are not trained.
    target_start : ndarray of int64, shape (segments,)
        Where the targets stand.
    target : ndarray of int64
        Targets of segments that are not runs.
    distinct : ndarray of int64
        Delays of each slice that occur, descending.
    """

    first: Integers
    fan: Integers
    delay: Integers
    run: NDArray[Any]
    base: Integers
    start: Integers
    size: Integers
    gain: Integers
    target_start: Integers
    target: Integers
    distinct: Integers


class State(NamedTuple):
    """What changes from tick to tick.

    Parameters
    ----------
    u, i, lam_v, lam_i, carry : ndarray of float32
        Per neuron; the last is kept of an adjoint through a refractory period.
    free, waiting, latest : ndarray of int64
        Per neuron: tick of the release, spike that it is held by or -1, latest spike or -1.
    ring, lift, rise, fall : ndarray of float32
        Ring buffers: currents; in ``off_grid`` voltages and sums of positive and negative weights, too.
    own_place, received_place : ndarray of int64
        First own spike, first spike received, of every tick of emission.
    own_count, received_count, cursor : ndarray of int64, shape (slices,)
    """

    u: NDArray[Any]
    i: NDArray[Any]
    lam_v: NDArray[Any]
    lam_i: NDArray[Any]
    carry: NDArray[Any]
    free: Integers
    waiting: Integers
    latest: Integers
    ring: NDArray[Any]
    lift: NDArray[Any]
    rise: NDArray[Any]
    fall: NDArray[Any]
    own_place: Integers
    received_place: Integers
    own_count: Integers
    received_count: Integers
    cursor: Integers


class Own(NamedTuple):
    """Stores of own spikes, in order of time.

    Parameters
    ----------
    tick, neuron, previous : ndarray of int64
        Neuron within the slice; spike of the same neuron before it, -1 for none.
    fraction, current, release, slope, force : ndarray of float32
        Part of the tick that had passed; total current at the spike and at the end of the refractory period;
        what the adjoint divides by; dL/dt in 1/ms.
    """

    tick: Integers
    neuron: Integers
    previous: Integers
    fraction: NDArray[Any]
    current: NDArray[Any]
    release: NDArray[Any]
    slope: NDArray[Any]
    force: NDArray[Any]


class Received(NamedTuple):
    """Stores of the spikes received, in order of the tick of emission, then of the source.

    Parameters
    ----------
    tick, row : ndarray of int64
    fraction, pulled : ndarray of float32
        Part of the tick; dL/d(arrival) summed over the targets in the slice.
    """

    tick: Integers
    row: Integers
    fraction: NDArray[Any]
    pulled: NDArray[Any]


class Synaptic(NamedTuple):
    """Weights of all slices, and their gradients.

    Parameters
    ----------
    weight, gradient : ndarray of float32
        In the voltage of the cell, and dL/d of it of one sample.
    """

    weight: NDArray[Any]
    gradient: NDArray[Any]


class Counts(NamedTuple):
    """What a run counts.

    Parameters
    ----------
    packets : ndarray of int64, shape (slices, 5, 4)
        By kind and fate, see ``packets``.
    events : ndarray of int64, shape (slices, 4)
        Synaptic events in time, those due after the end, spikes with a raised slope, ticks that took too long.
    busiest : ndarray of int64, shape (slices, 2)
        Most cycles in a tick, forward and backward.
    work : ndarray of int32, shape (samples, slices of a copy, 2, ticks, 3)
        Synaptic events, packets taken in and packets sent, by tick, forward and backward. Samples wrap around
        where there are more.
    """

    packets: Integers
    events: Integers
    busiest: Integers
    work: Integers


class Rules(NamedTuple):
    """Numbers of a run.

    Parameters
    ----------
    steps : int
        Ticks of a sample.
    scheme : int
        0 ``paper``, 1 ``exact_exponential``, 2 ``off_grid``.
    keep : bool
        Whether received spikes are kept for a backward run.
    overrun : int
        0 ``error``, 1 ``late``, 2 ``ignore``.
    budget, neuron, synapse, packet : int
        Cycles of a tick, per neuron, synaptic event and packet.
    timestep : float
        In ms.
    uniform : bool
        Whether all neurons of each population have the same time constants.
    holding : bool
        Whether there are refractory periods.
    """

    steps: int
    scheme: int
    keep: bool
    overrun: int
    budget: int
    neuron: int
    synapse: int
    packet: int
    timestep: float
    uniform: bool
    holding: bool


class Board(NamedTuple):
    """Everything that the programs work on."""

    sheet: Sheet
    known: Known
    cells: Cells
    wiring: Wiring
    state: State
    own: Own
    received: Received
    synaptic: Synaptic
    counts: Counts
