"""One neuron with chosen inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netdesc.block import Block
from netdesc.events import Events, Floats
from netdesc.program import PopulationSlice, Program, Stage
from tests.generate.networks import Network

DEFAULTS = {
    "tau_m": 20.0,
    "tau_ref": 0.0,
    "rest": 0.0,
    "threshold": 1.0,
    "reset": 0.0,
    "v_init": 0.0,
    "resistance": 1.0,
    "delay": 0.0,
    "duration": 50.0,
}
"""Used where nothing else is given: as in ``Program.parameters``; the resistance in MOhm, times in ms."""


def one_neuron(
    spikes: Sequence[tuple[float, float]],
    tau_s: Sequence[float] = (5.0,),
    receptors: Sequence[int] | None = None,
    **constants: float,
) -> Network:
    """Make a network of one neuron, population ``cell``, and one source per input spike, ``input``.

    Parameters
    ----------
    spikes : sequence of (time, weight)
        Time in ms; every spike has a synapse of its own.
    tau_s : sequence of float
        Time constants of the synaptic currents in ms, one or two.
    receptors : sequence of int, optional
        Current that each spike enters; all the first where it is absent.
    **constants
        Instead of ``DEFAULTS``.

    Returns
    -------
    Network
        Blocks ``input_to_cell_0`` and, with two currents, ``input_to_cell_1``.
    """
    values = {**DEFAULTS, **constants}
    count, names = len(spikes), ("signed",) if len(tau_s) == 1 else ("excitatory", "inhibitory")
    chosen = np.zeros(count, dtype=np.int64) if receptors is None else np.asarray(receptors, dtype=np.int64)
    weights = np.array([weight for _, weight in spikes])
    parameters: dict[str, Floats] = {
        name: np.array([np.nan] * count + [values[name]])
        for name in DEFAULTS
        if name not in ("resistance", "delay", "duration")
    }
    parameters["tau_s"] = np.array([[np.nan] * len(tau_s)] * count + [list(tau_s)])
    parameters["i_init"] = np.zeros((count + 1, len(tau_s)))
    blocks = []
    for receptor in range(len(tau_s)):
        mine = chosen == receptor
        indptr = np.concatenate(([0], np.cumsum(mine)))
        name = f"input_to_cell_{receptor}"
        blocks.append(
            Block(
                name,
                f"projections.{name}",
                0,
                1,
                count,
                1,
                receptor,
                np.array([values["resistance"]]),
                indptr,
                np.zeros(int(mine.sum()), dtype=np.int64),
                weights[mine],
                np.full(int(mine.sum()), values["delay"]),
                train_weight=True,
                train_delay=True,
            )
        )
    populations = (
        PopulationSlice("input", 0, count, "source", "spike_times", (), False, (count,), {}),
        PopulationSlice("cell", count, count + 1, "spiking", "LIF", names, False, (1,), {}),
    )
    program = Program(
        "one-neuron", values["duration"], 0, populations, tuple(blocks), parameters, (Stage((1,), False),)
    )
    return Network(program, Events.from_lists([[[time] for time, _ in spikes]]))
