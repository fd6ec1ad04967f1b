"""The layer and input programs backward: errors come in, the adjoints go back a tick, errors go out.

An error packet mirrors a spike packet: for a spike sent in tick n it leaves in the backward tick n + 1, with dL/dt
through all synapses of the slice, and is taken in by the source in the backward tick n.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import adjoint_charge, arrival_force, bounded_slope, slope_after, weight_force
from netdesc.physics.subtick import FREE, cross_tick_back
from netdesc.physics.tick import (
    adjoint_current_before,
    adjoint_voltage_before,
    factors_until,
    jump_before,
    paper_jump,
)
from netdesc_spinnaker2.emulator_memory import Board, Rules
from netdesc_spinnaker2.packets import DELIVERED, DROPPED, ERROR, LOSS, ROOM, Boxes, Ports, send, sort_box
from netdesc_spinnaker2.programs import FULL_BOX, FULL_DESK, GRAZING, KEY
from netdesc_spinnaker2.programs_off_grid import Desk, cell_of, collect_arrivals


@kernel
def take_errors(m: int, s: int, board: Board, boxes: Boxes, slot: Integers) -> int:
    """Drain a box of errors into the spikes that they belong to.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, boxes
    slot : ndarray of int64, shape (neurons,)
        Room.

    Returns
    -------
    int
        Packets taken in.
    """
    sheet, state, own = board.sheet, board.state, board.own
    into = m & 1
    count = sort_box(into, s, boxes)
    boxes.count[into, s] = 0
    a, place, n = sheet.own[s], sheet.place[s] + m, sheet.size[s]
    begin, end = state.own_place[place], state.own_place[place + 1]
    if count == 0:
        return 0
    slot[:n] = -1
    for e in range(begin, end):
        slot[own.neuron[a + e]] = e
    at = boxes.start[s]
    for x in range(at, at + count):
        key = boxes.key[into, x] & KEY
        lost = sheet.loss_base[s] >= 0 and key >= sheet.loss_base[s]
        k = key - (sheet.loss_base[s] if lost else sheet.error_base[s])
        e = slot[k] if 0 <= k < n and (lost or sheet.error_base[s] >= 0) else -1
        while e >= begin and own.fraction[a + e] != boxes.fraction[into, x]:
            e = own.previous[a + e]
        if e < begin:
            tally = board.counts.packets[s, LOSS if lost else ERROR]
            tally[DELIVERED] -= 1
            tally[DROPPED] += 1
            continue
        own.force[a + e] += boxes.payload[into, x]
    return count


@kernel
def send_errors(m: int, s: int, board: Board, ports: Ports, boxes: Boxes) -> int:
    """Send one error packet for every spike received that was sent in the tick before.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, ports, boxes

    Returns
    -------
    int
        Packets sent, or -1 where a box is full.
    """
    sheet, received = board.sheet, board.received
    port, a, place = sheet.error_port[s], sheet.received[s], sheet.place[s] + m - 1
    tally = board.counts.packets[s, ERROR]
    sent = 0
    for e in range(a + board.state.received_place[place], a + board.state.received_place[place + 1]):
        at = port + received.row[e]
        if ports.journey[at] < 0:
            continue
        if send(at, received.pulled[e], received.fraction[e], 1 - (m & 1), ports, boxes, tally) != ROOM:
            return -1
        sent += 1
    return sent


@kernel
def meet(
    m: int, s: int, board: Board, pull_v: NDArray[Any], pull_i: NDArray[Any], gain_i: NDArray[Any],
    pulls: NDArray[Any],
) -> int:
    """Let the spikes that arrive in a tick meet the adjoints of their targets.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board : Board
    pull_v, pull_i : ndarray, shape (n,)
        Adjoints that tell dL/d(arrival).
    gain_i : ndarray, shape (n,)
        Adjoint that tells dL/dw.
    pulls : ndarray
        Room for as many numbers.

    Returns
    -------
    int
        Number of synaptic events.
    """
    sheet, wiring, state, received = board.sheet, board.wiring, board.state, board.received
    a, c, n = sheet.received[s], sheet.cell[s], sheet.size[s]
    tau = board.cells.tau[c:c + n]
    weight = board.synaptic.weight[sheet.weight[s]:sheet.weight[s + 1]]
    gradient = board.synaptic.gradient[sheet.gradient[s]:sheet.gradient[s + 1]]
    events = 0
    for d in range(sheet.distinct[s], sheet.distinct[s] + sheet.delays[s]):
        delay = wiring.distinct[d]
        if delay > m:
            continue
        place = sheet.place[s] + m - delay
        for e in range(a + state.received_place[place], a + state.received_place[place + 1]):
            row = sheet.row[s] + received.row[e]
            total = received.pulled[e]
            for g in range(wiring.first[row], wiring.first[row + 1]):
                if wiring.delay[g] != delay:
                    continue
                start, count, base, gain = wiring.start[g], wiring.size[g], wiring.base[g], wiring.gain[g]
                events += count
                if wiring.run[g]:
                    total = pull_row(weight[start:start + count], pull_v[base:base + count],
                                     pull_i[base:base + count], pulls, total)
                    if gain >= 0:
                        gain_row(gradient[gain:gain + count], gain_i[base:base + count],
                                 tau[base:base + count])
                    continue
                for k in range(count):
                    j = wiring.target[wiring.target_start[g] + k]
                    total += arrival_force(weight[start + k], pull_v[j], pull_i[j])
                    if gain >= 0:
                        gradient[gain + k] += weight_force(gain_i[j], tau[j])
            received.pulled[e] = total
    return events


@kernel
def pull_row(
    weight: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any], pulls: NDArray[Any], total: float
) -> float:
    """Add dL/d(arrival) over neighbouring targets to what there is; arrays of shape (k,)."""
    for k in range(len(weight)):
        pulls[k] = arrival_force(weight[k], lam_v[k], lam_i[k])
    for k in range(len(weight)):
        total += pulls[k]
    return total


@kernel
def gain_row(gradient: NDArray[Any], lam_i: NDArray[Any], tau: NDArray[Any]) -> None:
    """Add dL/dw over neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(lam_i[k], tau[k])


