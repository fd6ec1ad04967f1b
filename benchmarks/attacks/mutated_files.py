"""Read thousands of damaged files; every one must be read or refused with a message, within seconds.

``python benchmarks/attacks/mutated_files.py --models 20000 --data 2000 --seed 0`` changes bytes, values,
keys, units and sections of the example models, and bytes of files that commands read: weights, MNIST,
SHD, spikes, tables, results, and trained weights. Each is given to the commands that read it. It prints how
many were read, refused, slow or crashed, and ends with 1 where one crashed, took longer than 10 s or was read
although its checksum is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import multiprocessing.connection
import os
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from netdesc.cli.entry import main as netdesc
from netdesc.compiled import Model
from netdesc.description import describe_text
from netdesc.errors import NetdescError
from netdesc.graph.pipeline import compile_graph

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SLOW = 10
MEMORY = 8 * 2**30
PIECES = (
    b"1e400",
    b"-1",
    b"0",
    b"null",
    b"[",
    b"{",
    b": ",
    b"&x ",
    b"*x",
    b"${a}",
    b"\0",
    b"999999999",
    b"'",
    b"\n",
)
VALUES = (
    "0",
    "1",
    "-1",
    "1e-300",
    "1e300",
    "2147483648",
    "9007199254740993",
    "0.1 ms",
    "1 s",
    "10 mV",
    "1 nA",
    "5 Hz",
    "true",
    "null",
    "LIF",
    "LI",
    "[1, 2]",
    "[]",
    "{}",
    "${size}",
    "1e-9 ms",
    "100000",
)
ENDED = ("read", "refused", "slow", "crashed", "accepted")


FOREIGN = (
    *("Traceback", "Warning:", "[Errno", "invalid literal", "could not convert", "has no attribute"),
    *("Unable to", "unable to open", "not subscriptable", "must be str", "codec can't", "<class '"),
)
"""Words of Python and of libraries, which no message has."""


class Sample(NamedTuple):
    """A sound file, and the command that reads it.

    Parameters
    ----------
    content : bytes
    name : str
        Of the file.
    words : tuple of str
        Command line, run in the folder of the file.
    sealed : bool
        Whether every change must be refused.
    """

    content: bytes
    name: str
    words: tuple[str, ...]
    sealed: bool = False


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """Return content with a few bytes flipped, cut out, doubled or put in."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        place = int(random.integers(0, len(changed) + 1))
        length = int(random.integers(1, 20))
        match int(random.integers(0, 5)):
            case 0 if place < len(changed):
                changed[place] ^= 1 << int(random.integers(0, 8))
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place:place] = changed[place : place + length]
            case 3:
                changed[place:place] = PIECES[int(random.integers(0, len(PIECES)))]
            case _:
                del changed[len(changed) - length if random.random() < 0.9 else place :]
    return bytes(changed)


def mutate_model(text: str, random: np.random.Generator) -> str:
    """Return a model with a number scaled, a value replaced, or lines exchanged, doubled or removed."""
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if ":" in line and not line.strip().startswith("#")]
    first, second = (places[int(index)] for index in random.integers(0, len(places), 2))
    words = lines[first].split(" ")
    numbers = [index for index, word in enumerate(words) if word[:1].isdigit()]
    match int(random.integers(0, 8)):
        case 0:
            lines[first], lines[second] = lines[second], lines[first]
        case 1:
            del lines[first]
        case 2:
            lines.insert(second, lines[first])
        case 3:
            head = lines[first].partition(":")[0]
            lines[first] = f"{head}: {VALUES[int(random.integers(0, len(VALUES)))]}"
        case _ if numbers:
            index = numbers[int(random.integers(0, len(numbers)))]
            digits = words[index].rstrip("}],")
            with contextlib.suppress(ValueError):
                factor = float(random.choice([0.0, 0.5, 0.9, 1.1, 2.0, 3.0]))
                value = float(digits) * factor
                whole = digits.isdigit() and random.random() < 0.9
                words[index] = f"{round(value) if whole else value}{words[index][len(digits) :]}"
            lines[first] = " ".join(words)
    return "\n".join(lines)


def read_model(text: str) -> None:
    """Read and compile a model, where a file names others beside the examples."""
    compile_graph(Model(describe_text(text, str(EXAMPLES / "model.yaml"))).description)


