"""What a forward run leaves behind, and the physics of it beside the reference."""

from __future__ import annotations

import numpy as np
import pytest

from netdesc.errors import NetdescError
from netdesc.events import Events
from netdesc.testing.conformance.cases import Case
from netdesc.testing.conformance.oracle import expect, misfit
from netdesc.testing.conformance.spikes import compare, first_difference, one_sample, silence
from netdesc.testing.conformance.subject import Bench, Subject, demand
from netdesc.trace import Trace

DRIVEN = Case(
    "no_source",
    """
netdesc: 1
simulation: {duration: 40 ms}
populations: {output: {size: 1, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}, current: 2}}
""",
)
STILL = Case("no_source_still", DRIVEN.text.replace(", current: 2", ""))


class ForwardChecks(Subject):
    """A trace is complete, ordered and repeatable, and accounts for every delivery."""

    def test_a_trace_has_spikes_of_every_population_but_read_outs(self, case: str) -> None:
        """``Trace.spikes`` holds each source and spiking population, a batch as large as the stimulus."""
        bench = self.bench(case)
        trace = bench.forward()
        names = {item.name for item in bench.program.populations if item.kind != "readout"}
        demand(set(trace.spikes) == names, f"spikes of {sorted(trace.spikes)}, expected {sorted(names)}")
        for name, events in trace.spikes.items():
            demand(events.batch == bench.stimulus.batch, f"{name} has {events.batch} samples")

    def test_spikes_of_sources_are_echoed(self, case: str) -> None:
        """``Trace.spikes`` holds the stimulus of each source, within the tolerance of spike times."""
        bench = self.bench(case)
        trace = bench.forward()
        for item in bench.program.populations:
            if item.kind == "source":
                given = bench.stimulus.select(item.start, item.stop)
                fault = compare(trace.spikes[item.name], given, item.size, self.tolerance.spike_time)[1]
                demand(not fault, f"the stimulus of {item.name} is not echoed; {fault}")

    def test_spikes_are_ordered_and_in_range(self, case: str) -> None:
        """Within a sample spikes ascend in time, ties by neuron; times lie within the run, indices exist."""
        bench = self.bench(case)
        for name, events in bench.forward().spikes.items():
            order = np.lexsort((events.sources, events.times, events.samples()))
            demand(np.array_equal(order, np.arange(len(events))), f"the spikes of {name} are not in order")
            inside = (events.times >= 0.0) & (events.times <= bench.program.duration)
            demand(bool(inside.all()), f"{name} spikes outside of the run, at {events.times[~inside]} ms")
            size = bench.program.population(name).size
            known = (events.sources >= 0) & (events.sources < size)
            demand(bool(known.all()), f"{name} has spikes of neurons that it does not have")

    def test_residuals_are_aligned_with_spikes(self, case: str) -> None:
        """Residuals, if a device has them, are one per spike of every spiking population; currents finite."""
        bench = self.bench(case)
        trace = bench.forward()
        names = {item.name for item in bench.program.populations if item.kind == "spiking"}
        if trace.residuals is None:
            return
        found = trace.residuals
        demand(set(found) == names, f"residuals of {sorted(found)}, expected {sorted(names)}")
        for name, columns in found.items():
            for kind, values in columns.items():
                demand(values.shape == (len(trace.spikes[name]),), f"{kind} of {name} is not one per spike")
                demand(kind != "current" or bool(np.isfinite(values).all()), f"{kind} of {name} not finite")

    def test_a_run_can_be_repeated(self, case: str) -> None:
        """The same stimulus and seed give the same spikes, on this machine and on another one like it."""
        bench, other = self.bench(case), self.bench(case)
        first = bench.forward()
        for again in (bench.forward(), other.forward()):
            fault = first_difference(again, first, bench.program, self.tolerance.repeat)
            demand(not fault, f"a second run differs; {fault}")

    def test_samples_do_not_depend_on_each_other(self, case: str) -> None:
        """A sample alone has the spikes that it has in a batch."""
        bench = self.bench(case)
        whole = bench.forward()
        for sample in range(bench.stimulus.batch):
            alone = bench.machine.forward(one_sample(bench.stimulus, sample), seed=0)
            spikes = {name: one_sample(events, sample) for name, events in whole.spikes.items()}
            part = Trace(spikes, None)
            fault = first_difference(alone, part, bench.program, self.tolerance.batch)
            demand(not fault, f"sample {sample} alone differs from the same in a batch; {fault}")

    def test_a_batch_of_one_without_spikes_runs(self, case: str) -> None:
        """No input at all is a stimulus like any other; its trace has one sample and empty sources."""
        bench = self.bench(case)
        trace = bench.machine.forward(silence(1), seed=0)
        demand(trace.batch == 1, f"the trace has {trace.batch} samples, not 1")
        for item in bench.program.populations:
            if item.kind == "source":
                demand(len(trace.spikes[item.name]) == 0, f"{item.name} has spikes that were not given")

    def test_a_network_without_a_source_runs(self) -> None:
        """A network without input runs: it spikes by a constant current, or is silent without one."""
        device = self.device()
        for case in (DRIVEN, STILL):
            try:
                program = self.compile(case, device)
            except NetdescError:
                continue
            trace = device.load(program, seed=0).forward(silence(2), seed=0)
            demand(trace.batch == 2, f"the trace has {trace.batch} samples, not 2")
            demand(set(trace.spikes) == {"output"}, f"spikes of {sorted(trace.spikes)}, expected output")
            found = trace.spikes["output"].first_spikes(1)
            wanted = 20.0 * np.log(2.0) if case is DRIVEN else np.inf
            near = np.isclose(found, wanted, rtol=0.0, atol=max(self.tolerance.spike_time, 1e-6))
            demand(bool(near.all()), f"first spikes at {found.ravel()} ms, expected {wanted:g} ms")
            return
        pytest.skip("the device has no LIF")

    def test_a_spike_of_no_source_is_refused(self, case: str) -> None:
        """A stimulus for a neuron that is not a source raises an error; the spike is not left out."""
        bench = self.bench(case)
        wrong = Events(np.array([1.0]), np.array([bench.program.size - 1]), np.array([0, 1]))
        with pytest.raises(NetdescError):
            bench.machine.forward(wrong, seed=0)

    def test_every_delivery_is_accounted_for(self, case: str) -> None:
        """``health``: arrivals, deliveries in flight and dropped ones are together spikes times synapses."""
        bench = self.bench(case)
        trace = bench.forward()
        missing = {"arrivals", "in_flight"} - set(trace.health)
        demand(not missing, f"health lacks {sorted(missing)}")
        counted = sum(trace.health.get(name, 0) for name in ("arrivals", "in_flight", "dropped"))
        sent = count_deliveries(bench, trace)
        demand(counted == sent, f"health accounts for {counted} deliveries of {sent}: {dict(trace.health)}")

    def test_provenance_says_what_ran(self, case: str) -> None:
        """``provenance`` names the backend and its solver."""
        provenance = self.bench(case).forward().provenance
        demand(provenance.get("backend") == self.device().name, "provenance['backend'] must be the name")
        demand(bool(provenance.get("solver")), "provenance['solver'] must describe how time was advanced")


