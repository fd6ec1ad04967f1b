"""A program on an emulated board: forward, adjoint, and learning on the chip."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.adjoint.host import first_forces
from netdesc.adjoint.stage_spikes import check_trace, require_residuals
from netdesc.backend import LearningRule, LearningState, StepReport
from netdesc.dynamics.tick import OFF_GRID, PUBLISHED
from netdesc.errors import BackendError, Diagnostic
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.trace import Cotangent, Trace, require_finite
from netdesc_spinnaker2.board.assembly import build, load_weights
from netdesc_spinnaker2.board.loading import read_forces
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.costs.counting import count_costs, count_health
from netdesc_spinnaker2.host.device import Device, check_cells
from netdesc_spinnaker2.host.final_voltages import add_last_voltages, last_voltage_forces, read_states, watch
from netdesc_spinnaker2.host.learner import Learner
from netdesc_spinnaker2.host.parameters import Parameters
from netdesc_spinnaker2.host.readout import SLOPE, collect
from netdesc_spinnaker2.host.spike_records import slice_holders, sort_forces, sort_spikes, write_records
from netdesc_spinnaker2.host.stimulus import lay_out_stimulus, round_stimulus
from netdesc_spinnaker2.host.tasks import check_rule
from netdesc_spinnaker2.mapping.pipeline import lay_out_program, outputs_of
from netdesc_spinnaker2.mapping.plan import Plan
from netdesc_spinnaker2.options import Options


class Machine:
    """A program on an emulated board.

    Parameters
    ----------
    program : Program
    options : Options
    seed : int
        Of stochastic rounding.

    Raises
    ------
    LimitError
        With every limit of the machine that the program exceeds.
    BackendError
        If a cell is not one that the programs can run.
    """

    def __init__(self, program: Program, options: Options, *, seed: int = 0) -> None:
        self.program = program
        self.options = options
        self.parameters = Parameters(program, options, seed)
        self.outputs = outputs_of(program)
        self.training = any(block.train_weight for block in program.blocks) and options.training is not False
        self.device = self.map_out()
        self.learner: Learner | None = None

    def map_out(self, router: Router | None = None) -> Device:
        """Lay the program out again and load it.

        Parameters
        ----------
        router : Router or None
            With tables other than those of the plan.
        """
        program, options = watch(self.parameters.program()), self.options
        plan = lay_out_program(program, options, self.outputs, training=self.training)
        check_cells(program)
        tables = router or Router(plan.tables, int(options.profile.board_width.value), options.height)
        emulation = build(program, plan, tables, options, self.parameters.ticks(), training=self.training)
        load_weights(emulation, self.parameters.potentials())
        return Device(program, emulation, np.full(plan.copies, -1, dtype=np.int64))

    @property
    def plan(self) -> Plan:
        """The map."""
        return self.device.emulation.plan

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``Machine``. Delays are rounded to ticks, at least one."""
        rewire = self.parameters.write(parameters)
        if rewire:
            self.device, self.learner = self.map_out(), None
        else:
            load_weights(self.device.emulation, self.parameters.potentials())
            if self.learner is not None:
                self.learner.write(self.parameters.store.values)

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine``. Nothing here is random."""
        self.synchronize()
        device, batch = self.device, stimulus.batch
        sources, moved = round_stimulus(self.program, stimulus, self.options.scheme, self.options.step)
        parts = device.run(
            lay_out_stimulus(device.emulation, self.program, sources, None, batch=batch), batch
        )
        found = collect(parts, device.emulation, self.program, batch)
        spikes = {**sources, **{name: events for name, (events, _) in found.items()}}
        health = count_health(device.emulation)
        costs = count_costs(device.emulation, batch, learns=False)
        names = [population.name for population in self.program.populations if population.name in spikes]
        samples, readings = read_states(parts[0][0], device.emulation, self.program, spikes)
        trace = Trace(
            spikes={name: spikes[name] for name in names},
            residuals={name: residuals for name, (_, residuals) in found.items()},
            recordings=samples,
            effective_parameters=self.parameters.as_run(),
            health={
                **health,
                "inputs_moved": moved,
                "dropped": self.missing(spikes, health),
                **self.parameters.rounding(),
            },
            costs=costs.values,
            provenance={
                "backend": "spinnaker2",
                "solver": f"packets, tick {self.options.step:g} ms, {self.options.scheme}, "
                f"{self.options.weights} weights",
                **costs.places,
            },
            readings=readings,
            batch_size=batch,
        )
        return require_finite(trace)

    def missing(self, spikes: Mapping[str, Events], health: Mapping[str, int]) -> int:
        """Return the synaptic events that the network would have had and the board had not."""
        names = [population.name for population in self.program.populations]
        expected = sum(
            block.count_synapses(spikes[names[block.pre]].sources)
            for block in self.program.blocks
            if names[block.pre] in spikes
        )
        return max(0, expected - health["arrivals"] - health["in_flight"])

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Run the adjoint; see ``netdesc.backend.Machine``.

        Losses that end at outputs are sent as loss packets; for other populations the host writes them.
        """
        check_trace(self.program, trace)
        if self.options.scheme == PUBLISHED:
            spiking = [p.name for p in self.program.populations if p.kind == "spiking"]
            require_residuals(trace, spiking, [SLOPE])
        forces = first_forces(self.program, trace, cotangent)
        by_voltage = last_voltage_forces(self.program, trace, cotangent, self.outputs)
        self.require_training()
        self.synchronize()
        device = self.device
        e, step = device.emulation, self.options.step
        names = [name for name in (p.name for p in self.program.populations) if name in trace.spikes]
        values = np.concatenate(
            [forces[k] for k, p in enumerate(self.program.populations) if p.name in trace.spikes]
        )
        layers, losses = slice_holders(e, ("input", "layer")), slice_holders(e, ("loss",))
        recipients = {**layers, **losses}
        by_slice = sort_forces(
            sort_spikes(trace.spikes, self.program, recipients, e.each, step, batch=trace.batch),
            values,
            e.board.slices["role"][: e.each] == 2,
        )
        top = e.rules.steps + (0 if self.options.scheme == OFF_GRID else 1)
        by_slice = add_last_voltages(by_slice, by_voltage, losses, e.each, top)
        recipient = np.full(len(e.plan.slices), -1, dtype=np.int64)
        for _, numbers in recipients.values():
            for copy in range(e.plan.copies):
                recipient[copy * e.each + numbers] = numbers
        ordered = sort_spikes(trace.spikes, self.program, layers, e.each, step, batch=trace.batch)
        back = np.zeros(len(ordered.order), dtype=np.float32)
        total = np.zeros(len(e.template.gradient_order))
        records = write_records(ordered, trace, e, self.program)
        device.reset_counts(trace.batch)
        for first in range(0, trace.batch, e.plan.copies):
            device.replay(first, trace.batch, records)
            device.run_back(by_slice, recipient)
            e = device.emulation
            read_forces(0, e.plan.copies * e.each, device.samples, e.each, ordered.first, e.board, back)
            rows = e.board.gradient.reshape(e.plan.copies, -1)[device.samples >= 0]
            total += rows.sum(axis=0, dtype=np.float64)
        flat = np.zeros(len(values))
        flat[ordered.order] = back
        ends = np.cumsum([len(trace.spikes[name]) for name in names])
        times = {
            name: part
            for name, part in zip(names, np.split(flat, ends)[:-1], strict=True)
            if self.options.input_errors or self.program.population(name).kind != "source"
        }
        return Gradient(self.parameters.by_key(e.template.gradient_order, total), times, {}, count_health(e))

    def require_training(self) -> None:
        """Lay the program out for training where it is not.

        Raises
        ------
        BackendError
            If the options exclude it.
        """
        if self.training:
            return
        if self.options.training is False:
            message = "the network is mapped for inference only; remove training: false"
            raise BackendError(Diagnostic(message, "backends.spinnaker2.training", "S2-OPTION"))
        self.training = True
        self.device = self.map_out()

    def prepare(self, rule: LearningRule) -> None:
        """Put loss and optimizer on the chip; see ``netdesc.backend.OnDeviceLearning``."""
        check_rule(rule, self.program, self.options)
        self.synchronize()
        self.require_training()
        wanted = (rule.objectives[0].population,)
        if wanted != self.outputs:
            self.outputs = wanted
            self.device = self.map_out()
        self.learner = Learner(self.device, self.parameters, rule)

    def learn(
        self, stimulus: Events, targets: Integers | None, *, seed: int, factor: float = 1.0
    ) -> StepReport:
        """Take one step of learning; see ``netdesc.backend.OnDeviceLearning``. The seed has no use."""
        return self.require_learner().learn(stimulus, targets, factor=factor)

    def require_learner(self) -> Learner:
        """Return the learner; raise BackendError where nothing was prepared."""
        if self.learner is None:
            raise BackendError("no rule is prepared; call prepare before learning")
        return self.learner

    def state(self) -> LearningState:
        """Read back what was learned; see ``netdesc.backend.OnDeviceLearning``."""
        return self.require_learner().state()

    def restore(self, state: LearningState) -> None:
        """Put back what was learned; see ``netdesc.backend.OnDeviceLearning``."""
        self.require_learner().restore(state)

    def synchronize(self) -> None:
        """Read the weights back that were learned on the chip."""
        if self.learner is not None:
            self.learner.read_back()
