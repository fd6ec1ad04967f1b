"""One run of the cortical microcircuit in NEST, from a description in JSON on the standard input.

The description has populations and projections with all numbers in NEST's units; the answer is a line of
JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from time import perf_counter, process_time
from typing import Any

import nest


def build(given: dict[str, Any]) -> dict[str, Any]:
    """Create and connect everything; return what records the spikes of each population."""
    nest.ResetKernel()
    nest.resolution = given["step"]
    nest.local_num_threads = given["threads"]
    nest.rng_seed = given["seed"]
    cells = {}
    for name, item in given["populations"].items():
        cells[name] = nest.Create("iaf_psc_exp", item["size"], params=item["parameters"])
        cells[name].V_m = nest.random.normal(*item["voltage"])
        # a synapse model has room for 134 million connections of a thread
        nest.CopyModel("static_synapse", f"from_{name}")
    for item in given["projections"]:
        low, high = item["delay_bounds"]
        synapse = {
            "synapse_model": f"from_{item['pre']}",
            "weight": nest.random.normal(*item["weight"]),
            "delay": nest.math.redraw(nest.random.normal(*item["delay"]), min=low, max=high),
        }
        rule = {"rule": "fixed_total_number", "N": item["number"]}
        nest.Connect(cells[item["pre"]], cells[item["post"]], rule, synapse)
    recorders = {}
    for name, population in cells.items():
        recorders[name] = nest.Create("spike_recorder")
        nest.Connect(population, recorders[name])
    nest.Prepare()
    return recorders


def main() -> None:
    """Build, run, answer."""
    given = json.load(sys.stdin)
    wall, processor = perf_counter(), process_time()
    recorders = build(given)
    built_wall, built = perf_counter(), process_time()
    nest.Run(given["duration"])
    answer = {
        "build": built - processor,
        "build_wall": built_wall - wall,
        "run": process_time() - built,
        "run_wall": perf_counter() - built_wall,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "spikes": {name: int(recorder.n_events) for name, recorder in recorders.items()},
        "version": f"NEST {nest.__version__}",
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
