"""Writes the golden record: what every network of `networks` computes, bit for bit.

``python tests/golden/record.py`` runs all networks and writes ``tests/data/golden/record.xz``. Reasons for
changes of the record are listed in ``tests/data/golden/changes.md``; a change without a reason there is a
fault. ``--compare`` writes nothing, and prints what differs from the record, in every network.
``--only TEXT`` runs the networks with that text in their names, and leaves the rest of the record as it is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import llvmlite.binding as llvm
import numpy as np
from networks import Network, networks

import netdesc
from netdesc.api import evaluate_losses, first_batch
from netdesc.errors import NetdescError

if TYPE_CHECKING:
    from netdesc.trace import Trace

RECORD = Path(__file__).parents[1] / "data" / "golden" / "record.xz"
Arrays = dict[str, Any]
REFUSED = "refused"


def identify_processor() -> str:
    """Return what determines the bits of a result besides the program: processor and compilers."""
    features = hashlib.sha256(llvm.get_host_cpu_features().flatten().encode()).hexdigest()[:16]
    packages = " ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "llvmlite"))
    return f"{llvm.get_host_cpu_name()} {features} {packages}"


def compute(network: Network) -> Arrays:
    """Run a network and return all results by name; the codes and places of what is refused.

    Parameters
    ----------
    network : Network

    Returns
    -------
    dict of str to ndarray
    """
    overrides = list(network.place.options)
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "network.yaml"
            file.write_text(network.text, encoding="utf-8")
            model = netdesc.load(file, overrides)
            if network.place.trained:
                return train(model, network.place.backend, Path(folder) / "run")
            return run(model, network.place.backend)
    except NetdescError as error:
        refused = sorted({f"{item.code} {item.path}" for item in error.diagnostics})
        return {REFUSED: np.array(json.dumps(refused))}


def run(model: netdesc.Model, backend: str) -> Arrays:
    """Run forward and backward."""
    compiled = netdesc.compile(model, backend)
    batch = first_batch(compiled)
    trace = compiled.forward(batch.events, seed=11)
    found: Arrays = {}
    for name, events in trace.spikes.items():
        found |= {
            f"spikes.{name}.times": events.times,
            f"spikes.{name}.neurons": events.sources,
            f"spikes.{name}.offsets": events.offsets,
        }
    found |= residuals(trace)
    for key, item in trace.recordings.items():
        found |= {f"recordings.{key}": item.values, f"recordings.{key}.times": item.times}
    for key, item in trace.readings.items():
        found[f"readings.{key}"] = item.values
        if item.times is not None:
            found[f"readings.{key}.times"] = item.times
    found |= {f"as_run.{key}": values for key, values in trace.effective_parameters.items()}
    found |= counts("health", trace.health) | counts("costs", trace.costs)
    evaluation = evaluate_losses(compiled, trace, batch.goals)
    gradient = compiled.backward(trace, evaluation.cotangent)
    found["loss"] = np.array(float(evaluation.loss))
    found |= {f"gradient.{key}": values for key, values in gradient.parameters.items()}
    found |= {f"errors.{key}": values for key, values in gradient.spike_times.items()}
    found |= {f"adjoints.{key}": item.values for key, item in gradient.recordings.items()}
    return found | counts("gradient_health", gradient.health)


def residuals(trace: Trace) -> Arrays:
    """Return what the adjoint needs of the spikes of a trace."""
    found: Arrays = {}
    for name, columns in (trace.residuals or {}).items():
        found[f"residuals.{name}.current"] = columns["current"]
        found[f"residuals.{name}.release"] = columns["release_current"]
    return found


def counts(section: str, given: Mapping[str, float]) -> Arrays:
    """Return numbers by name."""
    return {f"{section}.{key}": np.array(value) for key, value in given.items()}


def train(model: netdesc.Model, backend: str, folder: Path) -> Arrays:
    """Train for some epochs, and return weights and losses."""
    result = netdesc.train(model, backend=backend, output=folder)
    found: Arrays = {"losses": np.array([report.loss for report in result.reports])}
    with h5py.File(folder / "weights.h5") as file:

        def read(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
                found[f"weights.{name}"] = item[()]

        file.visititems(read)
    return found


def write(record: Mapping[str, Arrays], processor: str) -> None:
    """Write the results of all networks; an array that occurs again is kept once."""
    places: dict[bytes, int] = {}
    content = bytearray()
    index: dict[str, dict[str, Any]] = {}
    for name, arrays in record.items():
        for key, values in arrays.items():
            array = np.asarray(values)
            data = array.tobytes()
            if data not in places:
                places[data] = len(content)
                content += data
            index.setdefault(name, {})[key] = [array.dtype.str, array.shape, places[data]]
    head = json.dumps({"processor": processor, "networks": index}).encode()
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_bytes(lzma.compress(len(head).to_bytes(8, "little") + head + content))


def read() -> tuple[dict[str, Arrays], str]:
    """Return the record, and on which processor it was made."""
    content = lzma.decompress(RECORD.read_bytes())
    size = 8 + int.from_bytes(content[:8], "little")
    head = json.loads(content[8:size])
    record = {
        name: {
            key: np.frombuffer(content, kind, int(np.prod(shape)), size + place).reshape(shape)
            for key, (kind, shape, place) in arrays.items()
        }
        for name, arrays in head["networks"].items()
    }
    return record, head["processor"]


def compare(old: Arrays, new: Arrays, tolerance: float) -> list[str]:
    """Return what differs.

    Parameters
    ----------
    old, new : dict of str to ndarray
    tolerance : float
        Relative to the largest entry of an array; 0.0 for the same bits.
    """
    faults = [
        f"{key}: only in the {'record' if key in old else 'new results'}" for key in old.keys() ^ new.keys()
    ]
    for key in sorted(old.keys() & new.keys()):
        one, two = np.asarray(old[key]), np.asarray(new[key])
        if one.dtype != two.dtype or one.shape != two.shape:
            faults.append(f"{key}: {one.dtype} {one.shape} in the record, now {two.dtype} {two.shape}")
        elif one.tobytes() != two.tobytes():
            if one.dtype.kind != "f":
                faults.append(f"{key}: {one} in the record, now {two}")
                continue
            scale = np.abs(one[np.isfinite(one)]).max(initial=0.0)
            close = np.isclose(one, two, rtol=0.0, atol=tolerance * scale, equal_nan=True)
            if tolerance == 0.0 or not close.all():
                largest = np.nanmax(np.abs(one - two), initial=0.0) / (scale or 1.0)
                faults.append(
                    f"{key}: {np.count_nonzero(one != two)} of {one.size} differ, by at most "
                    f"{largest:.3g} of the largest"
                )
    return faults


def main() -> int:
    """Write the record, or compare with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--only", metavar="TEXT", default="")
    arguments = parser.parse_args()
    known = read()[0] if arguments.compare or arguments.only else {}
    record = {network.name: known[network.name] for network in networks() if arguments.only}
    chosen = [network for network in networks() if arguments.only in network.name]
    if not chosen:
        parser.error(f"no network has '{arguments.only}' in its name")
    differ = 0
    for network in chosen:
        record[network.name] = compute(network)
        if arguments.compare:
            faults = compare(known.get(network.name, {}), record[network.name], 0.0)
            differ += len(faults) > 0
            for fault in faults:
                print(f"{network.name}: {fault}", flush=True)
    accepted = sum(REFUSED not in results for results in record.values())
    print(f"{len(record)} networks, {accepted} of them run, {len(record) - accepted} refused")
    if arguments.compare:
        print(f"{differ} of {len(chosen)} differ from the record")
        return int(differ > 0)
    write(record, identify_processor())
    print(f"{RECORD.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
