"""Test accuracy on MNIST at 16x16, learned with the emulated BrainScaleS-2 in the loop.

Trains ``benchmarks/brainscales2_mnist.yaml`` once per gradient and seed: surrogate, from membrane
voltages that the CADC sampled, and EventProp, from measured spike times. Prints a table and writes it to
``docs/benchmarks/brainscales2_mnist.md``. ``--data FOLDER``, or the environment variable
``NETDESC_MNIST``, says where the four IDX files are. Arguments of the form ``key.path=value`` override
the file; ``-o FILE`` writes the table elsewhere; ``--keep FILE`` keeps what is done, one JSON line a
training, and goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time

import netdesc
from netdesc.training.records import EpochReport

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "benchmarks" / "brainscales2_mnist.yaml"
PAGE = ROOT / "docs" / "benchmarks" / "brainscales2_mnist.md"
OVERRIDES = {
    "surrogate": (),
    "eventprop": (
        "training.gradient=eventprop",
        "training.optimizer.adam.learning_rate=4e-3",
        "training.silent_neurons={weight_bump: {amount: 2e-3}}",
    ),
}
"""What either gradient changes in the file."""


@dataclass(frozen=True, slots=True)
class Case:
    """A training to do: gradient, seed, epochs, training and test samples, and overrides of the file."""

    gradient: str
    seed: int
    epochs: int
    train: int
    test: int
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One training.

    Parameters
    ----------
    gradient : str
    seed, epochs, train, tested : int
    overrides : list of str
    accuracy, last_training : float
        Of the test samples with the last weights, and of the training samples during the last epoch; in %.
    hidden_spikes : float
        Of a hidden neuron in a test image.
    silent : float
        Hidden neurons that are silent over a whole batch, in %.
    kilobits : float
        Read from the chip for a test image.
    seconds, processor_seconds : float
        Of an epoch, median.
    """

    gradient: str
    seed: int
    epochs: int
    train: int
    tested: int
    overrides: list[str]
    accuracy: float
    last_training: float
    hidden_spikes: float
    silent: float
    kilobits: float
    seconds: float
    processor_seconds: float


def write_overrides(case: Case, data: Path) -> list[str]:
    """Write what a training changes in the file."""
    return [
        f"simulation.seed={case.seed}",
        f"data.dataset.mnist.path={data.resolve()}",
        f"data.dataset.mnist.train={case.train}",
        f"data.dataset.mnist.test={case.test}",
        f"training.epochs={case.epochs}",
        *OVERRIDES[case.gradient],
        *case.overrides,
    ]


