"""Time and memory of building and running a large sparse network.

Each case runs in a process of its own: it compiles the network, lays it out and runs it forward for 20 ms.
The bytes of a synapse are those of the largest resident size minus that of the same case with few synapses.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

import netdesc
from netdesc.training.preparation import load_machine

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "large_network.md"
WEIGHTS: dict[str, Any] = {
    "one weight": 0.02,
    "drawn weights": {"normal": {"mu": 0.02, "sigma": 0.004}},
    "drawn weights and delays": {"normal": {"mu": 0.02, "sigma": 0.004}},
}
DELAYS: dict[str, Any] = {"drawn weights and delays": {"uniform": {"low": "1 ms", "high": "2 ms"}}}
SOLVERS: dict[str, Any] = {
    "grid float32": {"grid": {"timestep": "0.1 ms", "precision": "float32"}},
    "grid float64": {"grid": {"timestep": "0.1 ms"}},
    "event-driven": "event",
}


def describe(neurons: int, synapses: int, weight: str, solver: str) -> dict[str, Any]:
    """Return one population that projects onto itself, with so many synapses from each neuron."""
    return {
        "netdesc": 1,
        "simulation": {"duration": "20 ms", "seed": 1},
        "populations": {
            "n": {
                "size": neurons,
                "neuron": {"LIF": {"tau_mem": "20 ms", "tau_syn": "5 ms", "tau_refrac": "2 ms"}},
                "initial": {"v": {"uniform": {"low": 0, "high": 1.01}}},
            }
        },
        "projections": {
            "nn": {
                "pre": "n",
                "post": "n",
                "connector": {"fixed_probability": {"p": synapses / neurons}},
                "weight": WEIGHTS[weight],
                "delay": DELAYS.get(weight, "1.5 ms"),
            }
        },
        "backends": {"numba": {"solver": SOLVERS[solver]}},
    }


def measure(neurons: int, synapses: int, weight: str, solver: str) -> dict[str, float]:
    """Build and run; return processor seconds of building and of the run, megabytes, synapses and spikes."""
    begin = process_time()
    compiled = netdesc.compile(netdesc.load(describe(neurons, synapses, weight, solver)), "numba")
    load_machine(compiled)
    built = process_time()
    trace = compiled.forward()
    ran = process_time()
    return {
        "build": built - begin,
        "run": ran - built,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "synapses": compiled.program.blocks[0].size,
        "spikes": len(trace.spikes["n"]),
    }


def run_case(neurons: int, synapses: int, weight: str, solver: str) -> dict[str, float]:
    """Measure in a process of its own."""
    arguments = [str(neurons), str(synapses), "--case", weight, solver]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def write_row(neurons: int, synapses: int, weight: str, solver: str) -> str:
    """Measure a case, after one that fills the cache of kernels, and return its line of the table."""
    few = run_case(neurons, 1, weight, solver)
    found = run_case(neurons, synapses, weight, solver)
    extra = 2**20 * (found["memory"] - few["memory"]) / (found["synapses"] - few["synapses"])
    whole = 2**20 * found["memory"] / found["synapses"]
    return (
        f"| {solver} | {weight} | {found['synapses'] / 1e6:.3g} | {found['build']:.1f} | "
        f"{found['run']:.1f} | {found['spikes']:.0f} | **{extra:.1f}** | {whole:.1f} |"
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("neurons", type=int, nargs="?", default=100_000)
    parser.add_argument("synapses", type=int, nargs="?", default=1_000, help="of each neuron")
    parser.add_argument("--solvers", default=",".join(SOLVERS), help=", ".join(SOLVERS))
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(given.neurons, given.synapses, *given.case)))
        return
    rows = [
        write_row(given.neurons, given.synapses, weight, solver)
        for solver in given.solvers.split(",")
        for weight in WEIGHTS
    ]
    text = "\n".join(
        [
            "# A large network",
            "",
            f"`python benchmarks/large_network.py {given.neurons} {given.synapses}`, on "
            f"{platform.machine()}, one thread: {given.neurons} neurons with {given.synapses} synapses each, "
            "20 ms. Processor time of building (reading, drawing, laying out) and of the run; the largest "
            "memory divided by the synapses, without and with what the program itself takes (Python, its "
            "libraries and the neurons).",
            "",
            "| solver | weights | million synapses | building / s | run / s | spikes | bytes per synapse | "
            "of the whole process |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )
    given.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
