"""What is measured: works, their sizes, and who takes part."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import stimuli
from contest import Case, Entry
from environments import HERE

NETWORKS = HERE / "networks"
EVENT, GRID = "event", "{{grid: {{timestep: {step} ms}}}}"
RATE = 1e-9
"""Of learning: so low that every step costs what the first did."""


def netdesc(script: str, *steps: float, event: bool = True) -> list[Entry]:
    """Return netdesc's solvers: event-driven, and on grids of some steps in ms."""
    entries = [Entry("netdesc, event-driven", "netdesc", script, {"variant": EVENT})] if event else []
    grids = (
        Entry(f"netdesc, grid {step:g} ms", "netdesc", script, {"variant": GRID.format(step=f"{step:g}")})
        for step in steps
    )
    return [*entries, *grids]


def surrogates(*names: str, step: float) -> list[Entry]:
    """Return the frameworks that train by surrogate gradients on a grid of a step in ms."""
    entries = {
        "spyx": [
            Entry(f"spyx, {step:g} ms", "spyx", "spyx_training", {"variant": "sequential", "step": step}),
            Entry(
                f"spyx, {step:g} ms, layer by layer",
                "spyx",
                "spyx_training",
                {"variant": "layers", "step": step},
            ),
        ],
        "snntorch": [Entry(f"snnTorch, {step:g} ms", "snntorch", "snntorch_training", {"step": step})],
        "norse": [Entry(f"Norse, {step:g} ms", "norse", "norse_training", {"step": step})],
    }
    return [entry for name in names for entry in entries[name]]


def describe_training(network: str, hidden: int, **others: Any) -> dict[str, Any]:
    """Return the settings of a training that do not depend on the contestant."""
    overrides = {"parameters.hidden": hidden, **others.pop("overrides", {})}
    return {
        "network": str(NETWORKS / f"{network}.yaml"),
        "overrides": overrides,
        "hidden": hidden,
        "recurrent": False,
        "spiking_output": False,
        "epoch": False,
        "rate": RATE,
        "threads": 1,
        "tau_mem": 20.0,
        "tau_syn": 5.0,
        **others,
    }


def recurrent(options: Namespace, folder: Path) -> Iterator[Case]:
    """Yield a recurrent layer at several sizes, read out by integrators."""
    path = folder / "recurrent.npz"
    stimuli.write_recordings(path, options.batch, options.spikes, options.digits)
    for hidden in options.hidden:
        spread = 0.5 / hidden**0.5
        settings = describe_training(
            "recurrent",
            hidden,
            overrides={"parameters.spread": spread},
            samples=str(path),
            batch=options.batch,
            inputs=stimuli.CHANNELS,
            outputs=10,
            duration=1400.0,
            tau_syn=10.0,
            recurrent=True,
            targets={"hidden": 12.0 * hidden},
            weights={"input": (0.012, 0.09), "recurrent": (0.0, spread), "output": (0.0, 0.1)},
        )
        entries = [*netdesc("netdesc_training", 1.0), *surrogates("spyx", "snntorch", step=1.0)]
        yield Case("recurrent", f"H = {hidden}", "sample", options.batch, settings, entries)


def yin_yang(options: Namespace, folder: Path) -> Iterator[Case]:
    """Yield a small network with spiking outputs, in large batches and one sample at a time."""
    for batch, count in ((150, 150), (1, 30)):
        path = folder / f"yin_yang_{batch}.npz"
        stimuli.write_yin_yang(path, count)
        settings = describe_training(
            "yin_yang",
            120,
            samples=str(path),
            batch=batch,
            inputs=5,
            outputs=3,
            duration=40.0,
            spiking_output=True,
            targets={"hidden": 106.0, "output": 39.0},
            weights={"input": (1.98, 0.78), "output": (0.56, 0.1)},
        )
        entries = [*netdesc("netdesc_training", 1.0), *surrogates("spyx", "snntorch", "norse", step=1.0)]
        entries += [
            Entry("jaxsnn, event-driven", "jaxsnn", "jaxsnn_training"),
            Entry("eventax, event-driven, Euler 1 ms", "eventax", "eventax_training", {"step": 1.0}),
        ]
        yield Case("yin_yang", f"batch {batch}", "step", count // batch, settings, entries)


def mnist(options: Namespace, folder: Path) -> Iterator[Case]:
    """Yield epochs on images, in batches of several sizes, then netdesc alone at several widths."""
    path = folder / "mnist.npz"
    stimuli.write_images(path, options.images, options.mnist)

    def settings(hidden: int, batch: int) -> dict[str, Any]:
        return describe_training(
            "mnist",
            hidden,
            samples=str(path),
            batch=batch,
            inputs=784,
            outputs=10,
            duration=40.0,
            epoch=True,
            targets={"hidden": float(hidden)},
            weights={"input": (0.05, 0.1), "output": (0.0, 0.1)},
        )

    for batch in (5, 50, 150):
        entries = [*netdesc("netdesc_training", 1.0), *surrogates("spyx", "snntorch", step=1.0)]
        yield Case("mnist", f"batch {batch}", "sample", options.images, settings(350, batch), entries)
    entries = [
        Entry(
            f"netdesc, event-driven, {hidden} hidden neurons",
            "netdesc",
            "netdesc_training",
            {"variant": EVENT, **settings(hidden, 50)},
            float(hidden),
        )
        for hidden in (128, 512, 2048, 8192)
    ]
    yield Case("mnist", "by width, batch 50", "sample and neuron", options.images, settings(128, 50), entries)


def balanced(options: Namespace, folder: Path) -> Iterator[Case]:
    """Yield a balanced network, forward, with a delay of one step and one of many."""
    stimuli.write_balanced(folder, options.neurons)
    for delay in options.delays:
        settings = {
            "network": str(folder / "balanced.yaml"),
            "arrays": str(folder / "balanced.npz"),
            "overrides": {"parameters.neurons": options.neurons, "parameters.delay": f"{delay:g} ms"},
            "neurons": options.neurons,
            "delay": delay,
            "duration": 1000.0,
            "threads": 1,
            "folder": str(folder),
        }
        entries = [
            *netdesc("netdesc_balanced", 0.1),
            Entry("NEST, iaf_psc_exp_ps", "nest", "nest_balanced", {"model": "iaf_psc_exp_ps"}),
            Entry("NEST, iaf_psc_exp, 0.1 ms", "nest", "nest_balanced", {"model": "iaf_psc_exp"}),
            Entry("Brian2 in C++, 0.1 ms", "brian2", "brian2_balanced"),
        ]
        yield Case("balanced", f"delay {delay:g} ms", "run", 1, settings, entries, "wall")


WORKS: dict[str, Callable[[Namespace, Path], Iterator[Case]]] = {
    "recurrent": recurrent,
    "yin_yang": yin_yang,
    "mnist": mnist,
    "balanced": balanced,
}

PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
