"""The cortical microcircuit of Potjans and Diesmann (2014) in netdesc and in NEST: rates, time and memory.

``examples/microcircuit.yaml`` is the one description: NEST gets the numbers that netdesc reads in it. Each
run is a process of its own, on one thread, and the two simulators take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import netdesc

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "microcircuit.md"
FILE = ROOT / "examples" / "microcircuit.yaml"
WORKER = ROOT / "benchmarks" / "peers" / "workers" / "nest_microcircuit.py"
sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))
PUBLISHED = {
    "L23E": (0.971, 0.903), "L23I": (2.868, 2.965), "L4E": (4.746, 4.414), "L4I": (5.396, 5.876),
    "L5E": (8.142, 7.569), "L5I": (9.078, 8.633), "L6E": (0.991, 1.105), "L6I": (7.523, 7.829),
}  # fmt: skip
"""Rates in Hz of full size with Poisson input: of NEST 2's example ``Potjans_2014``, and of INM-6's
``microcircuit-PD14-model``."""

Found = dict[str, Any]


def describe(scale: float, indegree: float, duration: float, seed: int) -> Any:
    """Return the model of a size."""
    changes = {
        "parameters.scale": scale,
        "parameters.indegree": indegree,
        "simulation.duration": f"{duration} ms",
        "simulation.seed": seed,
    }
    return netdesc.load(FILE, changes)


def measure(model: Any) -> Found:
    """Build and run in netdesc; return seconds, megabytes, synapses and spikes."""
    wall, processor = perf_counter(), process_time()
    compiled = netdesc.compile(model, "numba")
    machine = compiled.machine
    stimulus = compiled.stimulate()
    built_wall, built = perf_counter(), process_time()
    trace = machine.forward(stimulus, seed=0)
    return {
        "build": built - processor,
        "build_wall": built_wall - wall,
        "run": process_time() - built,
        "run_wall": perf_counter() - built_wall,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "spikes": {name: len(events) for name, events in trace.spikes.items()},
        "version": f"netdesc {netdesc.__version__}",
    }


def translate(model: Any, seed: int) -> dict[str, Any]:
    """Return a model for NEST: pA, pF, ms, mV."""
    described = model.description
    populations = {}
    for name, item in described.populations.items():
        cell = {key: value.init.value for key, value in item.neuron.parameters.items()}
        voltage = item.initial["v"].parameters
        populations[name] = {
            "size": item.size,
            "voltage": (voltage["mu"], voltage["sigma"]),
            "parameters": {
                "C_m": 1e3 * cell["cm"],
                "tau_m": cell["tau_m"],
                "tau_syn_ex": cell["tau_syn_E"],
                "tau_syn_in": cell["tau_syn_I"],
                "t_ref": cell["tau_refrac"],
                "E_L": cell["v_rest"],
                "V_reset": cell["v_reset"],
                "V_th": cell["v_thresh"],
                "I_e": 1e3 * item.current.value,
            },
        }
    projections = []
    for item in described.projections.values():
        weight, delay = item.weight.init.parameters, item.delay.init.parameters
        sign = -1e3 if item.receptor == "inhibitory" else 1e3
        projections.append(
            {
                "pre": item.pre,
                "post": item.post[0],
                "number": item.connector.options["n"],
                "weight": (sign * weight["mu"], 1e3 * weight["sigma"]),
                "delay": (delay["mu"], delay["sigma"]),
                "delay_bounds": (delay["low"], delay["high"]),
            }
        )
    duration = described.simulation.duration
    return {
        "populations": populations, "projections": projections, "step": 0.1, "threads": 1,
        "duration": duration, "seed": seed,
    }  # fmt: skip


def run_netdesc(size: tuple[float, float], duration: float, seed: int) -> Found:
    """Measure netdesc in a process of its own."""
    command = [sys.executable, __file__, "--case", json.dumps([*size, duration, seed])]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_nest(size: tuple[float, float], duration: float, seed: int, python: Path) -> Found:
    """Measure NEST in a process of its own."""
    from environments import clean

    text = json.dumps(translate(describe(*size, duration, seed), seed))
    done = subprocess.run(
        [str(python), str(WORKER)], check=True, capture_output=True, text=True, input=text, env=clean()
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def contest(size: tuple[float, float], duration: float, repeats: int, python: Path) -> dict[str, list[Found]]:
    """Run both simulators in turns, each turn with a seed of its own."""
    found: dict[str, list[Found]] = {"netdesc": [], "NEST": []}
    for seed in range(1, repeats + 1):
        found["netdesc"].append(run_netdesc(size, duration, seed))
        found["NEST"].append(run_nest(size, duration, seed, python))
        for name, runs in found.items():
            print(size, seed, name, json.dumps(runs[-1]), flush=True)
    return found


def span(values: list[float], digits: int = 2) -> str:
    """Return the smallest and the largest value, or the only one."""
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def write_costs(found: dict[str, list[Found]], synapses: int) -> list[str]:
    """Return the table of time and memory of a size."""
    lines = [
        "| | netdesc | NEST | NEST / netdesc |",
        "|---|---|---|---|",
    ]
    for key, what in (
        ("build", "building, processor time / s"),
        ("build_wall", "building, wall clock / s"),
        ("run", "run, processor time / s"),
        ("run_wall", "run, wall clock / s"),
        ("memory", "largest resident memory / MB"),
    ):
        mine, theirs = (median(run[key] for run in found[name]) for name in ("netdesc", "NEST"))
        lines.append(f"| {what} | {mine:.1f} | {theirs:.1f} | **{theirs / mine:.1f}** |")
    mine, theirs = (
        2**20 * median(run["memory"] for run in found[name]) / synapses for name in ("netdesc", "NEST")
    )
    return [*lines, f"| that, per synapse / B | {mine:.1f} | {theirs:.1f} | |", ""]


def write_rates(found: dict[str, list[Found]], model: Any) -> list[str]:
    """Return the table of rates of a size."""
    seconds = model.description.simulation.duration / 1e3
    lines = [
        "| population | netdesc / Hz | NEST / Hz | published, full size, Poisson / Hz |",
        "|---|---|---|---|",
    ]
    for name, published in PUBLISHED.items():
        size = model.description.populations[name].size
        mine, theirs = (
            span([run["spikes"][name] / size / seconds for run in found[key]]) for key in ("netdesc", "NEST")
        )
        lines.append(f"| {name} | {mine} | {theirs} | {span(list(published), 3)} |")
    return [*lines, ""]


def write_size(size: tuple[float, float], duration: float, found: dict[str, list[Found]]) -> list[str]:
    """Return what the page says about one size."""
    model = describe(*size, duration, 1)
    neurons = sum(item.size for item in model.description.populations.values())
    synapses = sum(item.connector.options["n"] for item in model.description.projections.values())
    runs = len(found["netdesc"])
    return [
        f"## {neurons:,} neurons, {synapses / 1e6:.1f} million synapses",
        "",
        f"`scale={size[0]:g} indegree={size[1]:g}`, {duration:g} ms of model time, "
        + ("one run of each." if runs == 1 else f"medians of {runs} runs of each, with different seeds."),
        "",
        *write_costs(found, synapses),
        *write_rates(found, model),
    ]


def write_page(command: str, versions: str, sections: list[str]) -> str:
    """Return the whole page."""
    return "\n".join(
        [
            "# The cortical microcircuit",
            "",
            f"`python benchmarks/microcircuit.py {command}`, on {platform.machine()} with {os.cpu_count()} "
            f"cores that other programs used, too; {versions}, each on one thread.",
            "",
            "The model is [microcircuit.yaml](../../examples/microcircuit.yaml), by Potjans and Diesmann "
            "([2014](https://doi.org/10.1093/cercor/bhs358)), with constant currents in place of Poisson "
            "input, as in van Albada et al. ([2018](https://doi.org/10.3389/fnins.2018.00291)). netdesc "
            "computes in `float32`, NEST in `float64`; both take steps of 0.1 ms and solve the "
            "subthreshold equations exactly. NEST gets its numbers from the same file, and draws "
            "synapses, weights, delays and initial voltages itself. Kernels of netdesc are compiled "
            "before. Building is everything from the description to the first step; processor time is "
            "less sensitive to other programs than the wall clock. Memory is the largest resident size of "
            "the whole process, building included.",
            "",
            "Published rates are those that the authors' reference implementations state for the full "
            "size with Poisson input: the example `Potjans_2014` of NEST 2 and its successor "
            "`microcircuit-PD14-model` of INM-6. The spread is the difference of the two; it is no "
            "interval of confidence. Smaller networks and constant currents shift rates; NEST beside it "
            "shows by how much. Rates are of the whole run, its start included, and ranges are over the "
            "runs.",
            "",
            *sections,
        ]
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="*", default=["0.2,0.5,3"], help="SCALE,INDEGREE,RUNS")
    parser.add_argument("--duration", type=float, default=1000.0, help="in ms")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    given = parser.parse_args()
    if given.case:
        scale, indegree, duration, seed = json.loads(given.case)
        print(json.dumps(measure(describe(scale, indegree, duration, seed))))
        return
    from environments import install

    nest = install("nest")
    if nest.fault:
        sys.exit(f"NEST is not installed: {nest.fault}")
    run_netdesc((0.02, 0.2), 10.0, 1)
    sections, versions = [], ""
    for text in given.sizes:
        scale, indegree, runs = map(float, text.split(","))
        found = contest((scale, indegree), given.duration, int(runs), nest.python)
        versions = " and ".join(runs[0]["version"] for runs in found.values())
        sections += write_size((scale, indegree), given.duration, found)
    command = f"{' '.join(given.sizes)} --duration {given.duration:g}"
    page = write_page(command, versions, sections)
    given.output.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
