"""Wrong results of a backend, one at a time: each must end as an error that names the backend and the field.

A backend that computes nothing returns results that are right, except for one corruption of one field; every
command that calls it is run on them. Prints a table by command and call, and every case that was accepted,
unclear or a traceback; the exit status is 1 if there is any. ``--every N`` runs every N-th case only.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from netdesc import registry
from netdesc.backend import LearningRule, LearningState, StepReport
from netdesc.cli import main as netdesc
from netdesc.errors import BackendError, NetdescError
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.graph.passes import Pass
from netdesc.limits import Limits
from netdesc.program import Program
from netdesc.trace import Cotangent, Read, Recording, Trace

MODEL = """
netdesc: 1
name: wrong
simulation: {duration: 40 ms}
data: {dataset: {yin_yang: {train: 4, validation: 2, test: 2}}, encoder: latency}
populations:
  input: {size: 5, source: dataset}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  membrane: {size: 3, neuron: {LI: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  drive: {pre: input, post: output, weight: {init: 1.0, train: true}, delay: {init: 1 ms, train: true}}
  watch: {pre: output, post: membrane, weight: {init: 0.5, train: true}, delay: 1 ms}
losses:
  first: {time_to_first_spike: {population: output, pull: 0.1}}
  peak: {max_voltage: {population: membrane}}
  level: {mean_voltage: {population: membrane}}
training: {optimizer: adam, epochs: 1, batch_size: 2}
record:
  output: [spikes, {v: {every: 2 ms}}, {lam_v: {every: 2 ms}}]
"""

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "forward": ("run", "gradient", "gradcheck", "train", "compare"),
    "adjoint": ("gradient", "gradcheck", "train", "compare"),
    "learn": ("train on the device",),
    "state": ("train on the device",),
    "constructor": ("check", "run"),
    "passes": ("check", "run"),
    "load": ("run", "train"),
}
"""Commands that make a call."""

Change = Callable[[Any], Any]
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """One corruption of one field in one command.

    Parameters
    ----------
    call : str
        Of the backend, for example ``forward``.
    place : tuple of str
        Fields and keys that lead to what is corrupted; empty for the whole result.
    name : str
        Of the corruption.
    change : callable
        From the right value to the wrong one.
    command : str
    words : tuple of str
        What the message must name besides the backend.
    """

    call: str
    place: Place
    name: str
    change: Change
    command: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.command}: {self.call} {'.'.join(self.place) or 'result'} {self.name}"


class Wrong:
    """A backend whose results are right, except for one corruption."""

    attack: Attack | None = None

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.name: Any = "wrong"
        self.limits: Any = Limits(
            time="none",
            models=frozenset({"LIF", "LI", "dataset"}),
            trainable=frozenset({"weight", "delay"}),
            losses=frozenset({"time_to_first_spike", "max_voltage", "mean_voltage"}),
            recordings=frozenset({"spikes", "v", "lam_v"}),
        )
        attack = Wrong.attack
        if attack is not None and attack.call == "constructor":
            field, *place = attack.place
            setattr(self, field, put(getattr(self, field), tuple(place), attack.change))

    def passes(self) -> Sequence[Pass]:
        """Return no passes."""
        return spoil("passes", ())  # type: ignore[no-any-return]

    def load(self, program: Program, *, seed: int) -> WrongMachine:
        """Return a machine."""
        return spoil("load", WrongMachine(program))  # type: ignore[no-any-return]


class Right(Wrong):
    """The same without corruption, to compare with."""

    def load(self, program: Program, *, seed: int) -> WrongMachine:
        """Return a machine that is right."""
        return WrongMachine(program, right=True)


class WrongMachine:
    """Results of the right form, computed from nothing."""

    def __init__(self, program: Program, *, right: bool = False) -> None:
        self.program: Any = program
        self.plan, self.right = program, right
        self.values: dict[str, Floats] = {}
        for block in program.blocks:
            self.values |= {block.weight_key: block.weights, block.delay_key: block.delays}

    def spoil(self, call: str, result: Any) -> Any:
        """Return a result, corrupted if it is the one to corrupt."""
        return result if self.right else spoil(call, result)

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays."""
        self.values |= parameters

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Return two spikes of every neuron in every sample."""
        program, batch = self.plan, stimulus.batch
        spikes, residuals = {}, {}
        for item in program.populations:
            if item.kind == "source":
                spikes[item.name] = stimulus.select(item.start, item.stop)
            elif item.kind == "spiking":
                times = np.tile(np.repeat([5.0, 9.0], item.size), batch)
                sources = np.tile(np.arange(item.size), 2 * batch)
                spikes[item.name] = Events(times, sources, 2 * item.size * np.arange(batch + 1))
                residuals[item.name] = {
                    "current": np.ones(len(times)),
                    "release_current": np.ones(len(times)),
                }
        readings = {}
        for reading in program.readings:
            shape = (batch, program.population(reading.population).size)
            times = np.full(shape, 7.0) if reading.kind == "maximum" else None
            readings[reading.key] = Read(np.full(shape, np.nan if reading.kind == "final" else 0.5), times)
        return self.spoil(
            "forward",
            Trace(  # type: ignore[no-any-return]
                spikes,
                residuals,
                record(program, batch, ("v",)),
                dict(self.values),
                {"arrivals": 6, "in_flight": 0},
                {"energy_mJ": 1.0},
                {"backend": "wrong", "solver": "none"},
                readings,
            ),
        )

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Return gradients of 0.1."""
        parameters = {key: np.full(values.shape, 0.1) for key, values in self.plan.trainable().items()}
        times = {name: np.zeros(len(events)) for name, events in trace.spikes.items()}
        return self.spoil(
            "adjoint",
            Gradient(  # type: ignore[no-any-return]
                parameters, times, record(self.plan, trace.batch, ("lam_v",)), {"grazing": 0}
            ),
        )

    def prepare(self, rule: LearningRule) -> None:
        """Take any rule."""

    def learn(
        self, stimulus: Events, targets: Integers | None, *, seed: int, factor: float = 1.0
    ) -> StepReport:
        """Report a step that changes nothing."""
        batch = stimulus.batch
        counts = {item.name: 6 for item in self.plan.populations if item.kind != "readout"}
        return self.spoil(
            "learn",
            StepReport(  # type: ignore[no-any-return]
                0.5,
                np.zeros(batch, dtype=np.bool_),
                np.zeros(batch, dtype=np.int64),
                np.zeros(batch, dtype=np.bool_),
                0,
                0,
                counts,
                {"grazing": 0},
                {"energy_mJ": 1.0},
            ),
        )

    def state(self) -> LearningState:
        """Return the parameters and no momentum."""
        values = {key: np.array(self.values[key]) for key in self.plan.trainable()}
        zeros = {key: np.zeros(value.shape) for key, value in values.items()}
        return self.spoil(  # type: ignore[no-any-return]
            "state", LearningState(1, values, {"first": zeros, "second": dict(zeros)})
        )

    def restore(self, state: LearningState) -> None:
        """Put back what was learned."""
        self.values |= state.parameters


def record(program: Program, batch: int, variables: Sequence[str]) -> dict[str, Recording]:
    """Return recordings of zeros."""
    found = {}
    for item in program.sampling:
        if item.variable in variables:
            times = np.arange(int(program.duration / item.every) + 1) * item.every
            found[f"{item.population}.{item.variable}"] = Recording(
                times, item.neurons, np.zeros((batch, len(item.neurons), len(times)))
            )
    return found


def spoil(call: str, result: Any) -> Any:
    """Return a result, corrupted if it is the one to corrupt."""
    attack = Wrong.attack
    return put(result, attack.place, attack.change) if attack is not None and attack.call == call else result


def put(value: Any, place: Place, change: Change) -> Any:
    """Return a copy of nested data with one value changed, past all checks of its constructors."""
    if not place:
        return change(value)
    if isinstance(value, Mapping):
        return {**value, place[0]: put(value[place[0]], place[1:], change)}
    if is_dataclass(value):
        copy = object.__new__(type(value))
        for item in fields(value):
            inner = getattr(value, item.name)
            object.__setattr__(
                copy, item.name, put(inner, place[1:], change) if item.name == place[0] else inner
            )
        return copy
    setattr(value, place[0], put(getattr(value, place[0]), place[1:], change))
    return value


def with_entry(entry: Any, index: int = -1) -> Change:
    """Return a change of one element of an array."""

    def change(array: Any) -> Any:
        copy = np.array(array)
        copy.reshape(-1)[index] = entry
        return copy

    return change


def raising(error: BaseException) -> Change:
    """Return a change that raises."""

    def change(value: Any) -> Any:
        raise error

    return change


def drop(value: Any) -> Any:
    """Return a mapping without its last key."""
    return dict(list(value.items())[:-1])


KINDS: Mapping[str, Change] = {
    "None": lambda value: None,
    "a list": lambda value: list(value) if hasattr(value, "__iter__") else [value],
    "a generator": lambda value: (item for item in ()),
    "a text": lambda value: "text",
    "an object": lambda value: object(),
}

FORMS: Mapping[str, Change] = {
    "None": KINDS["None"],
    "a list": lambda value: value.tolist(),
    "a generator": KINDS["a generator"],
    "too short": lambda value: value[:-1],
    "too long": lambda value: np.append(value, value[-1:], axis=0),
    "one more axis": lambda value: value[..., None],
    "of objects": lambda value: value.astype(object),
    "a number": lambda value: value.reshape(-1)[0],
}

FLOATS: Mapping[str, Change] = {
    **FORMS,
    "NaN": with_entry(np.nan),
    "infinite": with_entry(np.inf),
    "-infinite": with_entry(-np.inf, 0),
    "float32": lambda value: value.astype(np.float32),
    "complex": lambda value: value.astype(complex),
    "whole numbers": lambda value: value.astype(np.int64),
}

INTEGERS: Mapping[str, Change] = {
    **FORMS,
    "floats": lambda value: value.astype(float),
    "int32": lambda value: value.astype(np.int32),
}

FLAGS: Mapping[str, Change] = {**FORMS, "whole numbers": lambda value: value.astype(np.int64)}

MAPPINGS: Mapping[str, Change] = {
    **KINDS,
    "a missing key": drop,
    "another key": lambda value: {**value, "other": next(iter(value.values()))},
}

NAMES: Mapping[str, Change] = {
    **KINDS,
    "a number as key": lambda value: {**value, 1: 1},
    "None as value": lambda value: {"other": None},
}

NUMBERS: Mapping[str, Change] = {
    **KINDS,
    "NaN": lambda value: np.nan,
    "infinite": lambda value: np.inf,
    "a flag": lambda value: True,
}

COUNTS: Mapping[str, Change] = {**NUMBERS, "negative": lambda value: -1, "a fraction": lambda value: 0.5}

ERRORS: Mapping[str, Change] = {
    type(error).__name__: raising(error)
    for error in (
        ValueError("no"),
        SystemExit(0),
        MemoryError(),
        RecursionError("deep"),
        StopIteration(),
        OSError(5, "no"),
        KeyError("k"),
        GeneratorExit(),
        AssertionError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        np.linalg.LinAlgError("singular"),
        ExceptionGroup("several", [ValueError("one")]),
        NetdescError("not of the known kinds"),
        BackendError([3]),
    )
}  # type: ignore[list-item]

SPIKES: Mapping[str, Mapping[str, Change]] = {
    "times": {
        **FLOATS,
        "negative": with_entry(-1e-9, 0),
        "after the end": with_entry(40.1),
        "not in order": with_entry(0.5, 3),
    },
    "sources": {**INTEGERS, "-1": with_entry(-1), "too large": with_entry(7)},
    "offsets": {
        **INTEGERS,
        "not from 0": with_entry(1, 0),
        "beyond the end": with_entry(99),
        "decreasing": with_entry(99, 1),
    },
}

FORWARD: Mapping[Place, Mapping[str, Change]] = {
    (): KINDS,
    ("spikes",): MAPPINGS,
    ("spikes", "output"): KINDS,
    ("spikes", "input"): KINDS,
    **{("spikes", "output", name): changes for name, changes in SPIKES.items()},
    ("spikes", "input", "times"): SPIKES["times"],
    ("residuals",): {name: change for name, change in MAPPINGS.items() if name != "None"},
    ("residuals", "output"): KINDS,
    ("residuals", "output", "current"): FLOATS,
    ("residuals", "output", "release_current"): {
        name: change for name, change in FLOATS.items() if name != "NaN"
    },
    ("recordings",): MAPPINGS,
    ("recordings", "output.v"): KINDS,
    **{
        ("recordings", "output.v", name): changes
        for name, changes in {"times": FLOATS, "neurons": INTEGERS, "values": FLOATS}.items()
    },
    ("effective_parameters",): MAPPINGS,
    ("effective_parameters", "drive.weight"): FLOATS,
    ("effective_parameters", "drive.delay"): {**FLOATS, "negative": with_entry(-1.0)},
    ("readings",): MAPPINGS,
    **{("readings", key): KINDS for key in ("output.final", "membrane.maximum", "membrane.mean")},
    ("readings", "output.final", "values"): FORMS,
    ("readings", "membrane.maximum", "values"): FLOATS,
    ("readings", "membrane.mean", "values"): FLOATS,
    ("readings", "membrane.maximum", "times"): {**FLOATS, "after the end": with_entry(40.1)},
    ("health",): NAMES,
    ("health", "arrivals"): COUNTS,
    ("costs",): NAMES,
    ("costs", "energy_mJ"): {**NUMBERS, "negative": lambda value: -1.0},
    ("provenance",): NAMES,
}

ADJOINT: Mapping[Place, Mapping[str, Change]] = {
    (): KINDS,
    ("parameters",): MAPPINGS,
    **{("parameters", key): FLOATS for key in ("drive.weight", "drive.delay", "watch.weight")},
    ("spike_times",): MAPPINGS,
    ("spike_times", "output"): FLOATS,
    ("spike_times", "input"): FLOATS,
    ("recordings",): MAPPINGS,
    ("recordings", "output.lam_v", "values"): FLOATS,
    ("health",): NAMES,
    ("health", "grazing"): COUNTS,
}

LEARN: Mapping[Place, Mapping[str, Change]] = {
    (): KINDS,
    ("loss",): NUMBERS,
    ("correct",): FLAGS,
    ("ties",): FLAGS,
    ("predictions",): {**INTEGERS, "-2": with_entry(-2), "too large": with_entry(3)},
    ("silent_targets",): {**COUNTS, "too large": lambda value: 3},
    ("silent_neurons",): {**COUNTS, "too large": lambda value: 4},
    ("spikes",): MAPPINGS,
    ("spikes", "output"): COUNTS,
    ("health",): NAMES,
    ("health", "grazing"): COUNTS,
    ("costs",): NAMES,
    ("costs", "energy_mJ"): NUMBERS,
}

STATE: Mapping[Place, Mapping[str, Change]] = {
    (): KINDS,
    ("steps",): COUNTS,
    ("parameters",): MAPPINGS,
    ("parameters", "drive.weight"): FLOATS,
    ("moments",): MAPPINGS,
    ("moments", "first"): MAPPINGS,
    ("moments", "second", "drive.delay"): FLOATS,
}

CONSTRUCTOR: Mapping[Place, Mapping[str, Change]] = {
    ("name",): {
        "None": KINDS["None"],
        "empty": lambda value: "",
        "two words": lambda value: "two words",
        "a list": KINDS["a list"],
    },
    ("limits",): KINDS,
    ("passes",): {"None": KINDS["None"]},
    ("load",): {"a number": lambda value: 3},
    **{
        ("limits", name): {key: KINDS[key] for key in ("None", "a list", "an object")}
        for name in ("models", "trainable", "losses", "recordings", "gradients", "numbers")
    },
    ("limits", "time"): {"None": KINDS["None"], "a list": KINDS["a list"]},
}

PASSES: Mapping[Place, Mapping[str, Change]] = {
    (): {"None": KINDS["None"], "of numbers": lambda value: [3], "an object": KINDS["an object"]}
}

LOAD: Mapping[Place, Mapping[str, Change]] = {
    (): {**KINDS, "a class": lambda value: type(value)},
    ("program",): KINDS,
}

TABLE: Mapping[str, Mapping[Place, Mapping[str, Change]]] = {
    "forward": FORWARD,
    "adjoint": ADJOINT,
    "learn": LEARN,
    "state": STATE,
    "constructor": CONSTRUCTOR,
    "passes": PASSES,
    "load": LOAD,
}


def list_attacks() -> Iterator[Attack]:
    """Yield all corruptions of all fields in all commands."""
    for call, places in TABLE.items():
        for command in COMMANDS[call]:
            recorded = command in ("run", "gradient", "gradcheck")
            for place, changes in places.items():
                if "recordings" in place and call != "constructor" and not recorded:
                    continue  # training and comparisons record something else
                words = place or ("result",)
                for name, change in changes.items():
                    if name == "a list" and call == "passes":
                        continue
                    yield Attack(call, place, name, change, command, words)
            if call != "constructor":
                for name, change in ERRORS.items():
                    yield Attack(call, (), f"raises {name}", change, command, ())


def write_command(attack: Attack, model: Path, folder: Path) -> list[str]:
    """Return the words of a command line."""
    name, *rest = attack.command.split(" ", 1)
    if name == "compare":
        return [name, str(model), "--backends", "right,wrong", "--samples", "2", "--no-attribute", "--json"]
    words = [name, str(model), *(["training.on_device=true"] if rest else []), "--backend", "wrong"]
    return [*words, *(["-o", str(folder / "run")] if name == "train" else [])]


def judge(attack: Attack, model: Path) -> str:
    """Run a command with a corruption; return what is wrong with its answer, or nothing."""
    Wrong.attack = attack
    out, err = io.StringIO(), io.StringIO()
    try:
        with tempfile.TemporaryDirectory() as place, redirect_stdout(out), redirect_stderr(err):
            status = netdesc(write_command(attack, model, Path(place)))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"traceback of {type(error).__name__}"
    finally:
        Wrong.attack = None
    said = err.getvalue() + out.getvalue()
    if attack.command == "compare":
        return judge_comparison(attack, out.getvalue(), status)
    if status != 3:
        return f"exit status {status}: {said.strip().splitlines()[-1:]}"
    missing = [word for word in ("backends.wrong", *attack.words) if word not in said]
    return f"the message lacks {missing}: {said.strip()[:300]}" if missing else ""


def judge_comparison(attack: Attack, said: str, status: int) -> str:
    """Return what is wrong with the answer of ``compare``, or nothing."""
    if status != 3:
        return f"exit status {status}: {said.strip()[:200]}"
    told = json.dumps(json.loads(said))
    missing = [word for word in ("backend wrong", *attack.words) if word not in told]
    return f"the report lacks {missing}" if missing else ""


def offer(group: str) -> list[EntryPoint]:
    """Return the entry points of the two backends."""
    return [EntryPoint(name.lower(), f"{__name__}:{name}", registry.GROUP) for name in ("Right", "Wrong")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all cases, print the table, return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run every N-th case only")
    parser.add_argument("--call", choices=TABLE, help="run the cases of one call only")
    options = parser.parse_args(arguments)
    chosen = [item for item in list_attacks() if options.call in (None, item.call)][:: options.every]
    tried, failed = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as place, patch.object(registry, "entry_points", offer):
        model = Path(place) / "wrong.yaml"
        model.write_text(MODEL, encoding="utf-8")
        for attack in chosen:
            fault = judge(attack, model)
            tried[attack.call, attack.command] += 1
            if fault:
                failed[attack.call, attack.command] += 1
                print(f"{attack}: {fault}")
    print("| call | command | wrong results | not refused as they should be |\n|---|---|---|---|")
    for (call, command), count in tried.items():
        print(f"| {call} | {command} | {count} | {failed[call, command]} |")
    print(f"\n{len(chosen)} wrong results, {failed.total()} not refused as they should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
