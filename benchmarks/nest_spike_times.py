"""Spike times against NEST.

Random networks of ``IF_curr_exp`` cells are run by netdesc's event-driven solver and by NEST's
``iaf_psc_exp_ps_lossless`` at a resolution of one microsecond, a model that keeps spike times in continuous
time and misses no threshold crossing (Krishnan, Porta Mana, Helias, Diesmann and Di Napoli, Perfect detection
of spikes in the linear sub-threshold dynamics of point neurons, Frontiers in Neuroinformatics 11, 2018). That
model has one synaptic time constant; networks with two are compared with ``iaf_psc_exp_ps``, which looks
for crossings once per microsecond and interval between inputs.

Prints a Markdown table and writes it to ``docs/benchmarks/nest_spike_times.md``.

    pip install nest-simulator
    PYTHONPATH=. python benchmarks/nest_spike_times.py
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from netdesc.events import Events
from netdesc.program import Program
from tests.generate.networks import Network, random_network
from tests.generate.traits import Recipe

RESOLUTION = 1e-3
"""Of NEST, in ms."""

NETWORKS = 10
"""Per family."""

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks" / "nest_spike_times.md"

FAMILIES = {
    "one layer": Recipe(0, size=20, inputs=10),
    "three layers": Recipe(0, layers=3, size=20, inputs=10, density=0.5, gain=1.2),
    "three layers, strong weights": Recipe(0, layers=3, size=10, inputs=5, density=0.5, gain=3.0),
    "two currents": Recipe(0, layers=2, size=20, inputs=10, two_currents=True),
    "two currents, slower than the membrane": Recipe(
        0, layers=2, size=20, inputs=10, two_currents=True, ratio="longer"
    ),
    "synapses slower than the membrane": Recipe(0, layers=2, size=20, inputs=10, ratio="longer"),
    "membrane twice as slow": Recipe(0, layers=2, size=20, inputs=10, ratio="double"),
    "other constants for every cell": Recipe(
        0, layers=2, size=20, inputs=10, mixed_cells=True, two_currents=True
    ),
    "rest above the threshold": Recipe(0, layers=2, size=20, inputs=10, tonic=True),
    "recurrent": Recipe(0, size=40, inputs=20, loop="self", gain=1.2),
    "recurrent, two currents": Recipe(
        0, size=40, inputs=20, loop="self", gain=1.2, two_currents=True, density=0.5
    ),
    "cycle of two populations": Recipe(
        0, layers=2, size=20, inputs=10, loop="cycle", mixed_cells=True, density=0.5
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: spikes of NEST, those without a partner, the largest difference in ms."""

    name: str
    model: str
    networks: int
    spikes: int
    missing: int
    extra: int
    difference: float


def on_the_grid(network: Network) -> Network:
    """Round delays and refractory periods to what NEST can express, and start a little after zero."""

    def rounded(values):
        return np.maximum(np.round(values / RESOLUTION), 1.0) * RESOLUTION

    program, stimulus = network.program, network.stimulus
    blocks = tuple(replace(block, delays=rounded(block.delays)) for block in program.blocks)
    parameters = {**program.parameters, "tau_ref": rounded(program.parameters["tau_ref"])}
    return Network(
        replace(program, blocks=blocks, parameters=parameters),
        Events(stimulus.times + 1.0, stimulus.sources, stimulus.offsets),
    )


def simulate_in_nest(program: Program, stimulus: Events) -> dict[str, list[list[float]]]:
    """Return the spike times of every neuron, by population."""
    import nest

    nest.ResetKernel()
    nest.set(resolution=RESOLUTION, overwrite_files=True)
    nodes = create_nodes(nest, program, stimulus)
    for block in program.blocks:
        connect(nest, program, block, nodes)
    recorder = nest.Create("spike_recorder")
    for item in program.populations:
        if item.kind == "spiking":
            nest.Connect(nodes[item.name], recorder, syn_spec={"delay": RESOLUTION})
    nest.Simulate(program.duration + RESOLUTION)
    events = recorder.events
    result = {}
    for item in program.populations:
        if item.kind == "spiking":
            by_node = [events["times"][events["senders"] == node] for node in nodes[item.name].tolist()]
            result[item.name] = [np.sort(times[times <= program.duration]).tolist() for times in by_node]
    return result


