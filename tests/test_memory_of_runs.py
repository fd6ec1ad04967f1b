"""A program that would take more memory than there is is refused before any of it is allocated."""

import re
import time
from pathlib import Path

import pytest

from netdesc import budget
from netdesc.api import compile, first_batch
from netdesc.cli.entry import main
from netdesc.compiled import Model
from netdesc.description import describe, describe_text
from netdesc.errors import LimitError, NetdescError
from netdesc.graph.pipeline import compile_graph

ROOT = Path(__file__).parents[1]
BACKENDS = ("numba", "spinnaker2", "brainscales2")
HEAD = "netdesc: 1\nsimulation: {duration: 1000 s}\n"
PAIR = """
populations:
  a: {size: 10, source: {poisson: {rate: 0.1 Hz}}}
  b: {size: 1000, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
"""
JOIN = "projections: {p: {pre: a, post: b, weight: 1}}\n"
LATE = "projections: {p: {pre: a, post: b, weight: 1, delay: 900 s}}\n"
GRID = "backends: {numba: {solver: {grid: {timestep: %s}}}}\n"
YIN_YANG = (ROOT / "examples" / "yin_yang.yaml").read_text()
CASES = {
    "recording": HEAD + PAIR + JOIN + "record: {b: [{v: {every: 0.0001 ms}}]}\n",
    "poisson": HEAD + PAIR.replace("0.1 Hz", "100 kHz") + JOIN,
    "synapses": HEAD + PAIR.replace("10,", "1000000,").replace("1000,", "1000000,") + JOIN,
    "batch": re.sub(
        r"batch_size: \d+", "batch_size: 10000000", YIN_YANG.replace("train: 5000", "train: 10000000")
    ),
    "samples": YIN_YANG.replace("train: 5000", "train: 1000000000"),
    "ticks": HEAD + PAIR + JOIN + GRID % "1e-9 ms",
    "slots": HEAD + PAIR + LATE + GRID % "0.1 ms",
}
ANSWERS = {
    "recording": "values of v",
    "poisson": "expected spikes",
    "synapses": "1e+12 synapses",
    "batch": "10000000 samples",
    "samples": "1e+09 samples",
    "ticks": "ticks",
    "slots": "slots",
}


@pytest.mark.parametrize(
    "command",
    [
        ["check", "--backend", "BACKEND"],
        ["run", "--backend", "BACKEND"],
        ["train", "--backend", "BACKEND"],
        ["gradient", "--backend", "BACKEND"],
        ["compare", "--backends", "BACKEND,numba"],
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", ["recording", "poisson", "synapses", "batch", "samples"])
def test_every_command_refuses_on_every_backend(
    case: str,
    backend: str,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.yaml").write_text(CASES[case])
    words = [word.replace("BACKEND", backend) for word in command[1:]]
    start = time.process_time()
    status = main([command[0], "model.yaml", *words])
    said = "".join(capsys.readouterr())
    assert status in (2, 3)
    assert ANSWERS[case] in said
    assert "the largest item is this one" in said
    assert "fit" in said
    assert time.process_time() - start < 10.0
    assert [item.name for item in tmp_path.iterdir()] == ["model.yaml"]


@pytest.mark.parametrize(
    "command", [["check", "--backend", "numba"], ["run"], ["gradient"]], ids=lambda words: words[0]
)
@pytest.mark.parametrize("case", ["ticks", "slots"])
def test_ticks_and_slots_of_a_grid_count(
    case: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.yaml").write_text(CASES[case])
    status = main([command[0], str(tmp_path / "model.yaml"), *command[1:]])
    said = "".join(capsys.readouterr())
    assert status == 3
    assert ANSWERS[case] in said
    assert "the largest item is this one" in said


def test_a_delay_beyond_the_end_takes_no_slots() -> None:
    text = HEAD.replace("1000 s", "10 ms") + PAIR + LATE.replace("900 s", "1e18 ms") + GRID % "0.1 ms"
    assert compile(Model(describe_text(text)), "numba").program.size == 1010


def test_the_file_of_results_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.replace("1000 s", "1 s") + PAIR + JOIN + "record: {b: [{v: {every: 1 ms}}]}\n"
    compiled = compile(Model(describe_text(text)), "numba")
    monkeypatch.setattr("netdesc.budget.available", lambda: 20e6)
    compiled.require_memory(None)
    with pytest.raises(LimitError, match="their image in the file of results"):
        compiled.require_memory(None, written=True)


def test_spikes_of_samples_are_refused_before_they_are_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile(Model(describe_text(YIN_YANG)), "numba")
    monkeypatch.setattr("netdesc.budget.available", lambda: 1e6)
    with pytest.raises(LimitError, match=r"data.dataset.yin_yang: .* values, .* use fewer samples"):
        first_batch(compiled)


@pytest.mark.parametrize(
    "file",
    sorted([*(ROOT / "examples").glob("*.yaml"), *(ROOT / "tests" / "data" / "valid").glob("*.yaml")]),
    ids=lambda file: file.stem,
)
def test_a_machine_with_4_gib_is_enough(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "available", lambda: 4 * 2.0**30)
    model = Model(describe(file))
    assert compile_graph(model.description).nodes
    refusals = []
    for name in BACKENDS:
        try:
            compile(model, name)
        except NetdescError as error:
            refusals.append(str(error))
    assert not [text for text in refusals if "memory" in text]


def test_synapses_take_more_where_time_is_continuous(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.replace("1000 s", "1 s") + (
        "populations: {a: {size: 1000, neuron: LIF}}\n"
        "projections:\n"
        "  p: {pre: a, post: a, connector: {fixed_number_post: {n: 100}}, weight: 0.001, delay: 1 ms}\n"
    )
    monkeypatch.setattr("netdesc.memory.find_excess", lambda items, *_, **__: seen.extend(items))
    seen: list[budget.Item] = []
    compile(Model(describe_text(text + "backends: {numba: {solver: {grid: {timestep: 0.1 ms}}}}\n")), "numba")
    assert not [item for item in seen if "sorted" in item.noun]
    compile(Model(describe_text(text)), "numba")
    assert [(item.path, item.number) for item in seen if "sorted" in item.noun] == [("projections.p", 1e5)]