def count_deliveries(bench: Bench, trace: Trace) -> int:
    """Count spikes times the synapses that leave their neurons."""
    total = 0
    for block in bench.program.blocks:
        events = trace.spikes[bench.program.populations[block.pre].name]
        total += int(np.diff(block.sparse()[0])[events.sources].sum())
    return total


class PhysicsChecks(Subject):
    """A device agrees with the reference simulator, within the tolerance that it claims."""

    def test_spikes_agree_with_the_reference(self, case: str) -> None:
        """No spike is missing, too many or too far away, for the parameters that the device reports."""
        bench = self.bench(case)
        fault = misfit(bench, bench.forward(), self.tolerance)
        demand(not fault, fault)

    def test_silence_agrees_with_the_reference(self, case: str) -> None:
        """Without input, only currents and initial states cause spikes."""
        bench = self.bench(case)
        empty = silence(bench.stimulus.batch)
        fault = misfit(bench, bench.machine.forward(empty, seed=0), self.tolerance, empty)
        demand(not fault, fault)

    def test_currents_agree_with_the_reference(self, case: str) -> None:
        """Currents just before spikes agree with the reference, if the device reports them."""
        bench = self.bench(case)
        trace = bench.forward()
        for name, wanted in expect(bench, trace).currents.items():
            found = (trace.residuals or {}).get(name, {}).get("current")
            if found is None or len(found) != len(wanted):
                continue
            off = float(np.abs(found - wanted).max(initial=0.0))
            allowed = self.tolerance.current * float(np.abs(wanted).max(initial=1.0))
            demand(off <= allowed, f"a current of {name} deviates by {off:g}; the tolerance is {allowed:g}")
