"""Bits read from the emulated BrainScaleS-2 for a gradient, and how good the gradient is.

Three ways to a gradient of Yin-Yang, 5-120-3, on calibrated chips with noise: EventProp from spike times and
the sampled voltages of three read-outs, the surrogate gradient from sampled voltages of all neurons, for the
same loss, and EventProp from spike times alone, for a loss of first spikes. The true gradient is that of the
event-driven solver with the chip's own parameters and no noise. Both at initial weights and at weights that
EventProp learned in the loop. Prints a page and writes it, with a plot, to
``docs/benchmarks/brainscales2_information.md``; ``-o FILE`` writes it elsewhere.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from netdesc_brainscales2.host.machine import AnalogMachine
from netdesc_brainscales2.host.true_model import TrueModel
from netdesc_numba.event.machine import EventMachine
from netdesc_numba.options import Options as NumbaOptions

import netdesc
from netdesc.backend import Machine
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.losses.evaluation import evaluate
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc.training.preparation import load_machine, load_samples
from netdesc.training.task import Feed
from netdesc.training.weights import load_weights

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "benchmarks" / "brainscales2_information.yaml"
PAGE = ROOT / "docs" / "benchmarks" / "brainscales2_information.md"
BACKEND = "brainscales2"
INTERVAL = 1.7
PROJECTIONS = ("input_to_hidden", "hidden_to_output")
FIRST_SPIKES = (
    "populations.output.neuron={LIF: {tau_mem: 6 ms, tau_syn: 6 ms, tau_refrac: 30 ms}}",
    "projections.hidden_to_output.weight.init.normal={mu: 0.2, sigma: 0.2}",
    "losses.class={time_to_first_spike: "
    "{population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003, pull: 3}}",
)
DRAWS = 200
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True, slots=True)
class Method:
    """A way to a gradient.

    Parameters
    ----------
    name : str
    overrides : tuple of str
        Of the file.
    first_spikes : bool
        Whether the loss is that of first spikes; it has weights and a true gradient of its own.
    """

    name: str
    overrides: tuple[str, ...] = ()
    first_spikes: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Gradients of many samples.

    Parameters
    ----------
    weights : str
        ``initial`` or ``trained``.
    method : str
    chip : int
    events, readings : float
        Bits per sample, of events at 32 bits and of membrane readings.
    found, exact : mapping of str to ndarray of float64, shape (samples, synapses)
        By projection.
    """

    weights: str
    method: str
    chip: int
    events: float
    readings: float
    found: dict[str, Floats]
    exact: dict[str, Floats]

    def cosines(self, projection: str, size: int, *, whole: bool) -> Floats:
        """Return cosines of sums over random samples.

        Parameters
        ----------
        projection : str
        size : int
            Samples of a sum.
        whole : bool
            Whether the true gradient is that of all samples, not of those in the sum.

        Returns
        -------
        ndarray of float64, shape (DRAWS,)
        """
        rng = np.random.default_rng(size)
        mine, true = self.found[projection], self.exact[projection]
        target = true.sum(axis=0)
        result = []
        for _ in range(DRAWS):
            chosen = rng.choice(len(mine), size, replace=False)
            result.append(cosine(mine[chosen].sum(axis=0), target if whole else true[chosen].sum(axis=0)))
        return np.array(result)


def cosine(one: Floats, other: Floats) -> float:
    """Return the cosine of two vectors, 0 where one of them vanishes and NaN where both do."""
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if lengths == (0.0, 0.0):
        return float("nan")
    return float(one @ other) / (lengths[0] * lengths[1]) if all(lengths) else 0.0


def list_methods(decimations: Sequence[int], slope: float) -> list[Method]:
    """Return what is compared: a decimation of n is a sample of all membranes every n intervals."""
    surrogate = f"training.gradient={{surrogate: {{shape: superspike, slope: {slope:g}}}}}"
    coarse = [
        Method(
            f"surrogate, every {INTERVAL * n:g} us",
            (surrogate, f"backends.{BACKEND}.profile_numbers.cadc_interval={INTERVAL * n:g}"),
        )
        for n in decimations
    ]
    return [Method("EventProp, voltages"), *coarse, Method("EventProp, first spikes", FIRST_SPIKES, True)]


def load(method: Method, chip: int, overrides: Sequence[str]) -> netdesc.Model:
    """Read the file for a method and a chip."""
    return netdesc.load(MODEL, [f"backends.{BACKEND}.chip={chip}", *overrides, *method.overrides])


def differentiate(
    machine: Machine,
    program: Program,
    model: netdesc.Model,
    sample: tuple[Events, Integers | None],
    seed: int,
) -> tuple[Trace, Gradient]:
    """Run one sample and carry its loss back."""
    trace = machine.forward(sample[0], seed=seed)
    told = evaluate(model.description.losses, trace, program, sample[1])
    return trace, machine.adjoint(trace, told.cotangent)