class Watched:
    """A process that makes attempts, ended and started again where one takes too long.

    An alarm inside the process would not do: handlers of errors may catch what it raises.
    """

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the process."""
        context = multiprocessing.get_context("fork")
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=serve, args=(end,), daemon=True)
        self.process.start()
        end.close()

    def attempt(self, read: Callable[..., object], given: object) -> str:
        """Return how ``read(given)`` ended: ``read``, ``refused``, ``slow`` or ``crashed``."""
        self.pipe.send((read, given))
        try:
            if self.pipe.poll(SLOW):
                return self.pipe.recv()
            ended = "slow"
        except (EOFError, OSError):
            ended = "crashed"
        print(f"{ended}: {read.__name__} {given!r}", file=sys.stderr)
        self.process.kill()
        self.process.join()
        self.start()
        return ended


def serve(pipe: multiprocessing.connection.Connection) -> None:
    """Make the attempts that are asked for."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        read, given = pipe.recv()
        pipe.send(ended_as(read, given))


def ended_as(read: Callable[..., object], given: object) -> str:
    """Return how ``read(given)`` ended: ``read``, ``refused`` or ``crashed``."""
    try:
        status = read(given)
    except NetdescError as error:
        if any(words in str(error) for words in FOREIGN):
            print(f"crashed: {error}", file=sys.stderr)
            return "crashed"
        return "refused"
    except BaseException as error:  # noqa: BLE001 - whatever else is raised is what this program looks for
        print(f"crashed: {type(error).__name__}: {error}: {given!r}", file=sys.stderr)
        return "crashed"
    if status in (None, 0):
        return "read"
    return "refused" if status in (1, 2, 3) else "crashed"


def run_command(words: tuple[str, ...]) -> int:
    """Run a command and return its status; what it prints is dropped."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = netdesc(list(words))
    if status == 70 or any(words in said.getvalue() for words in FOREIGN):
        print(f"crashed: {said.getvalue()[-800:]}", file=sys.stderr)
        return 70
    return status


MODEL = """
netdesc: 1
simulation: {duration: 20 ms}
populations:
  a: {size: %d, source: %s}
  b: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections: {p: {pre: a, post: b, weight: {init: %s, train: true}}}
