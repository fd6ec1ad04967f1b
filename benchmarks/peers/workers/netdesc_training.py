"""Training in netdesc: whole steps over batches that are ready, or whole epochs."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from protocol import Contestant, calibrate, serve

import netdesc
from netdesc.events import Events, Floats
from netdesc.training.garbage import without_old_objects
from netdesc.training.loop import train_batch, train_epoch
from netdesc.training.preparation import build_task, load_machine, require_training
from netdesc.training.signs import Watch
from netdesc.training.tally import Tally
from netdesc.training.task import State, Task, start


def load(settings: dict[str, Any], data: samples.Samples) -> Task:
    """Compile the network and attach the samples."""
    model = netdesc.load(
        settings["network"],
        [
            *(f"{key}={value}" for key, value in settings["overrides"].items()),
            f"training.batch_size={data.batch}",
            f"backends.numba.threads={settings['threads']}",
            f"backends.numba.solver={settings['variant']}",
        ],
    )
    events = Events.from_arrays(data.times, data.channels, data.samples, data.count)
    training = require_training(model.description, "numba")
    machine = load_machine(netdesc.compile(model, "numba"))
    return build_task(
        machine, model.description, training, netdesc.Samples.from_events(events, data.labels.astype(str))
    )


def scale(task: Task, values: Floats, name: str, factor: float) -> Floats:
    """Return parameters with the weights of a projection multiplied by a factor."""
    parameters = {key: np.array(part) for key, part in task.flat.split(values).items()}
    parameters[f"{name}.weight"] *= factor
    return task.flat.join(parameters)


def tune(task: Task, settings: dict[str, Any], stimulus: Events) -> tuple[State, dict[str, float]]:
    """Scale weights until the populations spike as often as wanted; return state and spikes per sample."""
    state, spikes = start(task), dict[str, float]()
    projections = {"hidden": "input", "output": "output"}
    values = np.array(state.values)
    for population, target in settings["targets"].items():

        def count(factor: float, population: str = population, values: Floats = values) -> float:
            task.machine.write(task.flat.split(scale(task, values, projections[population], factor)))
            trace = task.machine.forward(stimulus, seed=0)
            return len(trace.spikes[population]) / stimulus.batch

        gain = calibrate(count, target)
        spikes[population] = count(gain)
        values = scale(task, values, projections[population], gain)
    task.machine.write(task.flat.split(values))
    fresh = start(task)
    return State(0, 0, values, fresh.optimizer, values, 0, ()), spikes


def prepare(settings: dict[str, Any]) -> Contestant:
    """Load and tune the network."""
    data = samples.read(settings)
    task = load(settings, data)
    feed = task.feeds["train"]
    batches = list(feed.batches(np.arange(len(feed)), data.batch))
    # Frequent spikes in a first batch of one sample would be those of that sample alone.
    whole, _ = feed.draw(np.arange(min(len(feed), 150)), 0)
    state, spikes = tune(task, settings, whole)
    watch = Watch(task, state.values)

    def run_batches() -> None:
        nonlocal state
        tally = Tally(task.program)
        with without_old_objects():
            for stimulus, goals in batches:
                state, _ = train_batch(task, state, stimulus, goals=goals, tally=tally)

    def run_epoch() -> None:
        nonlocal state
        with without_old_objects():
            state, _, _ = train_epoch(task, state, watch)

    precision = "float32" if "float32" in settings["variant"] else "float64"
    facts = {"spikes": spikes, "precision": precision, "version": f"netdesc {netdesc.__version__}"}
    return Contestant(run_epoch if settings["epoch"] else run_batches, facts)


if __name__ == "__main__":
    serve(prepare)
