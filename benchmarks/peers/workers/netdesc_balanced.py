"""Forward runs of the balanced network in netdesc, each from the start."""

from __future__ import annotations

from typing import Any

import numpy as np
from protocol import Contestant, serve

import netdesc
from netdesc.events import Events
from netdesc.training.preparation import load_machine


def prepare(settings: dict[str, Any]) -> Contestant:
    """Load the network."""
    model = netdesc.load(
        settings["network"],
        [
            *(f"{key}={value}" for key, value in settings["overrides"].items()),
            f"backends.numba.threads={settings['threads']}",
            f"backends.numba.solver={settings['variant']}",
        ],
    )
    machine = load_machine(netdesc.compile(model, "numba"))
    nothing = Events.from_arrays(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 1)
    seconds = settings["duration"] / 1e3
    rate = len(machine.forward(nothing, seed=0).spikes["cells"]) / settings["neurons"] / seconds

    def run() -> None:
        machine.forward(nothing, seed=0)

    facts = {
        "spikes": {"Hz": rate},
        "precision": "float64",
        "version": f"netdesc {netdesc.__version__}",
    }
    return Contestant(run, facts)


if __name__ == "__main__":
    serve(prepare)