losses: {l: {time_to_first_spike: {population: b}}}
training: {optimizer: adam, epochs: 1, batch_size: 4}
"""
ENCODED = "data: {dataset: %s, encoder: {latency: {t_early: 0 ms, t_late: 10 ms, bias: null}}}\n"


def write_models(folder: Path) -> None:
    """Write the models that read the files."""
    times = "{spike_times: {times: [[1 ms], [2 ms], [3 ms], [4 ms]]}}"
    for name in ("weights.npy", "weights.csv", "weights.h5:w"):
        text = MODEL % (4, times, f"{{file: '{name}'}}")
        (folder / f"{name.partition(':')[0]}.yaml").write_text(
            text.replace("{population: b}", "{population: b, target: 0}")
        )
    data = {
        "table": "{table: {file: table.csv, label: kind}}",
        "mnist": "{mnist: {path: ., train: 3, validation: 1, test: 2, size: [4, 4]}}",
    }
    for name, size in (("table", 2), ("mnist", 16)):
        (folder / f"{name}.yaml").write_text(MODEL % (size, "dataset", "0.5") + ENCODED % data[name])
    shd = "data: {dataset: {shd: {train: shd_train.h5, test: shd_test.h5, validation: none}}}\n"
    (folder / "shd.yaml").write_text(MODEL % (700, "dataset", "0.5") + shd)


def write_samples(folder: Path) -> dict[str, Sample]:
    """Write sound files, and return them with the commands that read them."""
    random = np.random.default_rng(1)
    write_models(folder)
    values = random.random((4, 3))
    np.save(folder / "weights.npy", values)
    (folder / "weights.csv").write_text("\n".join(",".join(map(repr, row)) for row in values.tolist()) + "\n")
    with h5py.File(folder / "weights.h5", "w") as file:
        file.create_dataset("w", data=values, compression="gzip", fletcher32=True)
    rows = [f"{a:.4f},{b:.4f},{'xyz'[index % 3]}" for index, (a, b) in enumerate(random.random((12, 2)))]
    (folder / "table.csv").write_text("u,v,kind\n" + "\n".join(rows) + "\n")
    for split, count in (("train", 4), ("t10k", 2)):
        pixels = random.integers(0, 256, count * 784, dtype=np.uint8).tobytes()
        head = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28])
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + pixels)
        labels = bytes([0, 0, 8, 1, 0, 0, 0, count, 0, 1, 2, 0][: 8 + count])
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(labels)
    for split in ("train", "test"):
        write_shd(folder / f"shd_{split}.h5", random)
    commands = [
        ("weights.npy", ("check", "weights.npy.yaml")),
        ("weights.csv", ("check", "weights.csv.yaml")),
        ("weights.h5", ("check", "weights.h5.yaml")),
        ("table.csv", ("check", "table.yaml")),
        ("train-images-idx3-ubyte", ("check", "mnist.yaml")),
        ("train-labels-idx1-ubyte", ("check", "mnist.yaml")),
        ("shd_train.h5", ("check", "shd.yaml")),
    ]
    for words in (
        ("run", "weights.csv.yaml", "-o", "results.h5"),
        ("train", "weights.csv.yaml", "-o", "trained"),
        *(words for _, words in commands),
    ):
        if run_command(words):
            raise SystemExit(f"the sound files are refused: netdesc {' '.join(words)}")
    samples = {name: Sample((folder / name).read_bytes(), name, words) for name, words in commands}
    samples["results.h5"] = Sample(
        (folder / "results.h5").read_bytes(), "results.h5", ("plot", "results.h5", "-o", "picture.svg")
    )
    for name, words in (
        ("weights.h5", ("run", "weights.csv.yaml", "--weights", "trained")),
        ("checkpoint.h5", ("train", "weights.csv.yaml", "-o", "trained", "--resume")),
    ):
        kept = f"trained/{name}"
        samples[kept] = Sample((folder / kept).read_bytes(), kept, words, sealed=True)
    return samples


def write_shd(path: Path, random: np.random.Generator) -> None:
    """Write a small file in the form of the Heidelberg digits."""
    with h5py.File(path, "w") as file:
        for name, draw, kind in (
            ("times", lambda: random.random(20) * 0.02, np.float32),
            ("units", lambda: random.integers(0, 700, 20), np.int64),
        ):
            rows = file.create_dataset(f"spikes/{name}", (5,), dtype=h5py.vlen_dtype(kind))
            for index in range(5):
                rows[index] = draw().astype(kind)
        file["labels"] = np.arange(5) % 3


def attack_models(count: int, random: np.random.Generator) -> Counter[str]:
    """Read mutated models, nine of ten of which are YAML still, and count how they ended."""
    models, found = [file.read_text() for file in sorted(EXAMPLES.glob("*.yaml"))], Counter[str]()
    watched = Watched()
    for index in range(count):
        text = models[index % len(models)]
        if index % 10:
            text = mutate_model(text, random)
        else:
            text = mutate(text.encode(), random).decode("utf-8", errors="replace")
        found[watched.attempt(read_model, text)] += 1
    return found


def attack_data(count: int, random: np.random.Generator) -> Iterator[tuple[str, Counter[str]]]:
    """Give mutated files to the commands that read them, and count how they ended."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        samples, watched = write_samples(Path(folder)), Watched()
        for place, (name, sample) in enumerate(samples.items()):
            found = Counter[str]()
            for _ in range(place, count, len(samples)):
                content = mutate(sample.content, random)
                Path(name).write_bytes(content)
                ended = watched.attempt(run_command, sample.words)
                if ended in ("slow", "crashed"):
                    print(f"{name}: {content[:2000]!r}", file=sys.stderr)
                if ended == "read" and sample.sealed and content != sample.content:
                    ended = "accepted"
                found[ended] += 1
                Path(name).write_bytes(sample.content)
            yield name, found
        os.chdir("/")


def main() -> int:
    """Run all attempts, print a table and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=20_000)
    parser.add_argument("--data", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    failed = 0
    for name, found in chain(
        [("YAML", attack_models(arguments.models, random))] if arguments.models else [],
        attack_data(arguments.data, random) if arguments.data else [],
    ):
        print(f"{name:26}", *(f"{key} {found[key]:6d}" for key in ENDED), flush=True)
        failed += found["slow"] + found["crashed"] + found["accepted"]
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
