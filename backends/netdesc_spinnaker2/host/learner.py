"""Learning on the chip: loss, backward run, sum of the gradients, update and broadcast of the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.backend import LearningRule, LearningState, StepReport
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.streams import stream
from netdesc_spinnaker2.board.loading import Stimulus, count_spikes
from netdesc_spinnaker2.board.memory import GAP, LOSS_PROGRAM, STATES
from netdesc_spinnaker2.costs.counting import count_costs, count_health
from netdesc_spinnaker2.host.device import Device
from netdesc_spinnaker2.host.optimizer_memory import arrange, flatten, lay_out_store, split_trained
from netdesc_spinnaker2.host.parameters import Parameters
from netdesc_spinnaker2.host.spike_records import NO_FORCES
from netdesc_spinnaker2.host.stimulus import lay_out_stimulus, round_stimulus
from netdesc_spinnaker2.host.tasks import DEFAULTS, LOSS_DEFAULTS
from netdesc_spinnaker2.programs.loss import Terms, compute_losses
from netdesc_spinnaker2.programs.optimizer import Step, gather, spread, update


class Learner:
    """Loss and optimizers on a board.

    Parameters
    ----------
    device : Device
        Laid out for training, with the loss programs of the rule.
    parameters : Parameters
    rule : LearningRule
        One that ``check_rule`` accepts.
    """

    def __init__(self, device: Device, parameters: Parameters, rule: LearningRule) -> None:
        self.device, self.parameters, self.rule = device, parameters, rule
        self.objective = rule.objectives[0]
        self.numbers = {
            **DEFAULTS[rule.optimizer],
            **{name: float(value) for name, value in rule.options.items() if value is not None},
        }
        self.lane = int(device.emulation.options.profile.payload.value) // 32
        self.store, self.places = lay_out_store(device.emulation, device.program, parameters)
        self.largest, self.scales = self.words()
        self.steps, self.fresh = 0, True
        plan, entry = device.emulation.plan, device.emulation.board.slices
        self.losses = np.flatnonzero(entry["role"] == LOSS_PROGRAM)
        first = {population.name: population.start for population in device.program.populations}
        self.starts = np.array([first[item.population] + item.start for item in plan.slices], dtype=np.int64)
        self.nobody = np.full(len(plan.slices), -1, dtype=np.int64)
        self.outputs = entry["state"][self.losses][:, None] + np.arange(int(entry["size"][self.losses[0]]))
        self.write(parameters.store.values)

    def words(self) -> tuple[Integers, Floats]:
        """Return largest integer and integer steps per unit of weight of every trained synapse."""
        blocks, p = self.device.program.blocks, self.parameters
        largest = np.concatenate([np.full(b.size, p.largest.get(b.weight_key, 0)) for b in blocks])
        steps = np.concatenate([np.full(b.size, p.steps.get(b.weight_key, 1.0)) for b in blocks])
        return largest[self.places], steps[self.places]

    def write(self, values: dict[str, Floats]) -> None:
        """Take over weights that the host has written."""
        flat = np.concatenate([values[block.weight_key] for block in self.device.program.blocks])
        self.store.weight[:] = flat[self.places]
        self.fresh = True

    def learn(self, stimulus: Events, targets: Integers | None, *, factor: float) -> StepReport:
        """Take one step; see ``netdesc.backend.OnDeviceLearning``."""
        device, batch = self.device, stimulus.batch
        labels = self.labels(targets, batch)
        sources, moved = round_stimulus(
            device.program, stimulus, device.emulation.options.scheme, device.emulation.options.step
        )
        loaded = lay_out_stimulus(device.emulation, device.program, sources, labels, batch=batch)
        device.reset_counts(batch)
        self.store.gradient[:] = 0
        rounds = [
            self.run_round(first, batch, loaded) for first in range(0, batch, device.emulation.plan.copies)
        ]
        self.take_step(factor)
        values, times = (np.concatenate(parts) for parts in zip(*((v, t) for v, t, _ in rounds), strict=True))
        spikes = np.sum([counts for _, _, counts in rounds], axis=0)
        return self.report(labels, values, times, spikes, moved)

    def labels(self, targets: Integers | None, batch: int) -> Integers:
        """Return the label of every sample."""
        size = self.device.program.population(self.objective.population).size
        given = self.objective.options.get("target") if targets is None else targets
        if given is None:
            raise NumericsError(
                "time_to_first_spike needs labels; give the loss a target, or the model a dataset"
            )
        labels = np.broadcast_to(np.asarray(given, dtype=np.int64), (batch,))
        if len(labels) and (labels.min() < 0 or labels.max() >= size):
            raise NumericsError(f"a label is outside 0 to {size - 1}")
        return labels

    def run_round(
        self, first: int, batch: int, loaded: Stimulus
    ) -> tuple[NDArray[np.float32], Floats, Integers]:
        """Run samples forward and backward and add their gradients; losses, first spikes, spike counts."""
        device = self.device
        device.run_round(first, batch, loaded)
        e = device.emulation
        compute_losses(self.losses, device.samples, e.board, e.losses, self.terms(batch))
        ran = device.samples[e.board.slices["copy"][self.losses]] >= 0
        active = self.losses[ran]
        values = e.losses.value[active] - self.lift(active)
        counts = np.zeros(device.program.size, dtype=np.int64)
        count_spikes(0, e.plan.copies * e.each, device.samples, self.starts, e.board, counts)
        device.run_back(NO_FORCES, self.nobody)
        e = device.emulation
        gather(device.samples >= 0, self.lane, e.board, e.table.ports, self.store)
        span = self.outputs[ran]
        ticks = e.losses.tick[span]
        times = np.where(ticks < 0, np.inf, ticks + e.losses.fraction[span].astype(np.float64))
        return values, times * e.options.step, counts

    def lift(self, losses: Integers) -> NDArray[np.float32]:
        """Return ``pull u / gap`` of the label's neuron where it is silent, 0 elsewhere, as the host has it.

        Parameters
        ----------
        losses : ndarray of int64
            Slices.
        """
        e, result = self.device.emulation, np.zeros(len(losses), dtype=np.float32)
        pull = {**LOSS_DEFAULTS, **self.objective.options}["pull"]
        if pull == 0.0:
            return result
        layers = [
            item
            for item in e.plan.slices[: e.each]
            if item.role == "layer" and item.population == self.objective.population
        ]
        for x, s in enumerate(losses):
            label = int(e.losses.label[s])
            if e.losses.tick[e.board.slices["state"][s] + label] >= 0:
                continue
            item = next(item for item in layers if item.start <= label < item.stop)
            entry = e.board.slices[item.index + e.board.slices["copy"][s] * e.each]
            voltage = e.board.state[STATES * entry["state"] + label - item.start]
            result[x] = np.float32(pull) * voltage / e.board.numbers[GAP, entry["cell"] + label - item.start]
        return result

    def terms(self, batch: int) -> Terms:
        """Return the constants of the loss."""
        options = {**LOSS_DEFAULTS, **self.objective.options}
        times = (self.device.program.duration, self.device.emulation.options.step)
        values = (*(options[name] for name in ("tau_0", "tau_1", "alpha")), *times, options["pull"])
        return Terms(*map(np.float32, (*values, self.objective.weight / batch)))

    def take_step(self, factor: float) -> None:
        """Update the weights and broadcast them."""
        n, adam = self.numbers, self.rule.optimizer != "sgd"
        self.steps += 1
        beta_1 = n["beta_1"] if adam else n["momentum"]
        beta_2 = n["beta_2"] if adam else 0.0
        decay = n.get("weight_decay", 0.0) if self.rule.optimizer == "adamw" else 0.0
        correct = (1.0 / (1.0 - beta_1**self.steps), 1.0 / (1.0 - beta_2**self.steps)) if adam else (1.0, 1.0)
        rates = (n["learning_rate"] * factor, beta_1, 1.0 - beta_1, beta_2, 1.0 - beta_2)
        step = Step(adam, *map(np.float32, (*rates, n.get("epsilon", 0.0), decay, *correct)))
        update(0, len(self.store.weight), self.store, step)
        if not np.isfinite(self.store.weight).all():
            raise NumericsError("a weight is not finite after the update; lower the learning rate")
        self.broadcast()

    def broadcast(self) -> None:
        """Send the weights of the optimizers to all copies.

        Stochastic rounding draws by the number of the step, so that a run that is resumed goes on as before.
        """
        e = self.device.emulation
        stochastic = bool(np.any(self.largest)) and e.options.rounding == "stochastic"
        dither = (
            stream(self.parameters.seed, f"rounding.{self.steps}").random(len(self.places))
            if stochastic
            else np.empty(0)
        )
        spread(self.lane, self.largest, self.scales, dither, e.board, e.table.ports, self.store)
        self.fresh = False

    def rounding(self) -> dict[str, int]:
        """Return how many weights of the optimizers are 0 as words, and how many lie beyond the words."""
        if not np.any(self.largest):
            return {}
        steps = np.abs(self.store.weight * self.scales)
        return {
            "weights_zeroed": int(np.sum((np.rint(steps) == 0.0) & (self.store.weight != 0.0))),
            "weights_saturated": int(np.sum(steps > self.largest + 0.5)),
        }

    def report(
        self, labels: Integers, values: NDArray[np.float32], times: Floats, spikes: Integers, moved: int
    ) -> StepReport:
        """Put the report of a step together."""
        program, e = self.device.program, self.device.emulation
        earliest = times.min(axis=1)
        predictions = np.where(np.isfinite(earliest), times.argmin(axis=1), -1)
        ties = np.isfinite(earliest) & (np.sum(times == earliest[:, None], axis=1) > 1)
        target_times = times[np.arange(len(labels)), labels]
        return StepReport(
            loss=float(values.astype(np.float64).mean()) * self.objective.weight,
            correct=predictions == labels,
            predictions=predictions,
            ties=ties,
            silent_targets=int(np.sum(~np.isfinite(target_times))),
            silent_neurons=sum(
                int(np.sum(spikes[p.start : p.stop] == 0)) for p in program.populations if p.kind == "spiking"
            ),
            spikes={
                p.name: int(spikes[p.start : p.stop].sum())
                for p in program.populations
                if p.kind != "readout"
            },
            health={**count_health(e), **self.rounding(), "inputs_moved": moved},
            costs=count_costs(e, len(labels), learns=True).values,
        )

    @property
    def moments(self) -> dict[str, NDArray[np.float32]]:
        """Moments of the optimizer by name."""
        if self.rule.optimizer == "sgd":
            return {"velocity": self.store.moment_1}
        return {"first": self.store.moment_1, "second": self.store.moment_2}

    def state(self) -> LearningState:
        """Read weights and moments back; see ``netdesc.backend.OnDeviceLearning``."""
        program, moments = self.device.program, self.moments
        return LearningState(
            self.steps,
            arrange(program, self.places, self.store.weight),
            {name: arrange(program, self.places, column) for name, column in moments.items()},
        )

    def restore(self, state: LearningState) -> None:
        """Write weights and moments; see ``netdesc.backend.OnDeviceLearning``."""
        for values in (state.parameters, *(state.moments.get(name, {}) for name in self.moments)):
            for block in self.device.program.blocks:
                given = values.get(block.weight_key, np.empty(0))
                if block.train_weight and (np.shape(given) != (block.size,) or not np.isfinite(given).all()):
                    raise NumericsError(
                        f"the state of {block.weight_key} is missing, has another size, or is not finite"
                    )
        self.steps = state.steps
        self.store.weight[:] = flatten(self.device.program, self.places, state.parameters)
        for name, column in self.moments.items():
            column[:] = flatten(self.device.program, self.places, state.moments[name])
        self.broadcast()

    def read_back(self) -> None:
        """Read the weights on the chip back where the host does not have them."""
        if self.fresh:
            return
        self.fresh = True
        board, parameters = self.device.emulation, self.parameters
        parameters.store.values.update(arrange(self.device.program, self.places, self.store.weight))
        scale, template = parameters.scale(), board.template
        held = np.zeros(len(scale))
        held[template.weight_order] = board.board.weight[: len(template.weight_order)]
        held /= np.where(scale == 0.0, 1.0, scale)
        parameters.held.update(split_trained(self.device.program, held))
