"""One sample, event by event."""

from __future__ import annotations

import heapq
import math

import numpy as np

from netdesc.program import Program


class Sample:
    """A network during a sample; ``spikes`` holds time, neuron, current, and current at the release."""

    def __init__(self, program: Program, look: float) -> None:
        self.program, self.look, self.end = program, look, program.duration
        self.values = {
            name: np.reshape(value, (program.size, -1))[:, 0].tolist()
            for name, value in program.parameters.items()
        }
        self.live = [
            n for item in program.populations if item.kind == "spiking" for n in range(item.start, item.stop)
        ]
        self.since = dict.fromkeys(self.live, 0.0)
        self.released = dict.fromkeys(self.live, 0.0)
        self.voltage = {n: self.values["v_init"][n] for n in self.live}
        self.current = {n: self.values["i_init"][n] for n in self.live}
        self.spikes: list[tuple[float, int, float, float]] = []
        self.pending: dict[int, tuple[float, float]] = {}
        self.queue: list[tuple[float, int, int, float]] = []
        self.arrivals = self.in_flight = 0
        self.fans = fan_out(program)

    def send(self, source: int, time: float) -> None:
        for target, jump, delay in self.fans.get(source, ()):
            if time + delay >= self.end:
                self.in_flight += 1
            else:
                self.arrivals += 1
                heapq.heappush(self.queue, (time + delay, self.arrivals, target, jump))

    def run(self) -> None:
        crossings = {n: self.find_crossing(n) for n in self.live}
        while True:
            time, neuron = min(((t, n) for n, t in crossings.items()), default=(math.inf, -1))
            if self.queue and self.queue[0][0] <= time:
                when, _, target, jump = heapq.heappop(self.queue)
                self.move(target, when)
                self.current[target] += jump
                crossings[target] = self.find_crossing(target)
            elif time <= self.end:
                self.spike(neuron, time)
                crossings[neuron] = self.find_crossing(neuron)
            else:
                break
        for neuron in self.live:
            self.move(neuron, self.end)
            if neuron in self.pending:
                self.spikes.append((self.pending[neuron][0], neuron, self.pending[neuron][1], math.nan))

    def state(self, n: int, time: float) -> tuple[float, float]:
        """Return voltage and current of a neuron at a time after its last event."""
        tau_m, tau_s = self.values["tau_m"][n], self.values["tau_s"][n]
        begin = min(max(self.since[n], self.released[n]), time)
        current = self.current[n] * math.exp((self.since[n] - begin) / tau_s)
        s = time - begin
        a, b = math.exp(-s / tau_m), math.exp(-s / tau_s)
        charge = s / tau_m * a if tau_m == tau_s else tau_s / (tau_m - tau_s) * (a - b)
        rest = self.values["rest"][n]
        return rest + (self.voltage[n] - rest) * a + current * charge, current * b

    def move(self, n: int, time: float) -> None:
        if n in self.pending and self.released[n] <= time:
            spike_time, before = self.pending.pop(n)
            self.spikes.append((spike_time, n, before, self.state(n, self.released[n])[1]))
        self.voltage[n], self.current[n] = self.state(n, time)
        self.since[n] = time

    def spike(self, n: int, time: float) -> None:
        self.move(n, time)
        self.voltage[n] = self.values["reset"][n]
        self.released[n] = time + self.values["tau_ref"][n]
        self.pending[n] = (time, self.current[n])
        self.send(n, time)

    def find_crossing(self, n: int) -> float:
        """Look at the voltage from step to step; halve the first step that ends above the threshold."""
        threshold, low = self.values["threshold"][n], max(self.since[n], self.released[n])
        if self.state(n, low)[0] >= threshold:
            return low
        while low < self.end:
            high = min(low + self.look, self.end)
            if self.state(n, high)[0] >= threshold:
                return self.halve(n, low, high)
            low = high
        return math.inf

    def halve(self, n: int, low: float, high: float) -> float:
        while low < (middle := 0.5 * (low + high)) < high:
            if self.state(n, middle)[0] >= self.values["threshold"][n]:
                high = middle
            else:
                low = middle
        return high


def fan_out(program: Program) -> dict[int, list[tuple[int, float, float]]]:
    """Return target, jump of the current and delay of all synapses, by source."""
    result: dict[int, list[tuple[int, float, float]]] = {}
    for block in program.blocks:
        pre, post = program.populations[block.pre].start, program.populations[block.post].start
        weights, delays = block.matrix(block.weights), block.matrix(block.delays)
        for i, j in np.argwhere(~np.isnan(weights)).tolist():
            jump = weights[i, j] * block.charge[j]
            result.setdefault(pre + i, []).append((post + j, float(jump), float(delays[i, j])))
    return result