def know(machine: AnalogMachine) -> tuple[TrueModel, EventMachine]:
    """Return what the circuits of a chip really are, and the solver with their parameters and weights."""
    known = TrueModel(machine.program, machine.membranes, machine.gains)
    solver = EventMachine(known.program, NumbaOptions.read({"threads": 1}))
    solver.write(known.split(machine.as_run))
    return known, solver


def measure(
    method: Method, model: netdesc.Model, *, state: str, chip: int, weights: Path | None, samples: int
) -> Outcome:
    """Compute gradients of single samples, on the chip and in truth."""
    compiled = netdesc.compile(model, BACKEND)
    machine = load_machine(compiled).inner
    if not isinstance(machine, AnalogMachine):
        raise SystemExit(f"{BACKEND} has no analog chip")
    if weights is not None:
        machine.write(load_weights(weights, compiled.program))
    known, solver = know(machine)
    data = load_samples(model.description, compiled.program)
    feed = Feed(compiled.program, None if data is None else data.train)
    found: dict[str, list[Floats]] = {name: [] for name in PROJECTIONS}
    exact: dict[str, list[Floats]] = {name: [] for name in PROJECTIONS}
    bits = np.zeros(2)
    for number in range(samples):
        sample = feed.draw(np.array([number]), number)
        trace, gradient = differentiate(machine, compiled.program, model, sample, number)
        bits += trace.costs["bits_of_events"], trace.costs["bits_of_readings"]
        _, true = differentiate(solver, known.program, model, sample, number)
        joined = known.join(true.parameters, machine.as_run)
        for name in PROJECTIONS:
            found[name].append(gradient.parameters[f"{name}.weight"])
            exact[name].append(joined[f"{name}.weight"])
    return Outcome(
        state,
        method.name,
        chip,
        *(bits / samples),
        *({name: np.array(values) for name, values in kind.items()} for kind in (found, exact)),
    )


def learn(method: Method, chip: int, overrides: Sequence[str], folder: Path) -> Path:
    """Train in the loop by EventProp, and return where the weights are."""
    target = folder / f"{'spikes' if method.first_spikes else 'voltages'}-{chip}"
    if not target.exists():
        source = Method("", FIRST_SPIKES if method.first_spikes else ())
        result = netdesc.train(load(source, chip, overrides), backend=BACKEND, output=target)
        accuracy = result.test.accuracy if result.test else None
        print(f"chip {chip}, {target.name}: test accuracy {100 * (accuracy or 0.0):.1f} %", flush=True)
    return target


def measure_all(
    methods: Sequence[Method], chips: Sequence[int], overrides: Sequence[str], samples: int
) -> list[Outcome]:
    """Measure all methods on all chips, with initial and with trained weights."""
    outcomes = []
    with tempfile.TemporaryDirectory() as name:
        for chip in chips:
            for method in methods:
                model = load(method, chip, overrides)
                trained = learn(method, chip, overrides, Path(name))
                for state, weights in (("initial", None), ("trained", trained)):
                    outcomes.append(
                        measure(method, model, state=state, chip=chip, weights=weights, samples=samples)
                    )
                print(f"chip {chip}, {method.name}: done", flush=True)
    return outcomes


def pick(outcomes: Sequence[Outcome], state: str, method: str) -> list[Outcome]:
    """Return the outcomes of a method at some weights, of all chips."""
    return [item for item in outcomes if (item.weights, item.method) == (state, method)]


def median(chosen: Sequence[Outcome], projection: str, size: int, *, whole: bool) -> float:
    """Return the median cosine over draws and chips."""
    return float(
        np.nanmedian(np.concatenate([item.cosines(projection, size, whole=whole) for item in chosen]))
    )


def write_row(chosen: Sequence[Outcome]) -> str:
    """Write one line of the table."""
    events, readings = (
        float(np.mean([getattr(item, name) for item in chosen])) for name in ("events", "readings")
    )
    cells = [f"{median(chosen, name, size, whole=False):.3f}" for size in (1, 50) for name in PROJECTIONS]
    return (
        f"| {chosen[0].weights} | {chosen[0].method} | {events:.0f} | {readings:.0f} | "
        f"{events + readings:.0f} | {0.5 * events + readings:.0f} | {' | '.join(cells)} |"
    )


