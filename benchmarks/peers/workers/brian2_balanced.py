"""Forward runs of the balanced network in Brian2, compiled to a C++ program that is started for each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import ms, mV, second
from protocol import Contestant, serve

EQUATIONS = """
dv/dt = (g_e + g_i - (v - v_rest)) / tau_m : volt (unless refractory)
dg_e/dt = -g_e / tau_e : volt
dg_i/dt = -g_i / tau_i : volt
"""
CONSTANTS = {"tau_m": 20 * ms, "tau_e": 5 * ms, "tau_i": 10 * ms, "v_rest": -49 * mV}
EXCITATORY, INHIBITORY = 1.62, -9.0
"""Weights in mV: those in nA times the resistance of the membrane, 100 MOhm."""


def prepare(settings: dict[str, Any]) -> Contestant:
    """Build, compile and run the network."""
    if shutil.which("g++") is None:
        raise SystemExit("error: Brian2 needs a C++ compiler, and g++ is not found")
    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.defaultclock.dt = 0.1 * ms
    brian2.prefs.codegen.max_cache_dir_size = 0
    with np.load(settings["arrays"]) as file:
        pre, post, voltages = file["pre"], file["post"], file["voltages"]
    neurons, excitatory = settings["neurons"], settings["neurons"] * 4 // 5
    cells = brian2.NeuronGroup(
        neurons,
        EQUATIONS,
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * ms,
        method="exact",
        namespace=CONSTANTS,
    )
    cells.v = voltages * mV
    parts = []
    for chosen, name, weight in (
        (pre < excitatory, "g_e", EXCITATORY),
        (pre >= excitatory, "g_i", INHIBITORY),
    ):
        synapses = brian2.Synapses(
            cells,
            cells,
            on_pre=f"{name} += weight",
            delay=settings["delay"] * ms,
            namespace={"weight": weight * mV},
        )
        synapses.connect(i=pre[chosen], j=post[chosen])
        parts.append(synapses)
    monitor = brian2.SpikeMonitor(cells)
    network = brian2.Network(cells, *parts, monitor)
    network.run(settings["duration"] * ms)
    folder = Path(settings["folder"]) / f"brian2_{settings['delay']:g}"
    brian2.device.build(directory=str(folder), compile=True, run=True, with_output=False)
    rate = monitor.num_spikes / neurons / (settings["duration"] * ms / second)

    def run() -> float:
        brian2.device.run(str(folder), with_output=False, run_args=[])
        return float(brian2.device._last_run_time)

    facts = {"spikes": {"Hz": rate}, "precision": "float64", "version": f"Brian2 {brian2.__version__}"}
    return Contestant(run, facts)


if __name__ == "__main__":
    serve(prepare, measured_here=False)
