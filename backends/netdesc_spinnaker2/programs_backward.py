"""The layer and input programs backward: errors come in, the adjoints go back a tick, errors go out.

An error packet mirrors a spike packet: for a spike sent in tick n it leaves in the backward tick n + 1,
with dL/dt
through all synapses of the slice, and is taken in by the source in the backward tick n.
"""

from __future__ import annotations

from typing import Any

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
from netdesc_spinnaker2.emulator_memory import (
    CAME_AT,
    CARRY,
    FADE,
    FLOOR,
    GAP,
    LAM_I,
    LAM_V,
    LATEST,
    LEAK,
    PULL,
    RESET,
    SENT_AT,
    TAU,
    TAU_M,
    TAU_S,
    Board,
    Rules,
)
from netdesc_spinnaker2.keys import SPACE_SHIFT
from netdesc_spinnaker2.packets import (
    AT_END,
    DELIVERED,
    DROPPED,
    ERROR,
    KEY,
    ROOM,
    Boxes,
    Ports,
    send,
    sort_box,
)
from netdesc_spinnaker2.programs import GRAZING
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
    sheet = board.sheet[s]
    own = board.own
    into = m & 1
    count = sort_box(into, s, boxes)
    boxes.count[into, s] = 0
    a, place, n = sheet.own, sheet.place + m, sheet.size
    begin, end = board.places[SENT_AT, place], board.places[SENT_AT, place + 1]
    if count == 0:
        return 0
    slot[:n] = -1
    for e in range(begin, end):
        slot[own[a + e].neuron] = e
    at = boxes.start[s]
    kind_of = board.state.dtype.type
    found, last = -1, -1
    for x in range(at, at + count):
        packet = boxes.packet[into, x]
        key = packet.key & KEY
        lost = sheet.loss_base >= 0 and key >= sheet.loss_base
        k = key - (sheet.loss_base if lost else sheet.error_base)
        if lost and packet.fraction == AT_END and 0 <= k < n:
            # the membrane of a neuron without a spike: lam_v = -dL/dv / tau_m, the payload is -dL/dv gap
            c = sheet.cell + k
            board.state[LAM_V, sheet.state + k] += packet.payload / (
                board.numbers[GAP, c] * kind_of(board.taus[TAU_M, c])
            )
            continue
        head = slot[k] if 0 <= k < n and (lost or sheet.error_base >= 0) else -1
        # an input may spike twice at one time; errors go to such spikes in turn
        again = found >= 0 and key == last and own[a + found].fraction == packet.fraction
        found = find_spike(own[a + found].previous, begin, a, packet.fraction, board) if again else -1
        if found < 0:
            found = find_spike(head, begin, a, packet.fraction, board)
        last = key
        if found < 0:
            board.packets[s, key >> SPACE_SHIFT, DELIVERED] -= 1
            board.packets[s, key >> SPACE_SHIFT, DROPPED] += 1
            continue
        own[a + found].force += packet.payload
    return count


@kernel
def find_spike(e: int, begin: int, a: int, fraction: float, board: Board) -> int:
    """Return the spike at a fraction of the tick on a chain of spikes of one neuron, -1 if there is none.

    Parameters
    ----------
    e : int
        Head of the chain.
    begin : int
        First spike of the tick.
    a : int
        Where the spikes of the slice begin.
    fraction : float
    board : Board
    """
    while e >= begin and board.own[a + e].fraction != fraction:
        e = board.own[a + e].previous
    return e if e >= begin else -1


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
    sheet = board.sheet[s]
    received = board.received
    port, a, place = sheet.error_port, sheet.received, sheet.place + m - 1
    sent = 0
    if port < 0:
        return 0
    for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
        at = port + received[e].row
        if ports.journey[at] < 0:
            continue
        if (
            send(
                at,
                received[e].pulled,
                received[e].fraction,
                1 - (m & 1),
                s,
                ERROR,
                ports,
                boxes,
                board.packets,
            )
            != ROOM
        ):
            return -1
        sent += 1
    return sent


