"""Forward runs of the balanced network in NEST, which is built again for each."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import nest
import numpy as np
from protocol import Contestant, serve

STEP = 0.1
"""Resolution in ms; a precise model has spikes in between."""

CELL = {
    "tau_m": 20.0,
    "C_m": 200.0,
    "t_ref": 5.0,
    "E_L": -49.0,
    "V_reset": -60.0,
    "V_th": -50.0,
    "tau_syn_ex": 5.0,
    "tau_syn_in": 10.0,
}
EXCITATORY, INHIBITORY = 16.2, -90.0
"""Weights in pA."""


def build(settings: dict[str, Any]) -> Any:
    """Create the cells with their synapses and voltages, and return what records their spikes."""
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = STEP
    nest.local_num_threads = settings["threads"]
    with np.load(settings["arrays"]) as file:
        pre, post, voltages = file["pre"], file["post"], file["voltages"]
    cells = nest.Create(settings["model"], settings["neurons"], params=CELL)
    cells.V_m = voltages
    first = cells[0].global_id
    weights = np.where(pre < settings["neurons"] * 4 // 5, EXCITATORY, INHIBITORY)
    delays = np.full(len(pre), settings["delay"])
    nest.Connect(
        pre + first,
        post + first,
        "one_to_one",
        {"synapse_model": "static_synapse", "weight": weights, "delay": delays},
    )
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Prepare()
    return recorder


def prepare(settings: dict[str, Any]) -> Contestant:
    """Run once and count the spikes."""
    facts = {"spikes": {}, "precision": "float64", "version": f"NEST {nest.__version__}"}

    def run() -> float:
        recorder = build(settings)
        begin = perf_counter()
        nest.Run(settings["duration"])
        seconds = perf_counter() - begin
        nest.Cleanup()
        rate = recorder.n_events / settings["neurons"] / (settings["duration"] / 1e3)
        facts["spikes"] = {"Hz": rate}
        return seconds

    return Contestant(run, facts)


if __name__ == "__main__":
    serve(prepare)