def train(case: Case, data: Path) -> Outcome:
    """Train once in a temporary directory."""
    model = netdesc.load(MODEL, write_overrides(case, data))
    moments = [process_time()]

    def note(report: EpochReport) -> None:
        moments.append(process_time())
        print(
            f"{case.gradient}, seed {case.seed}: epoch {report.epoch}, loss {report.loss:.4f}, "
            f"training accuracy {report.accuracy}, {report.seconds:.1f} s",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as folder:
        result = netdesc.train(model, backend="brainscales2", output=Path(folder) / "run", progress=note)
    test, last = result.test, result.reports[-1]
    if test is None or test.accuracy is None or last.accuracy is None:
        raise SystemExit(f"{MODEL} has no test samples")
    hidden = model.description.populations["hidden"].size
    return Outcome(
        case.gradient,
        case.seed,
        case.epochs,
        case.train,
        case.test,
        list(case.overrides),
        100 * test.accuracy,
        100 * last.accuracy,
        test.spikes["hidden"] / hidden,
        100 * last.silent_fraction,
        1e-3 * test.costs["bits_read"] / test.samples,
        median(report.seconds for report in result.reports),
        find_median_step(moments),
    )


def find_median_step(moments: Sequence[float]) -> float:
    """Return the median of the differences between successive moments."""
    return median(later - earlier for earlier, later in pairwise(moments))


def run_all(cases: Sequence[Case], data: Path, keep: Path | None) -> Iterator[Outcome]:
    """Do every training that is not done, and yield what came out of each."""
    done = (
        []
        if keep is None or not keep.exists()
        else [Outcome(**json.loads(line)) for line in keep.read_text(encoding="utf-8").splitlines()]
    )
    for case in cases:
        wanted = (case.gradient, case.seed, case.epochs, case.train, case.test, list(case.overrides))
        known = next(
            (
                item
                for item in done
                if wanted == (item.gradient, item.seed, item.epochs, item.train, item.tested, item.overrides)
            ),
            None,
        )
        outcome = known or train(case, data)
        if keep is not None and known is None:
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")
        yield outcome


HEAD = """# MNIST at 16x16 trained with the emulated BrainScaleS-2 in the loop

`python benchmarks/brainscales2_mnist.py --data FOLDER{overrides}`: 256-246-10 neurons on merged circuits,
which fill the 512 circuits of the chip; profile `calibrated`, chip 1; hidden neurons LIF, read-outs without
threshold; cross entropy of the read-outs' largest voltages; all settings in
`benchmarks/brainscales2_mnist.yaml`. Weights of the last epoch, no validation samples.
"""

COLUMNS = (
    "gradient",
    "seed",
    "epochs",
    "training images",
    "test accuracy / %",
    "training accuracy in the last epoch / %",
    "spikes per hidden neuron and image",
    "hidden neurons silent over a batch / %",
    "read per image / kbit",
    "time per epoch / s",
    "processor time per epoch / s",
)

FOOT = """
* Published for this task on the chip, with surrogate gradients, dropout of inputs and 100 epochs: 97.6 %
  (Cramer et al. 2022, Surrogate gradients for analog neuromorphic computing).
* `surrogate`: CADC samples of all membranes every 1.7 us of the chip stand for the voltages of the model,
  with SuperSpike as the derivative of a spike.
* `eventprop`: exact adjoint of the measured spikes; largest voltages of the read-outs as sampled by the CADC.
* Read from the chip are spikes, 32 bits each, and 8 bits for every sample of the membranes that the gradient
  needs: those of all neurons for `surrogate`, those of the read-outs for `eventprop`.
* The time of an epoch is that of the emulation, forward and backward, and of the update on the host; the
  time on the clock is that of a machine busy with other work. On the
  chip an image of 11.6 us, entries back to back, would take 11.6 us and 2.3 uJ: 85,000 images a second at
  200 mW (`tests/brainscales2/test_chip_costs.py`).
"""


def write_row(item: Outcome) -> str:
    """Write one line of the table."""
    return (
        f"| {item.gradient} | {item.seed} | {item.epochs} | {item.train} | {item.accuracy:.2f} | "
        f"{item.last_training:.2f} | {item.hidden_spikes:.3f} | {item.silent:.1f} | "
        f"{item.kilobits:.2f} | {item.seconds:.1f} | {item.processor_seconds:.1f} |"
    )


def write_page(arguments: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    """Write the page."""
    overrides = "".join(f" {item}" for item in arguments)
    return "\n".join(
        [
            HEAD.format(overrides=overrides),
            f"| {' | '.join(COLUMNS)} |",
            "|---" * len(COLUMNS) + "|",
            *map(write_row, outcomes),
            FOOT,
        ]
    )


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="key.path=value")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("NETDESC_MNIST", "mnist")))
    parser.add_argument("--gradients", nargs="+", choices=sorted(OVERRIDES), default=list(OVERRIDES))
    parser.add_argument(
        "--epochs", type=int, nargs="+", default=[8, 5], help="one number, or one per gradient"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--train", type=int, default=60000, help="training images")
    parser.add_argument("--test", type=int, default=10000, help="test images")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=PAGE)
    found = parser.parse_args()
    if len(found.epochs) == 1:
        found.epochs *= len(found.gradients)
    if len(found.epochs) < len(found.gradients):
        parser.error("--epochs takes one number, or one per gradient")
    return found


def main() -> None:
    """Train, print, write."""
    found = read_arguments()
    cases = [
        Case(gradient, seed, epochs, found.train, found.test, tuple(found.overrides))
        for gradient, epochs in zip(found.gradients, found.epochs, strict=False)
        for seed in found.seeds
    ]
    page = write_page(found.overrides, list(run_all(cases, found.data, found.keep)))
    print(page)
    found.output.parent.mkdir(parents=True, exist_ok=True)
    found.output.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