@kernel
def step_back(
    lam_v: NDArray[Any], lam_i: NDArray[Any], leak: NDArray[Any], fade: NDArray[Any], pull: NDArray[Any]
) -> None:
    """Carry the adjoints back over a tick, without spikes; lam_i first, with the later lam_v."""
    for k in range(len(lam_v)):
        lam_i[k] = adjoint_current_before(lam_i[k], lam_v[k], fade[k], pull[k])
        lam_v[k] = adjoint_voltage_before(lam_v[k], leak[k])


@kernel
def step_paper_back(
    m: int, s: int, board: Board, late_v: NDArray[Any], late_i: NDArray[Any], pulls: NDArray[Any]
) -> int:
    """Run a slice back through a tick of the paper's scheme.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board : Board
    late_v, late_i, pulls : ndarray
        Room for a number per neuron.

    Returns
    -------
    int
        Number of synaptic events.
    """
    sheet, cells, state, own = board.sheet, board.cells, board.state, board.own
    n, a, c, first = sheet.size[s], sheet.state[s], sheet.cell[s], sheet.own[s]
    lam_v, lam_i = state.lam_v[a:a + n], state.lam_i[a:a + n]
    # dL/d(arrival) is read at one tick, dL/dw at the one before it
    for k in range(n):
        late_v[k] = lam_v[k]
        late_i[k] = lam_i[k]
    step_back(lam_v, lam_i, cells.leak[c:c + n], cells.fade[c:c + n], cells.pull[c:c + n])
    place = sheet.place[s] + m
    for e in range(first + state.own_place[place], first + state.own_place[place + 1]):
        k = own.neuron[e]
        slope = bounded_slope(own.slope[e], cells.floor[c + k])
        board.counts.events[s, GRAZING] += 1 if slope > own.slope[e] else 0
        distance = cells.gap[c + k] - cells.reset[c + k]
        lam_v[k] += paper_jump(late_v[k], own.force[e], slope, distance)
        own.force[e] += distance * late_v[k]
    return meet(m, s, board, late_v, late_i, lam_i, pulls)


@kernel
def step_exact_back(m: int, s: int, board: Board, holding: bool, pulls: NDArray[Any]) -> int:
    """Run a slice back through a tick of the scheme ``exact_exponential``; as ``step_paper_back``."""
    sheet, cells, state, own = board.sheet, board.cells, board.state, board.own
    n, a, c, first = sheet.size[s], sheet.state[s], sheet.cell[s], sheet.own[s]
    lam_v, lam_i, carry = state.lam_v[a:a + n], state.lam_i[a:a + n], state.carry[a:a + n]
    latest = state.latest[a:a + n]
    events = meet(m, s, board, lam_v, lam_i, lam_i, pulls)
    place = sheet.place[s] + m
    for e in range(first + state.own_place[place], first + state.own_place[place + 1]):
        k = own.neuron[e]
        slope = bounded_slope(own.slope[e], cells.floor[c + k])
        board.counts.events[s, GRAZING] += 1 if slope > own.slope[e] else 0
        if cells.hold[c + k] == 0:
            carry[k] = slope_after(own.current[e], cells.reset[c + k]) * lam_v[k]
        lam_v[k] = jump_before(carry[k], own.force[e], slope)
        own.force[e] += carry[k]
        carry[k] = 0
        latest[k] = own.previous[e]
    if holding:
        for k in range(n):
            e = first + latest[k]
            if latest[k] >= 0 and cells.hold[c + k] > 0 and own.tick[e] + cells.hold[c + k] == m:
                carry[k] = slope_after(own.release[e], cells.reset[c + k]) * lam_v[k]
                lam_v[k] = 0
    step_back(lam_v, lam_i, cells.leak[c:c + n], cells.fade[c:c + n], cells.pull[c:c + n])
    return events