@kernel
def meet(
    m: int,
    s: int,
    board: Board,
    pull_v: NDArray[Any],
    pull_i: NDArray[Any],
    gain_i: NDArray[Any],
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
    sheet = board.sheet[s]
    received = board.received
    a, c, n = sheet.received, sheet.cell, sheet.size
    tau = board.numbers[TAU, c : c + n]
    weight = board.weight[sheet.weight : sheet.weight_end]
    gradient = board.gradient[sheet.gradient : sheet.gradient_end]
    events = 0
    for d in range(sheet.distinct, sheet.distinct + sheet.delays):
        delay = board.distinct[d]
        if delay > m:
            continue
        place = sheet.place + m - delay
        for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
            row = sheet.row + received[e].row
            total = received[e].pulled
            for g in range(board.first[row], board.first[row + 1]):
                segment = board.segments[g]
                if segment.delay != delay:
                    continue
                start, count, base, gain = segment.start, segment.size, segment.base, segment.gain
                events += count
                if segment.run == 1:
                    total = pull_row(
                        weight[start : start + count],
                        pull_v[base : base + count],
                        pull_i[base : base + count],
                        pulls,
                        total,
                    )
                    if gain >= 0:
                        gain_row(
                            gradient[gain : gain + count],
                            gain_i[base : base + count],
                            tau[base : base + count],
                        )
                    continue
                for k in range(count):
                    j = board.target[segment.target_start + k]
                    total += arrival_force(weight[start + k], pull_v[j], pull_i[j])
                    if gain >= 0:
                        gradient[gain + k] += weight_force(gain_i[j], tau[j])
            received[e].pulled = total
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
    sheet = board.sheet[s]
    own = board.own
    n, a, c, first = sheet.size, sheet.state, sheet.cell, sheet.own
    lam_v, lam_i = board.state[LAM_V, a : a + n], board.state[LAM_I, a : a + n]
    # dL/d(arrival) is read at one tick, dL/dw at the one before it
    for k in range(n):
        late_v[k] = lam_v[k]
        late_i[k] = lam_i[k]
    step_back(
        lam_v,
        lam_i,
        board.numbers[LEAK, c : c + n],
        board.numbers[FADE, c : c + n],
        board.numbers[PULL, c : c + n],
    )
    place = sheet.place + m
    for e in range(first + board.places[SENT_AT, place], first + board.places[SENT_AT, place + 1]):
        k = own[e].neuron
        slope = bounded_slope(own[e].slope, board.numbers[FLOOR, c + k])
        board.events[s, GRAZING] += 1 if slope > own[e].slope else 0
        distance = board.numbers[GAP, c + k] - board.numbers[RESET, c + k]
        lam_v[k] += paper_jump(late_v[k], own[e].force, slope, distance)
        own[e].force += distance * late_v[k]
    return meet(m, s, board, late_v, late_i, lam_i, pulls)


@kernel
def step_exact_back(m: int, s: int, board: Board, holding: bool, pulls: NDArray[Any]) -> int:
    """Run a slice back through a tick of the scheme ``exact_exponential``; as ``step_paper_back``."""
    sheet = board.sheet[s]
    own = board.own
    n, a, c, first = sheet.size, sheet.state, sheet.cell, sheet.own
    lam_v, lam_i = board.state[LAM_V, a : a + n], board.state[LAM_I, a : a + n]
    carry = board.state[CARRY, a : a + n]
    latest = board.marks[LATEST, a : a + n]
    events = meet(m, s, board, lam_v, lam_i, lam_i, pulls)
    place = sheet.place + m
    for e in range(first + board.places[SENT_AT, place], first + board.places[SENT_AT, place + 1]):
        k = own[e].neuron
        slope = bounded_slope(own[e].slope, board.numbers[FLOOR, c + k])
        board.events[s, GRAZING] += 1 if slope > own[e].slope else 0
        if board.hold[c + k] == 0:
            carry[k] = slope_after(own[e].current, board.numbers[RESET, c + k]) * lam_v[k]
        lam_v[k] = jump_before(carry[k], own[e].force, slope)
        own[e].force += carry[k]
        carry[k] = 0
        latest[k] = own[e].previous
    if holding:
        for k in range(n):
            e = first + latest[k]
            if latest[k] >= 0 and board.hold[c + k] > 0 and own[e].tick + board.hold[c + k] == m:
                carry[k] = slope_after(own[e].release, board.numbers[RESET, c + k]) * lam_v[k]
                lam_v[k] = 0
    step_back(
        lam_v,
        lam_i,
        board.numbers[LEAK, c : c + n],
        board.numbers[FADE, c : c + n],
        board.numbers[PULL, c : c + n],
    )
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
    sheet = board.sheet[s]
    own = board.own
    n, a, first = sheet.size, sheet.state, sheet.own
    latest, hold = board.marks[LATEST, a : a + n], board.hold[sheet.cell : sheet.cell + n]
    place = sheet.place + m
    count = 0
    for e in range(first + board.places[SENT_AT, place], first + board.places[SENT_AT, place + 1]):
        k = own[e].neuron
        if desk.marked[k] == 0:
            desk.marked[k] = 1
            desk.special[count], desk.latest[count], desk.released[count] = k, latest[k], -1
            count += 1
    for p in range(count):
        k = desk.special[p]
        e = desk.latest[p]
        while e >= 0 and own[first + e].tick == m:
            e = own[first + e].previous
        latest[k] = e
    if holding:
        for p in range(count):
            k = desk.special[p]
            e = latest[k]
            if e >= 0 and hold[k] > 0 and own[first + e].tick + hold[k] == m:
                desk.released[p] = e
        for k in range(n):
            e = latest[k]
            if desk.marked[k] == 0 and e >= 0 and hold[k] > 0 and own[first + e].tick + hold[k] == m:
                desk.marked[k] = 1
                desk.special[count], desk.latest[count], desk.released[count] = k, -1, e
                count += 1
    return count


@kernel
def step_off_grid_back(
    m: int,
    s: int,
    board: Board,
    rules: Rules,
    desk: Desk,
    quiet_v: NDArray[Any],
    quiet_i: NDArray[Any],
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
    sheet = board.sheet[s]
    n, a, c = sheet.size, sheet.state, sheet.cell
    lam_v, lam_i = board.state[LAM_V, a : a + n], board.state[LAM_I, a : a + n]
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
    step_back(
        lam_v,
        lam_i,
        board.numbers[LEAK, c : c + n],
        board.numbers[FADE, c : c + n],
        board.numbers[PULL, c : c + n],
    )
    for p in range(specials):
        lam_v[desk.special[p]] = desk.result[p, 0]
        lam_i[desk.special[p]] = desk.result[p, 1]
    return events


@kernel
def cross_back(m: int, s: int, p: int, board: Board, rules: Rules, desk: Desk) -> bool:
    """Carry the adjoint of one special neuron back through a tick; False where the desk is too small."""
    sheet = board.sheet[s]
    own = board.own
    first, k = sheet.own, desk.special[p]
    a, c = sheet.state + k, sheet.cell + k
    count = collect_arrivals(k, m, s, board, desk)
    if count > len(desk.when):
        return False
    hits = 0
    e = desk.latest[p]
    while e > board.marks[LATEST, a]:
        hits += 1
        e = own[first + e].previous
    e = desk.latest[p]
    for x in range(hits - 1, -1, -1):
        desk.at[x] = own[first + e].fraction
        desk.current[x] = own[first + e].current
        desk.force[x] = own[first + e].force
        e = own[first + e].previous
    desk.result[p, 0] = board.state[LAM_V, a]
    desk.result[p, 1] = board.state[LAM_I, a]
    desk.result[p, 2] = 0.0
    desk.result[p, 3] = board.state[CARRY, a]
    e = desk.released[p]
    board.events[s, GRAZING] += cross_tick_back(
        float(own[first + e].fraction) if e >= 0 else FREE,
        float(own[first + e].release) if e >= 0 else 0.0,
        count,
        desk.when,
        desk.weight,
        desk.receptor,
        hits,
        desk.at,
        desk.current,
        rules.timestep,
        cell_of(c, board),
        board.hold[c] > 0,
        float(board.numbers[FLOOR, c]),
        desk.force,
        desk.result[p],
        desk.pulls,
        desk.gains,
    )
    board.state[CARRY, a] = desk.result[p, 3]
    kind = board.state.dtype.type
    for x in range(count):
        at = sheet.received + desk.found[x, 0]
        board.received[at].pulled += kind(desk.pulls[x])
        if desk.found[x, 3] >= 0:
            board.gradient[sheet.gradient + desk.found[x, 3]] += kind(desk.gains[x])
    e = desk.latest[p]
    for x in range(hits - 1, -1, -1):
        own[first + e].force = desk.force[x]
        e = own[first + e].previous
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
    sheet = board.sheet[s]
    received = board.received
    a, c, n = sheet.received, sheet.cell, sheet.size
    tau, tau_m, tau_s = (
        board.numbers[TAU, c : c + n],
        board.taus[TAU_M, c : c + n],
        board.taus[TAU_S, c : c + n],
    )
    weight = board.weight[sheet.weight : sheet.weight_end]
    gradient = board.gradient[sheet.gradient : sheet.gradient_end]
    kind = weight.dtype.type
    events = 0
    for d in range(sheet.distinct, sheet.distinct + sheet.delays):
        delay = board.distinct[d]
        if delay > m:
            continue
        place = sheet.place + m - delay
        for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
            row = sheet.row + received[e].row
            total = received[e].pulled
            fraction = float(received[e].fraction)
            if rules.uniform:
                leak, fade, k = factors_until(fraction, rules.timestep, tau_m[0], tau_s[0])
                g_i = adjoint_charge(k, tau_m[0], tau_s[0])
            for g in range(board.first[row], board.first[row + 1]):
                segment = board.segments[g]
                if segment.delay != delay:
                    continue
                start, count, base, gain = segment.start, segment.size, segment.base, segment.gain
                events += count
                if segment.run == 1 and rules.uniform:
                    total = pull_within(
                        weight[start : start + count],
                        lam_v[base : base + count],
                        lam_i[base : base + count],
                        kind(leak),
                        kind(fade),
                        kind(g_i),
                        pulls,
                        total,
                    )
                    if gain >= 0:
                        gain_within(
                            gradient[gain : gain + count],
                            lam_v[base : base + count],
                            lam_i[base : base + count],
                            tau[base : base + count],
                            kind(fade),
                            kind(g_i),
                        )
                    continue
                for x in range(count):
                    j = base + x if segment.run == 1 else board.target[segment.target_start + x]
                    if not rules.uniform:
                        leak, fade, k = factors_until(fraction, rules.timestep, tau_m[j], tau_s[j])
                        g_i = adjoint_charge(k, tau_m[j], tau_s[j])
                    lam = adjoint_current_before(lam_i[j], lam_v[j], kind(fade), kind(g_i))
                    total += arrival_force(
                        weight[start + x], adjoint_voltage_before(lam_v[j], kind(leak)), lam
                    )
                    if gain >= 0:
                        gradient[gain + x] += weight_force(lam, tau[j])
            received[e].pulled = total
    return events


@kernel
def pull_within(
    weight: NDArray[Any],
    lam_v: NDArray[Any],
    lam_i: NDArray[Any],
    leak: float,
    fade: float,
    pull: float,
    pulls: NDArray[Any],
    total: float,
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
    gradient: NDArray[Any],
    lam_v: NDArray[Any],
    lam_i: NDArray[Any],
    tau: NDArray[Any],
    fade: float,
    pull: float,
) -> None:
    """Add dL/dw over neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(adjoint_current_before(lam_i[k], lam_v[k], fade, pull), tau[k])