def create_nodes(nest, program, stimulus):
    """Create generators and cells; weights are voltages, for a resistance of 1."""
    values, nodes = program.parameters, {}
    for item in program.populations:
        if item.kind == "source":
            nodes[item.name] = nest.Create(
                "spike_generator",
                item.size,
                [
                    {"precise_times": True, "spike_times": np.sort(stimulus.times[stimulus.sources == n])}
                    for n in range(item.start, item.stop)
                ],
            )
            continue
        nodes[item.name] = nest.Create(
            model_for(len(item.receptors)),
            item.size,
            [
                {
                    "tau_m": values["tau_m"][n],
                    "C_m": values["tau_m"][n],
                    "tau_syn_ex": values["tau_s"][n, 0],
                    "tau_syn_in": values["tau_s"][n, len(item.receptors) - 1],
                    "E_L": values["rest"][n],
                    "V_th": values["threshold"][n],
                    "V_reset": values["reset"][n],
                    "V_m": values["v_init"][n],
                    "t_ref": values["tau_ref"][n],
                }
                for n in range(item.start, item.stop)
            ],
        )
    return nodes


def model_for(currents: int) -> str:
    """Return NEST's model for cells with one or two synaptic time constants."""
    return "iaf_psc_exp_ps" if currents == 2 else "iaf_psc_exp_ps_lossless"


def connect(nest, program, block, nodes):
    """Create the synapses of a block."""
    indptr, indices = block.sparse()
    pre = np.array(nodes[program.populations[block.pre].name].tolist())
    post = np.array(nodes[program.populations[block.post].name].tolist())
    if block.size:
        nest.Connect(
            np.repeat(pre, np.diff(indptr)),
            post[indices],
            "one_to_one",
            {
                "weight": block.charges(block.weights),
                "synapse_model": "static_synapse",
                "delay": np.broadcast_to(block.delays, block.size),
            },
        )


def simulate_in_netdesc(program: Program, stimulus: Events) -> dict[str, list[list[float]]]:
    """Return the spike times of every neuron, by population."""
    from netdesc_numba import NumbaBackend

    trace = NumbaBackend({}).load(program, seed=0).forward(stimulus, seed=0)
    return {
        item.name: trace.spikes[item.name].lists(item.size)[0]
        for item in program.populations
        if item.kind == "spiking"
    }


def compare(name: str, recipe: Recipe, networks: int) -> Row:
    """Run a family of networks on both and pair their spikes neuron by neuron."""
    spikes = missing = extra = 0
    difference = 0.0
    for seed in range(networks):
        network = on_the_grid(
            random_network(
                replace(recipe, seed=seed, batch=1, millivolts=True, refractory=True, delay="mixed")
            )
        )
        theirs = simulate_in_nest(network.program, network.stimulus)
        ours = simulate_in_netdesc(network.program, network.stimulus)
        for population in theirs:
            for left, right in zip(theirs[population], ours[population], strict=True):
                spikes += len(left)
                missing += max(len(left) - len(right), 0)
                extra += max(len(right) - len(left), 0)
                pairs = zip(left, right, strict=False)
                difference = max([difference, *(abs(a - b) for a, b in pairs)])
    return Row(name, f"`{model_for(1 + recipe.two_currents)}`", networks, spikes, missing, extra, difference)


def report(rows: list[Row]) -> str:
    """Return the page with the table."""
    import nest

    total = Row(
        "**all**",
        "",
        *(sum(getattr(row, field) for row in rows) for field in ("networks", "spikes", "missing", "extra")),
        max(row.difference for row in rows),
    )
    lines = [
        f"| {row.name} | {row.model} | {row.networks} | {row.spikes} | {row.missing} | {row.extra} "
        f"| {row.difference:.1e} |"
        for row in [*rows, total]
    ]
    return "\n".join(
        [
            "# Spike times against NEST",
            "",
            "Random networks, 50 ms each, run by netdesc's event-driven solver and by NEST "
            f"{nest.__version__}",
            "at a resolution of 1 us. Delays and refractory periods are multiples of the resolution, "
            "input times",
            "are not. Spikes are paired neuron by neuron in order. NEST's lossless model has one "
            "synaptic time",
            "constant per cell; where there are two, its other model in continuous time is used.",
            "Made by `python benchmarks/nest_spike_times.py`.",
            "",
            "| networks | model | number | spikes of NEST | missing | extra | largest difference (ms) |",
            "|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def main() -> int:
    """Run the comparison; 1 where NEST is absent or the two differ by more than 1e-9 ms."""
    if importlib.util.find_spec("nest") is None:
        print(
            "NEST is not installed, so there is nothing to compare with. Install it with\n\n"
            "    pip install nest-simulator",
            file=sys.stderr,
        )
        return 1
    import nest

    nest.set(verbosity=nest.VerbosityLevel.ERROR)
    rows = [compare(name, recipe, NETWORKS) for name, recipe in FAMILIES.items()]
    page = report(rows)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(page, encoding="utf-8")
    print(page)
    return int(any(row.missing or row.extra or row.difference > 1e-9 for row in rows))


if __name__ == "__main__":
    sys.exit(main())
