"""Memory of the emulated processing elements: one array per kind of content, a stretch of it per slice."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.ticks.records import Spikes

INPUT, LAYER, LOSS_PROGRAM, OPTIMIZER = range(4)
"""Programs, in the order of ``plan.ROLES``."""

TRAINED = 1 << 40
"""A layer knows the keys of weights that are sent to it from this number on, one for every neuron."""

SLICE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "role",
            "size",
            "copy",
            "number",
            "cell",
            "row",
            "distinct",
            "delays",
            "state",
            "ring",
            "depth",
            "place",
            "weight",
            "weight_end",
            "gradient",
            "gradient_end",
            "sent",
            "sent_end",
            "received",
            "received_end",
            "known",
            "known_end",
            "spike_port",
            "error_port",
            "loss_port",
            "gradient_port",
            "weight_port",
            "error_base",
            "loss_base",
        )
    ]
)
"""What a slice is and where its memory begins and ends.

Program, number of neurons, copy of the network, place among the slices of its copy; where its constants, its
rows of synapses and its delays begin, and how many different delays there are (all copies share these); where
its state and its ring buffer begin, slots of the ring buffer, where its index by tick begins; beginning and
end of its weights, gradients, spikes sent, spikes received, and known blocks of keys; first port of each
kind, -1 where it has none; first key of the errors and of the losses addressed to it, -1 for none.
"""

PROGRESS = np.dtype([("sent", np.int64), ("received", np.int64), ("cursor", np.int64)])
"""Spikes sent and received so far, and how many of them have been dealt with."""

GAP, RESET, START, CURRENT, FLOOR, LEAK, GAIN, FADE, ADJOINT_GAIN, TAU = range(10)
"""Constants of a neuron, in the frame of the resting voltage: threshold, reset, initial voltage and current,
smallest slope to divide by, what a tick does (see ``netdesc.dynamics.tick.Tick``), synaptic time constant in
ms."""

TAU_M, TAU_S = range(2)
"""Time constants in ms, in double precision."""

STATES, ADJOINTS = 2, 3
"""Numbers of state of a neuron, voltage and current; of adjoint state, lam_v, lam_i and what is kept of lam_v
through a refractory period. A slice has all its voltages, then all its currents."""

FREE_AT, WAITING, LATEST = range(3)
"""Marks of a neuron: tick of the release, spike that it is held by or -1, latest spike or -1."""

RING, LIFT, RISES, FALLS = range(4)
"""Ring buffers: currents; in ``off_grid`` voltages and sums of positive and of negative weights, too."""

SENT_AT, CAME_AT = range(2)
"""Index by tick of emission: first spike sent, first spike received."""


class Received(NamedTuple):
    """Spikes received by all slices; see ``netdesc.ticks.records.Arrivals``."""

    row: Integers
    fraction: NDArray[Any]
    gradient: NDArray[Any]


class Board(NamedTuple):
    """Everything that the programs work on.

    Parameters
    ----------
    slices : ndarray of SLICE, shape (slices,)
    progress : ndarray of PROGRESS, shape (slices,)
    known : ndarray of packets.KNOWN
    numbers : ndarray of float32, shape (10, neurons)
    taus : ndarray of float64, shape (2, neurons)
    hold : ndarray of int64, shape (neurons,)
        Refractory period in ticks.
    first : ndarray of int64, shape (rows + 1,)
        Segments of each row; a row is a source that a slice knows.
    fan : ndarray of int64, shape (rows,)
        Synapses of each row.
    lags : ndarray of uint16, shape (rows,)
        Bit k is set where a segment of the row has a delay of k ticks, modulo 16.
    segments : ndarray of ticks.records.SEGMENT
    target, distinct : ndarray of int64
        Targets of segments that are not runs; delays of each slice that occur, descending.
    state : ndarray of float32, shape (STATES * neurons,)
    adjoint : ndarray of float32, shape (ADJOINTS * neurons,)
    marks : ndarray of int64, shape (3, neurons)
    rings : ndarray of float32, shape (1 or 4, slots)
    places : ndarray of int64, shape (2, ticks of all slices)
    sent : Spikes
        Those of a slice in its stretch of the arrays, with neurons counted within it.
    received : Received
    weight, gradient : ndarray of float32
        In the voltage of the cell, and dL/d of it of one sample.
    packets : ndarray of int64, shape (slices, 5, 4)
        Counts by kind and fate, see ``packets``.
    events : ndarray of int64, shape (slices, 4)
        Synaptic events, those due after the end, spikes with a raised slope, ticks that took too long.
    busiest : ndarray of int64, shape (slices, 2)
        Most cycles in a tick, forward and backward.
    work : ndarray of int32, shape (samples, slices of a copy, 2, ticks, 3)
        Synaptic events, packets taken in and packets sent, by tick, forward and backward. Samples wrap around
        where there are more.
    """

    slices: NDArray[Any]
    progress: NDArray[Any]
    known: NDArray[Any]
    numbers: NDArray[Any]
    taus: Floats
    hold: Integers
    first: Integers
    fan: Integers
    lags: NDArray[Any]
    segments: NDArray[Any]
    target: Integers
    distinct: Integers
    state: NDArray[Any]
    adjoint: NDArray[Any]
    marks: Integers
    rings: NDArray[Any]
    places: Integers
    sent: Spikes
    received: Received
    weight: NDArray[Any]
    gradient: NDArray[Any]
    packets: Integers
    events: Integers
    busiest: Integers
    work: NDArray[Any]


class Rules(NamedTuple):
    """Numbers of a run.

    Parameters
    ----------
    steps : int
        Ticks of a sample.
    scheme : int
        0 ``paper``, 1 ``exact_exponential``, 2 ``off_grid``.
    each : int
        Slices of a copy.
    keep : bool
        Whether received spikes are kept: for a backward run, or while they are under way in ``off_grid``.
    sliding : bool
        Whether those that have arrived are forgotten where there is no room.
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
    each: int
    keep: bool
    sliding: bool
    overrun: int
    budget: int
    neuron: int
    synapse: int
    packet: int
    timestep: float
    uniform: bool
    holding: bool