def draw_plot(outcomes: Sequence[Outcome], file: Path) -> None:
    """Plot the cosine to the true gradient of all samples over the bits that were read."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "netdesc"
    from matplotlib import pyplot

    states, methods = ("initial", "trained"), list(dict.fromkeys(item.method for item in outcomes))
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6.5), sharex=True, sharey="row", layout="constrained")
    greys = iter(("#7a3b00", "#b35806", "#e08214", "#fdb863"))
    colors = {
        name: next(greys) if name.startswith("surrogate") else color
        for name, color in zip(methods, ["#2166ac"] * (len(methods) - 1) + ["#1b7837"], strict=True)
    }
    for row, projection in enumerate(PROJECTIONS):
        for column, state in enumerate(states):
            panel = axes[row, column]
            for name in methods:
                chosen = pick(outcomes, state, name)
                sizes = [size for size in SIZES if size <= len(chosen[0].found[projection]) // 2]
                bits = float(np.mean([item.events + item.readings for item in chosen]))
                panel.plot(
                    [bits * size for size in sizes],
                    [median(chosen, projection, size, whole=True) for size in sizes],
                    marker="o",
                    markersize=3,
                    label=name,
                    color=colors[name],
                )
            panel.set_xscale("log")
            panel.grid(color="0.9")
            panel.set_title(f"{projection}, {state} weights", fontsize=10)
    for panel in axes[1]:
        panel.set_xlabel("bits read from the chip")
    for panel in axes[:, 0]:
        panel.set_ylabel("cosine to the true gradient")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def compare_bits(outcomes: Sequence[Outcome], methods: Sequence[Method]) -> str:
    """Tell by how much EventProp reads less than the surrogate gradient with the same loss."""
    lines = []
    for state in ("initial", "trained"):
        ours, theirs, spikes = (
            pick(outcomes, state, method.name) for method in (methods[0], methods[1], methods[-1])
        )
        sums = [
            [
                float(np.mean([share * item.events + item.readings for item in chosen]))
                for chosen in (ours, theirs, spikes)
            ]
            for share in (1.0, 0.5)
        ]
        same, alone = ([part[1] / part[k] for part in sums] for k in (0, 2))
        lines.append(
            f"At {state} weights the surrogate gradient reads {same[0]:.1f} times the bits of EventProp with "
            f"the same loss and {alone[0]:.1f} times those of EventProp from spikes alone; with events of 16 "
            f"bits {same[1]:.1f} and {alone[1]:.1f} times."
        )
    return "\n".join(lines)


HEAD = """# Bits read from the chip for a gradient

`python benchmarks/{script}{overrides}`: Yin-Yang, 5-120-3 neurons, profile `calibrated` with noise,
chips {chips}, {samples} training samples, one by one. Bits are those of a sample: 32 for an event of a
hidden or output neuron, 8 for a reading of a membrane. The cosine is that to the gradient of the event-driven
solver with the chip's own parameters and quantized weights, without noise; median over samples, or over
{draws} random sums of 50 samples, and over chips, of each projection.

| weights | method | bits of events | bits of readings | bits | bits, events of 16 | {columns} |
|---|---|---|---|---|---|---|---|---|---|
"""

FOOT = """
{verdict}

![Cosine to the true gradient over bits read]({plot})

The plot has sums over 1, 2, 4, ... samples, and the true gradient is that of all samples: how many bits
determine the direction in which to learn.

* **EventProp, voltages**: spike times of hidden neurons and CADC samples of the three read-outs, cross
  entropy of their largest voltages.
* **surrogate**: the same network and loss; CADC samples of all neurons, and their spikes, every 1.7 us of the
  chip or less often. Slope {slope:g}.
* **EventProp, first spikes**: the read-outs spike, the loss is a cross entropy of their first spikes, and the
  true gradient is that of this loss. Of all voltages only the last ones of the outputs are read,
  one reading each, for `pull`.

The host knows only nominal parameters (`adjoint: nominal`); EventProp does not reach a cosine of 1 because
circuits differ and are noisy. Synaptic inputs do not saturate here, because the solver has no saturation.
Weights are trained in the loop by EventProp with the respective loss. The ratio depends on how active the
network is, since only the bits of events grow with its spikes: with 82 hidden spikes a sample in place of
50, at initial weights, it was 8.5 for the same loss and events of 32 bits.
"""


def write_page(outcomes: Sequence[Outcome], methods: Sequence[Method], arguments: argparse.Namespace) -> str:
    """Write the page."""
    columns = [f"{name}, {size}" for size in ("1 sample", "50 samples") for name in PROJECTIONS]
    head = HEAD.format(
        script=Path(__file__).name,
        overrides="".join(f" {item}" for item in arguments.overrides),
        chips=", ".join(map(str, arguments.chips)),
        samples=arguments.samples,
        draws=DRAWS,
        columns=" | ".join(columns),
    )
    rows = [
        write_row(pick(outcomes, state, method.name))
        for state in ("initial", "trained")
        for method in methods
    ]
    return (
        head
        + "\n".join(rows)
        + "\n"
        + FOOT.format(
            verdict=compare_bits(outcomes, methods),
            plot=arguments.output.with_suffix(".svg").name,
            slope=arguments.slope,
        )
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="key.path=value")
    parser.add_argument("--chips", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--decimations", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--slope", type=float, default=1.0)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    arguments = parser.parse_args()
    methods = list_methods(arguments.decimations, arguments.slope)
    outcomes = measure_all(methods, arguments.chips, arguments.overrides, arguments.samples)
    page = write_page(outcomes, methods, arguments)
    print(page)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(page, encoding="utf-8")
    draw_plot(outcomes, arguments.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