@kernel
def find_specials(m: int, s: int, board: Board, holding: bool, desk: Desk) -> int:
    """List the neurons that spike or are released in a tick, and take its spikes off their chains.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board : Board
    holding : bool
    desk : Desk
        Results: ``special``; ``latest``, the last spike of each in this tick, -1 for none; ``released``, the
        spike that it is released from in this tick, -1 for none; ``marked``, 1 for these neurons.

    Returns
    -------
    int
        How many.
    """
    sheet, state, own = board.sheet, board.state, board.own
    n, a, first = sheet.size[s], sheet.state[s], sheet.own[s]
    latest, hold = state.latest[a:a + n], board.cells.hold[sheet.cell[s]:sheet.cell[s] + n]
    place = sheet.place[s] + m
    count = 0
    for e in range(first + state.own_place[place], first + state.own_place[place + 1]):
        k = own.neuron[e]
        if desk.marked[k] == 0:
            desk.marked[k] = 1
            desk.special[count], desk.latest[count], desk.released[count] = k, latest[k], -1
            count += 1
    for p in range(count):
        k = desk.special[p]
        e = desk.latest[p]
        while e >= 0 and own.tick[first + e] == m:
            e = own.previous[first + e]
        latest[k] = e
    if holding:
        for p in range(count):
            k = desk.special[p]
            e = latest[k]
            if e >= 0 and hold[k] > 0 and own.tick[first + e] + hold[k] == m:
                desk.released[p] = e
        for k in range(n):
            e = latest[k]
            if desk.marked[k] == 0 and e >= 0 and hold[k] > 0 and own.tick[first + e] + hold[k] == m:
                desk.marked[k] = 1
                desk.special[count], desk.latest[count], desk.released[count] = k, -1, e
                count += 1
    return count


@kernel
def step_off_grid_back(
    m: int, s: int, board: Board, rules: Rules, desk: Desk, quiet_v: NDArray[Any], quiet_i: NDArray[Any],
    pulls: NDArray[Any],
) -> int:
    """Run a slice back through a tick of the scheme ``off_grid``.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, rules
    desk : Desk
    quiet_v, quiet_i, pulls : ndarray
        Room for a number per neuron.

    Returns
    -------
    int
        Number of synaptic events; -1 where the desk is too small.
    """
    sheet, cells, state = board.sheet, board.cells, board.state
    n, a, c = sheet.size[s], sheet.state[s], sheet.cell[s]
    lam_v, lam_i = state.lam_v[a:a + n], state.lam_i[a:a + n]
    specials = find_specials(m, s, board, rules.holding, desk)
    for k in range(n):
        quiet_v[k] = 0 if desk.marked[k] == 1 else lam_v[k]
        quiet_i[k] = 0 if desk.marked[k] == 1 else lam_i[k]
    for p in range(specials):
        desk.marked[desk.special[p]] = 0
    events = meet_within(m, s, board, rules, quiet_v, quiet_i, pulls)
    for p in range(specials):
        if not cross_back(m, s, p, board, rules, desk):
            return -1
    step_back(lam_v, lam_i, cells.leak[c:c + n], cells.fade[c:c + n], cells.pull[c:c + n])
    for p in range(specials):
        lam_v[desk.special[p]] = desk.result[p, 0]
        lam_i[desk.special[p]] = desk.result[p, 1]
    return events


@kernel
def cross_back(m: int, s: int, p: int, board: Board, rules: Rules, desk: Desk) -> bool:
    """Carry the adjoint of one special neuron back through a tick; False where the desk is too small."""
    sheet, cells, state, own = board.sheet, board.cells, board.state, board.own
    first, k = sheet.own[s], desk.special[p]
    a, c = sheet.state[s] + k, sheet.cell[s] + k
    count = collect_arrivals(k, m, s, board, desk)
    if count > len(desk.when):
        return False
    hits = 0
    e = desk.latest[p]
    while e > state.latest[a]:
        hits += 1
        e = own.previous[first + e]
    e = desk.latest[p]
    for x in range(hits - 1, -1, -1):
        desk.at[x] = own.fraction[first + e]
        desk.current[x] = own.current[first + e]
        desk.force[x] = own.force[first + e]
        e = own.previous[first + e]
    desk.result[p, 0] = state.lam_v[a]
    desk.result[p, 1] = state.lam_i[a]
    desk.result[p, 2] = 0.0
    desk.result[p, 3] = state.carry[a]
    e = desk.released[p]
    board.counts.events[s, GRAZING] += cross_tick_back(
        float(own.fraction[first + e]) if e >= 0 else FREE,
        float(own.release[first + e]) if e >= 0 else 0.0, count, desk.when, desk.weight, desk.receptor, hits,
        desk.at, desk.current, rules.timestep, cell_of(c, board), cells.hold[c] > 0, float(cells.floor[c]),
        desk.force, desk.result[p], desk.pulls, desk.gains)
    state.carry[a] = desk.result[p, 3]
    kind = state.carry.dtype.type
    for x in range(count):
        at = sheet.received[s] + desk.found[x, 0]
        board.received.pulled[at] += kind(desk.pulls[x])
        if desk.found[x, 3] >= 0:
            board.synaptic.gradient[sheet.gradient[s] + desk.found[x, 3]] += kind(desk.gains[x])
    e = desk.latest[p]
    for x in range(hits - 1, -1, -1):
        own.force[first + e] = desk.force[x]
        e = own.previous[first + e]
    return True


