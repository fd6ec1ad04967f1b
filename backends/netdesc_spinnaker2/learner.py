"""Learning on the chip: loss, backward run, sum of the gradients, update and broadcast of the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.backend import LearningState, Lesson, Objective, StepReport
from netdesc.errors import BackendError, Diagnostic, NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.streams import stream
from netdesc_spinnaker2.emulator_board import Emulation
from netdesc_spinnaker2.emulator_device import Device
from netdesc_spinnaker2.emulator_host import NO_TOLD, round_stimulus
from netdesc_spinnaker2.emulator_memory import GAP, U
from netdesc_spinnaker2.emulator_parameters import Parameters
from netdesc_spinnaker2.emulator_report import count_health, sum_costs
from netdesc_spinnaker2.emulator_run import count_spikes
from netdesc_spinnaker2.layout import outputs_of
from netdesc_spinnaker2.learning import Step, Store, Terms, gather, judge_all, spread, update
from netdesc_spinnaker2.options import Options

DEFAULTS = {
    "adam": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    "adamw": {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
    "sgd": {"learning_rate": 1e-3, "momentum": 0.0},
}
"""Numbers of the optimizers where a lesson leaves them out."""

LOSS_DEFAULTS = {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.003, "pull": 0.0}


def default_lesson(program: Program, options: Options) -> Lesson:
    """Return the first-spike loss on the outputs, and the optimizer of the options.

    Raises
    ------
    BackendError
        If there is not exactly one population of outputs.
    """
    outputs = outputs_of(program)
    if len(outputs) != 1:
        raise BackendError("learning needs to know which population the loss reads; give it a lesson")
    objective = Objective("time_to_first_spike", outputs[0], 1.0, dict(LOSS_DEFAULTS))
    return Lesson((objective,), options.optimizer, dict(DEFAULTS[options.optimizer]))


def check_lesson(lesson: Lesson, program: Program, options: Options) -> None:
    """Raise BackendError with everything that the chip cannot do of a lesson."""
    faults = []
    if len(lesson.objectives) != 1:
        faults.append(
            Diagnostic(
                "the chip computes one loss; leave one, or train with on_device: false", "losses", "S2-LOSS"
            )
        )
    for item in lesson.objectives:
        if item.kind != "time_to_first_spike":
            faults.append(
                Diagnostic(
                    f"the loss program has no {item.kind}; use time_to_first_spike, or on_device: false",
                    "losses",
                    "S2-LOSS",
                )
            )
    if lesson.optimizer not in DEFAULTS:
        faults.append(
            Diagnostic(
                f"the optimizer program has no {lesson.optimizer}; use one of {', '.join(DEFAULTS)}",
                "training.optimizer",
                "S2-TRAIN",
            )
        )
    elif lesson.optimizer != "sgd" and options.optimizer == "sgd":
        faults.append(
            Diagnostic(
                f"the map has no room for the moments of {lesson.optimizer}; set "
                f"backends.spinnaker2.optimizer: {lesson.optimizer}",
                "training.optimizer",
                "S2-SRAM",
            )
        )
    elif options.optimizer == "sgd" and float(lesson.options.get("momentum", 0.0)) != 0.0:
        faults.append(
            Diagnostic(
                "the map has no room for a velocity; set backends.spinnaker2.optimizer: adam",
                "training.optimizer.sgd.momentum",
                "S2-SRAM",
            )
        )
    if not any(block.train_weight for block in program.blocks):
        faults.append(Diagnostic("nothing is to be trained; mark a weight with train: true", "projections"))
    if faults:
        raise BackendError(faults)


class Learner:
    """Loss and optimizers on a board.

    Parameters
    ----------
    device : Device
        Laid out for training, with the loss programs of the lesson.
    parameters : Parameters
    lesson : Lesson
        One that ``check_lesson`` accepts.
    """

    def __init__(self, device: Device, parameters: Parameters, lesson: Lesson) -> None:
        self.device, self.parameters, self.lesson = device, parameters, lesson
        self.objective = lesson.objectives[0]
        self.numbers = {
            **DEFAULTS[lesson.optimizer],
            **{name: float(value) for name, value in lesson.options.items() if value is not None},
        }
        self.lane = int(device.emulation.options.profile.payload.value) // 32
        self.store, self.places = lay_out_store(device.emulation, device.program, parameters)
        self.largest, self.scales = self.words()
        self.steps, self.fresh = 0, True
        self.write(parameters.values)

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

    def learn(self, stimulus: Events, targets: Integers | None, *, seed: int, factor: float) -> StepReport:
        """Take one step; see ``netdesc.backend.OnDeviceLearning``."""
        device, batch = self.device, stimulus.batch
        labels = self.labels(targets, batch)
        sources, moved = round_stimulus(
            device.program, stimulus, device.emulation.options.scheme, device.emulation.options.step
        )
        loaded = device.stimulate(sources, labels)
        device.reset_counts(batch)
        self.store.gradient[:] = 0
        rounds = [
            self.run_round(first, batch, loaded) for first in range(0, batch, device.emulation.plan.copies)
        ]
        self.take_step(factor, seed)
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
        self, first: int, batch: int, loaded: object
    ) -> tuple[NDArray[np.float32], Floats, Integers]:
        """Run samples forward and backward and add their gradients; losses, first spikes, spike counts."""
        device = self.device
        device.run_round(first, batch, loaded)  # type: ignore[arg-type]
        e = device.emulation
        losses = np.flatnonzero(e.board.sheet["role"] == 2)
        judge_all(losses, device.samples, e.board, e.verdicts, self.terms(batch))
        active = losses[device.samples[e.board.sheet["copy"][losses]] >= 0]
        values = e.verdicts.value[active] - self.lift(active)
        counts = np.zeros(device.program.size, dtype=np.int64)
        starts = np.array(
            [device.program.population(item.population).start + item.start for item in e.plan.slices],
            dtype=np.int64,
        )
        count_spikes(0, e.plan.copies * e.each, device.samples, starts, e.board, counts)
        device.run_back(NO_TOLD, np.full(len(e.plan.slices), -1, dtype=np.int64))
        e = device.emulation
        gather(device.samples >= 0, self.lane, e.board, e.table.ports, self.store)  # type: ignore[arg-type]
        span = e.board.sheet["state"][active][:, None] + np.arange(int(e.board.sheet["size"][losses[0]]))
        ticks = e.verdicts.tick[span]
        times = np.where(ticks < 0, np.inf, ticks + e.verdicts.fraction[span].astype(np.float64))
        return values, times * e.options.step, counts

    def lift(self, losses: Integers) -> NDArray[np.float32]:
        """Return ``pull u / gap`` of the label's neuron where it is silent, 0 elsewhere; as the host reads it.

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
            label = int(e.verdicts.label[s])
            if e.verdicts.tick[e.board.sheet["state"][s] + label] >= 0:
                continue
            item = next(item for item in layers if item.start <= label < item.stop)
            sheet = e.board.sheet[item.index + e.board.sheet["copy"][s] * e.each]
            voltage = e.board.state[U, sheet["state"] + label - item.start]
            result[x] = np.float32(pull) * voltage / e.board.numbers[GAP, sheet["cell"] + label - item.start]
        return result

    def terms(self, batch: int) -> Terms:
        """Return the constants of the loss."""
        options = {**LOSS_DEFAULTS, **self.objective.options}
        return Terms(
            *(
                np.float32(value)
                for value in (
                    options["tau_0"],
                    options["tau_1"],
                    options["alpha"],
                    self.device.program.duration,
                    self.device.emulation.options.step,
                    options["pull"],
                    self.objective.weight / batch,
                )
            )
        )

    def take_step(self, factor: float, seed: int) -> None:
        """Update the weights and broadcast them."""
        n, adam = self.numbers, self.lesson.optimizer != "sgd"
        self.steps += 1
        beta_1 = n["beta_1"] if adam else n["momentum"]
        beta_2 = n["beta_2"] if adam else 0.0
        decay = n.get("weight_decay", 0.0) if self.lesson.optimizer == "adamw" else 0.0
        correct = (1.0 / (1.0 - beta_1**self.steps), 1.0 / (1.0 - beta_2**self.steps)) if adam else (1.0, 1.0)
        update(
            0,
            len(self.store.weight),
            self.store,
            Step(
                adam,
                *(
                    np.float32(value)
                    for value in (
                        n["learning_rate"] * factor,
                        beta_1,
                        1.0 - beta_1,
                        beta_2,
                        1.0 - beta_2,
                        n.get("epsilon", 0.0),
                        decay,
                        *correct,
                    )
                ),
            ),
        )
        if not np.isfinite(self.store.weight).all():
            raise NumericsError("a weight is not finite after the update; lower the learning rate")
        self.broadcast(seed)

    def broadcast(self, seed: int) -> None:
        """Send the weights of the optimizers to all copies."""
        e = self.device.emulation
        stochastic = bool(np.any(self.largest)) and e.options.rounding == "stochastic"
        dither = (
            stream(seed, f"rounding.{self.steps}").random(len(self.places)) if stochastic else np.empty(0)
        )
        spread(self.lane, self.largest, self.scales, dither, e.board, e.table.ports, self.store)
        self.fresh = False

    def report(
        self, labels: Integers, values: NDArray[np.float32], times: Floats, spikes: Integers, moved: int
    ) -> StepReport:
        """Put together what a step tells."""
        program, e = self.device.program, self.device.emulation
        earliest = times.min(axis=1)
        predictions = np.where(np.isfinite(earliest), times.argmin(axis=1), -1)
        ties = np.isfinite(earliest) & (np.sum(times == earliest[:, None], axis=1) > 1)
        own = times[np.arange(len(labels)), labels]
        return StepReport(
            loss=float(values.astype(np.float64).mean()) * self.objective.weight,
            correct=predictions == labels,
            predictions=predictions,
            ties=ties,
            silent_targets=int(np.sum(~np.isfinite(own))),
            silent_neurons=sum(
                int(np.sum(spikes[p.start : p.stop] == 0)) for p in program.populations if p.kind == "spiking"
            ),
            spikes={
                p.name: int(spikes[p.start : p.stop].sum())
                for p in program.populations
                if p.kind != "readout"
            },
            health={**count_health(e), "inputs_moved": moved},
            costs=sum_costs(e, len(labels), passes=2),
        )

    def state(self) -> LearningState:
        """Read weights and moments back; see ``netdesc.backend.OnDeviceLearning``."""
        names = ("first", "second") if self.lesson.optimizer != "sgd" else ("velocity",)
        columns = (self.store.moment_1, self.store.moment_2)
        return LearningState(
            self.steps,
            self.by_key(self.store.weight),
            {name: self.by_key(column) for name, column in zip(names, columns, strict=False)},
        )

    def restore(self, state: LearningState) -> None:
        """Write weights and moments; see ``netdesc.backend.OnDeviceLearning``."""
        names = ("first", "second") if self.lesson.optimizer != "sgd" else ("velocity",)
        for values in (state.parameters, *(state.moments.get(name, {}) for name in names)):
            for block in self.device.program.blocks:
                if block.train_weight and (
                    np.shape(values.get(block.weight_key)) != (block.size,)  # type: ignore[arg-type]
                    or not np.isfinite(values[block.weight_key]).all()
                ):
                    raise NumericsError(
                        f"the state of {block.weight_key} is missing, has another size, or is not finite"
                    )
        self.steps = state.steps
        self.store.weight[:] = self.flat(state.parameters)
        for name, column in zip(names, (self.store.moment_1, self.store.moment_2), strict=False):
            column[:] = self.flat(state.moments[name])
        self.broadcast(self.steps)

    def flat(self, values: object) -> Floats:
        """Return values by key in the order of the optimizers."""
        blocks = self.device.program.blocks
        return np.concatenate([values[b.weight_key] if b.train_weight else np.zeros(b.size) for b in blocks])[  # type: ignore[index]
            self.places
        ]

    def by_key(self, values: NDArray[np.float32]) -> dict[str, Floats]:
        """Return values in the order of the optimizers by key."""
        blocks = self.device.program.blocks
        flat = np.zeros(sum(block.size for block in blocks))
        flat[self.places] = values
        bounds = np.cumsum([0, *(block.size for block in blocks)])
        return {
            block.weight_key: flat[bounds[k] : bounds[k + 1]]
            for k, block in enumerate(blocks)
            if block.train_weight
        }

    def read_back(self) -> None:
        """Tell the host the weights that are on the chip, where it does not know them."""
        if self.fresh:
            return
        self.fresh = True
        learned, board, parameters = self.by_key(self.store.weight), self.device.emulation, self.parameters
        parameters.values.update(learned)
        held = np.zeros(len(parameters.scale()))
        template = board.template
        held[template.weight_order] = board.board.weight[: len(template.weight_order)]
        held /= np.where(parameters.scale() == 0.0, 1.0, parameters.scale())
        at = 0
        for block in self.device.program.blocks:
            if block.train_weight:
                parameters.held[block.weight_key] = held[at : at + block.size]
            at += block.size


