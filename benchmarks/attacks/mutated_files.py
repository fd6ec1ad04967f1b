"""Read thousands of damaged files; every one must be read or refused with a message, within seconds.

``python benchmarks/attacks/mutated_files.py --models 20000 --data 2000 --seed 0`` mutates the example models
and small NPY, NPZ, CSV, HDF5, IDX and gzip files, and prints how many were read, refused, slow or crashed.
Exits with 1 where one crashed or took longer than 10 s.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from netdesc.compiled import Model
from netdesc.description import describe_text
from netdesc.errors import NetdescError
from netdesc.formats import hdf5
from netdesc.formats.csv import read_matrix, read_table
from netdesc.formats.idx import read_idx
from netdesc.formats.npy import read_npy, read_npz
from netdesc.formats.numbers import as_floats
from netdesc.graph.pipeline import compile_graph

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SLOW = 10.0
MEMORY = 8 * 2**30
PIECES = (b"1e400", b"-1", b"0", b"null", b"[", b"{", b": ", b"&x ", b"*x", b"${a}", b"\0", b"999999999",
          b"'", b"\n")


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
                del changed[place:place + length]
            case 2:
                changed[place:place] = changed[place:place + length]
            case 3:
                changed[place:place] = PIECES[int(random.integers(0, len(PIECES)))]
            case _:
                del changed[len(changed) - length if random.random() < 0.9 else place:]
    return bytes(changed)


def read_model(content: bytes) -> None:
    """Read and compile a model."""
    compile_graph(Model(describe_text(content.decode("utf-8", errors="replace"))).description)


def read_hdf5(file: Path) -> None:
    """Read every dataset of an HDF5 file."""
    with hdf5.opened(file, limit=2**28) as content:
        for name in content.names():
            content.floats(name)
        content.attributes()


def write_samples(folder: Path) -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Return a sound file of every format, and what reads it."""
    values = np.arange(40.0).reshape(8, 5)
    np.save(folder / "a.npy", values)
    np.savez_compressed(folder / "a.npz", x=values)
    with h5py.File(folder / "a.h5", "w") as file:
        file["plain"] = values
        file.create_dataset("packed", data=values, compression="gzip", fletcher32=True)
        file.attrs["duration"] = 1.0
    rows = "a,b\n" + "".join(f"{a},{b}\n" for a, b in values[:, :2].tolist())
    array = b"\0\0\x08\x02" + bytes([0, 0, 0, 4, 0, 0, 0, 5]) + bytes(20)
    return {
        "NPY": ((folder / "a.npy").read_bytes(), lambda file: as_floats(file, read_npy(file))),
        "NPZ": ((folder / "a.npz").read_bytes(), read_npz),
        "HDF5": ((folder / "a.h5").read_bytes(), read_hdf5),
        "CSV": (rows.encode(), read_matrix),
        "table": (rows.encode(), read_table),
        "IDX": (array, lambda file: read_idx(file, 2)),
        "gzip": (gzip.compress(array), lambda file: read_idx(file, 2)),
    }


def attempt(read: Callable[[], object], content: bytes) -> str:
    """Return how reading ended: ``read``, ``refused``, ``slow`` or ``crashed``."""
    start = time.perf_counter()
    try:
        read()
        ended = "read"
    except NetdescError:
        ended = "refused"
    except Exception as error:  # noqa: BLE001 - whatever else is raised is what this program looks for
        print(f"crashed: {type(error).__name__}: {error}: {content[:200]!r}", file=sys.stderr)
        return "crashed"
    return "slow" if time.perf_counter() - start > SLOW else ended


def main() -> int:
    """Run all attempts, print a table and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=20_000)
    parser.add_argument("--data", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    random, counts = np.random.default_rng(arguments.seed), dict[str, Counter[str]]()
    models = [file.read_bytes() for file in sorted(EXAMPLES.glob("*.yaml"))]
    for index in range(arguments.models):
        content = mutate(models[index % len(models)], random)
        counts.setdefault("YAML", Counter())[attempt(lambda text=content: read_model(text), content)] += 1
    with tempfile.TemporaryDirectory() as folder:
        samples, file = write_samples(Path(folder)), Path(folder) / "mutated"
        for index in range(arguments.data):
            name = list(samples)[index % len(samples)]
            content = mutate(samples[name][0], random)
            file.write_bytes(content)
            ended = attempt(lambda read=samples[name][1]: read(file), content)
            counts.setdefault(name, Counter())[ended] += 1
    for name, found in counts.items():
        print(f"{name:6}", *(f"{key} {found[key]:6d}" for key in ("read", "refused", "slow", "crashed")))
    return int(any(found["slow"] + found["crashed"] for found in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