@kernel
def meet_within(
    m: int, s: int, board: Board, rules: Rules, lam_v: NDArray[Any], lam_i: NDArray[Any], pulls: NDArray[Any]
) -> int:
    """Let the spikes that arrive in a tick meet the adjoints of their targets, carried back to the arrival.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, rules
    lam_v, lam_i : ndarray, shape (n,)
        Adjoints at the end of the tick.
    pulls : ndarray
        Room for as many numbers.

    Returns
    -------
    int
        Number of synaptic events.
    """
    sheet, wiring, state, received = board.sheet, board.wiring, board.state, board.received
    a, c, n = sheet.received[s], sheet.cell[s], sheet.size[s]
    tau, tau_m, tau_s = board.cells.tau[c:c + n], board.cells.tau_m[c:c + n], board.cells.tau_s[c:c + n]
    weight = board.synaptic.weight[sheet.weight[s]:sheet.weight[s + 1]]
    gradient = board.synaptic.gradient[sheet.gradient[s]:sheet.gradient[s + 1]]
    kind = weight.dtype.type
    events = 0
    for d in range(sheet.distinct[s], sheet.distinct[s] + sheet.delays[s]):
        delay = wiring.distinct[d]
        if delay > m:
            continue
        place = sheet.place[s] + m - delay
        for e in range(a + state.received_place[place], a + state.received_place[place + 1]):
            row = sheet.row[s] + received.row[e]
            total = received.pulled[e]
            fraction = float(received.fraction[e])
            if rules.uniform:
                leak, fade, k = factors_until(fraction, rules.timestep, tau_m[0], tau_s[0])
                g_i = adjoint_charge(k, tau_m[0], tau_s[0])
            for g in range(wiring.first[row], wiring.first[row + 1]):
                if wiring.delay[g] != delay:
                    continue
                start, count, base, gain = wiring.start[g], wiring.size[g], wiring.base[g], wiring.gain[g]
                events += count
                if wiring.run[g] and rules.uniform:
                    total = pull_within(weight[start:start + count], lam_v[base:base + count],
                                        lam_i[base:base + count], kind(leak), kind(fade), kind(g_i), pulls,
                                        total)
                    if gain >= 0:
                        gain_within(gradient[gain:gain + count], lam_v[base:base + count],
                                    lam_i[base:base + count], tau[base:base + count], kind(fade), kind(g_i))
                    continue
                for x in range(count):
                    j = base + x if wiring.run[g] else wiring.target[wiring.target_start[g] + x]
                    if not rules.uniform:
                        leak, fade, k = factors_until(fraction, rules.timestep, tau_m[j], tau_s[j])
                        g_i = adjoint_charge(k, tau_m[j], tau_s[j])
                    lam = adjoint_current_before(lam_i[j], lam_v[j], kind(fade), kind(g_i))
                    total += arrival_force(weight[start + x], adjoint_voltage_before(lam_v[j], kind(leak)),
                                           lam)
                    if gain >= 0:
                        gradient[gain + x] += weight_force(lam, tau[j])
            received.pulled[e] = total
    return events


@kernel
def pull_within(
    weight: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any], leak: float, fade: float, pull: float,
    pulls: NDArray[Any], total: float,
) -> float:
    """Add dL/d(arrival) over neighbouring targets to what there is; arrays of shape (k,)."""
    for k in range(len(weight)):
        lam = adjoint_current_before(lam_i[k], lam_v[k], fade, pull)
        pulls[k] = arrival_force(weight[k], adjoint_voltage_before(lam_v[k], leak), lam)
    for k in range(len(weight)):
        total += pulls[k]
    return total


@kernel
def gain_within(
    gradient: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any], tau: NDArray[Any], fade: float,
    pull: float,
) -> None:
    """Add dL/dw over neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(adjoint_current_before(lam_i[k], lam_v[k], fade, pull), tau[k])