def lay_out_store(emulation: Emulation, program: Program, parameters: Parameters) -> tuple[Store, Integers]:
    """Lay out the memory of the optimizers.

    Parameters
    ----------
    emulation : Emulation
    program : Program
    parameters : Parameters

    Returns
    -------
    store : Store
    places : ndarray of int64
        Number of the synapse of every element.
    """
    template, plan, each = emulation.template, emulation.plan, emulation.each
    begins = np.concatenate(([0], np.cumsum(template.gradients)))
    layers = {
        (item.population, item.start): item.index for item in plan.slices[:each] if item.role == "layer"
    }
    start = np.zeros(len(plan.slices), dtype=np.int64)
    words, orders, weights, places, neurons = [np.zeros(1, dtype=np.int64)], [], [], [], 0
    for item in plan.slices:
        if item.role != "optimizer":
            continue
        t = layers[item.population, item.start]
        span = slice(begins[t], begins[t + 1])
        target = template.gradient_target[span]
        order = np.argsort(target, kind="stable")
        start[item.index] = neurons
        start[t : plan.copies * each : each] = neurons
        words.append(words[-1][-1] + np.cumsum(np.bincount(target, minlength=item.size)))
        orders.append(order)
        weights.append(template.gradient_weight[span][order])
        places.append(template.gradient_order[span][order])
        neurons += item.size
    place = np.concatenate(places)
    low, high = (
        np.concatenate([np.full(b.size, b.weight_bounds[k]) for b in program.blocks])[place] for k in range(2)
    )
    kind = np.float32
    zeros = [np.zeros(len(place), kind) for _ in range(4)]
    store = Store(  # type: ignore[call-arg]
        *zeros,  # type: ignore[arg-type]
        low.astype(kind),
        high.astype(kind),
        parameters.scale()[place].astype(kind),
        np.concatenate(words).astype(np.int64),
        np.concatenate(orders).astype(np.int64),
        np.concatenate(weights).astype(np.int64),
        start,
    )
    return store, place
