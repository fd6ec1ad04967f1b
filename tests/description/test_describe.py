"""From text to records."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netdesc.description import describe, describe_text, dump
from netdesc.description.model import Choice, Constant, Description, Distribution, Explicit, Parameter
from netdesc.errors import DescriptionError

VALID = Path(__file__).resolve().parent.parent / "data" / "valid"
YIN_YANG = VALID / "yin_yang.yaml"


def messages(text: str, overrides: object = ()) -> list[str]:
    with pytest.raises(DescriptionError) as caught:
        describe_text(text, "f", overrides)  # type: ignore[arg-type]
    return [str(item) for item in caught.value.diagnostics]


def test_yin_yang_becomes_records_in_base_units() -> None:
    model = describe(YIN_YANG)
    assert (model.name, model.simulation.duration, model.simulation.seed) == ("yin-yang", 40.0, 42)
    assert model.populations["input"].source == Choice("dataset", {})
    hidden = model.populations["hidden"].neuron
    assert hidden is not None
    assert hidden.parameters["tau_mem"] == Parameter(Constant(20.0), low=0.0)
    assert hidden.parameters["v_threshold"].init == Constant(1.0)
    first = model.projections["input_to_hidden"]
    assert first.weight == Parameter(
        Distribution("normal", {"mu": 1.5, "sigma": 0.78}), True, -math.inf, math.inf
    )
    assert (first.post, first.receptor, first.delay.init) == (("hidden",), "signed", Constant(0.0))
    assert model.losses["classification"].options == {
        "tau_0": 0.5,
        "tau_1": 6.4,
        "alpha": 0.003,
        "pull": 0.0,
        "target": None,
    }
    assert model.training is not None
    assert model.training.optimizer.options["learning_rate"] == 5e-3
    assert model.data is not None
    assert model.data.encoder == Choice(
        "latency", {"t_early": 0.0, "t_late": 30.0, "first": "small", "threshold": None, "bias": 0.0}
    )


def test_conductances_are_in_microsiemens() -> None:
    model = describe(VALID / "vogels_abbott.yaml")
    assert model.projections["exc"].weight.init == Constant(0.004)
    assert model.populations["noise"].source == Choice(
        "poisson", {"rate": Constant(0.1), "start": 0.0, "stop": 50.0}
    )
    assert model.populations["excitatory"].size == 3200
    assert [(item.population, item.variable, item.neurons, item.every) for item in model.record] == [
        ("excitatory", "spikes", None, None),
        ("excitatory", "v", (0, 1), 1.0),
        ("inhibitory", "spikes", None, None),
    ]


def test_magnitudes_that_are_trained_stay_at_least_zero() -> None:
    assert describe(VALID / "cells.yaml").projections["p2"].weight == Parameter(
        Constant(0.004), True, 0.0, 0.009
    )


def test_written_out_values_keep_gaps_as_nan() -> None:
    projection = describe(VALID / "inline_spikes.yaml").projections["all"]
    assert isinstance(projection.weight.init, Explicit)
    assert np.array_equal(projection.weight.init.values, [[0.5, 1.2], [np.nan, -0.3]], equal_nan=True)
    assert not projection.weight.init.values.flags.writeable


def test_inline_spikes_are_sorted() -> None:
    source = describe(VALID / "inline_spikes.yaml").populations["input"].source
    assert source == Choice("spike_times", {"times": ((1.0, 3.0), ())})


def test_files_of_three_formats_hold_weights() -> None:
    model = describe(VALID / "files.yaml")
    found = [model.projections[name].weight.init.values.tolist()[0] for name in ("csv", "npy", "hdf5")]  # type: ignore[union-attr]
    assert found == [[1.0, 2.0]] * 3
    assert model.populations["input"].source == Choice("spike_times", {"times": ((1.0, 3.0), (2.5,))})


def test_the_digest_holds_the_content_of_files(tmp_path: Path) -> None:
    text = (
        "netdesc: 1\nsimulation: {duration: 1 ms}\npopulations: {a: {size: 1, neuron: LIF}}\n"
        "projections: {p: {pre: a, post: a, weight: {file: w.csv}}}\n"
    )
    (tmp_path / "m.yaml").write_text(text)
    (tmp_path / "w.csv").write_text("1\n")
    first = describe(tmp_path / "m.yaml").digest
    (tmp_path / "w.csv").write_text("2\n")
    assert describe(tmp_path / "m.yaml").digest != first


def test_the_digest_does_not_depend_on_how_the_same_is_written() -> None:
    one = "netdesc: 1\nname: x\nsimulation: {duration: 1 s}\npopulations: {a: {size: 2, neuron: LIF}}\n"
    other = (
        "netdesc: 1\nneurons: {cell: {LIF: {tau_mem: 0.02 s}}}\n"
        "populations:\n  a: {neuron: cell, size: [2]}\n"
        "simulation: {seed: 0, duration: 1000 ms}\nname: x\n"
    )
    assert describe_text(one).digest == describe_text(other).digest


def test_the_digest_depends_on_the_order_of_populations() -> None:
    text = (
        "netdesc: 1\nname: x\nsimulation: {{duration: 1 s}}\n"
        "populations: {{{}: {{size: 1, neuron: LIF}}, {}: {{size: 1, neuron: LIF}}}}\n"
    )
    assert describe_text(text.format("a", "b")).digest != describe_text(text.format("b", "a")).digest


def test_places_are_known_for_named_neuron_types_through_their_population() -> None:
    places = describe(YIN_YANG).locations
    assert places["populations.hidden.neuron.tau_mem"] == places["neurons.lif.LIF.tau_mem"]
    assert str(places["training.epochs"]).endswith("yin_yang.yaml:37:11")


def test_overrides_change_values_as_text_or_as_python() -> None:
    as_text = describe(YIN_YANG, ["training.epochs=5", "neurons.lif.LIF.tau_mem=10 ms"])
    as_data = describe(YIN_YANG, {"training.epochs": 5, "neurons.lif.LIF.tau_mem": "10 ms"})
    assert as_text.digest == as_data.digest
    assert as_text.training is not None
    assert as_text.training.epochs == 5


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("projections.input_to_hidden.delay.train=true", ("delay", "train"), True),
        ("projections.input_to_hidden.delay=2 ms", ("delay", "init"), Constant(2.0)),
        (
            "projections.input_to_hidden.weight.init.normal.mu=2",
            ("weight", "init"),
            Distribution("normal", {"mu": 2.0, "sigma": 0.78}),
        ),
        ("projections.input_to_hidden.weight.train=false", ("weight", "train"), False),
        (
            "projections.input_to_hidden.connector={fixed_probability: {p: 0.5}}",
            ("connector", "kind"),
            "fixed_probability",
        ),
    ],
)
def test_an_override_reaches_into_short_and_long_forms(
    override: str, path: tuple[str, str], value: object
) -> None:
    projection = describe(YIN_YANG, [override]).projections["input_to_hidden"]
    assert getattr(getattr(projection, path[0]), path[1]) == value


@pytest.mark.parametrize(
    ("override", "end"),
    [
        ("training.epoch=5", "there is no 'epoch' here; did you mean 'epochs'?"),
        ("populations.hiden.size=3", "there is no 'hiden' here; did you mean 'hidden'?"),
        ("populations.hidden.neuron.LIF.tau_mem=3 ms", "this is the type 'lif'; change neurons.lif instead"),
        ("training.epochs", "is not an override; write key.path=value, for example training.epochs=5"),
        ("training.epochs=many", "'many' is not a number; epochs needs one, for example 5"),
        (
            "training.epochs=[1",
            "',' or the closing ']' of a list is missing (in the block that begins at line 1)",
        ),
        (
            "projections.input_to_hidden.weight.normal.mu=2",
            "there is no 'normal' here; did you mean 'init.normal'?",
        ),
        (
            "data.augmentation.3.time_jitter.sigma=1 ms",
            "'3' is not an index of this list of 0; indices begin at 0",
        ),
    ],
)
def test_a_wrong_override_says_what_would_be_right(override: str, end: str) -> None:
    text = YIN_YANG.read_text().replace("\nneurons:", "\n  augmentation: []\nneurons:")
    found = messages(text, [override])
    assert len(found) == 1
    assert found[0].startswith("<override")
    assert found[0].endswith(end)


def test_all_wrong_overrides_are_told_at_once() -> None:
    assert len(messages(YIN_YANG.read_text(), ["a=1", "b=2", "c"])) == 3


def test_a_missing_file_is_told_with_its_name() -> None:
    with pytest.raises(DescriptionError, match=r"^nothing_here\.yaml:1:1: there is no such file$"):
        describe("nothing_here.yaml")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "large.yaml").open("wb") as stream:
        stream.truncate(100 * 2**20)
    with pytest.raises(DescriptionError, match="the file has 100 MiB; at most 16 MiB are read"):
        describe(tmp_path / "large.yaml")


@pytest.mark.parametrize("size", ["1e300", "[1000000000, 1000000000, 1000000000]", "9" * 400, "1e15"])
def test_an_absurd_size_is_refused_at_once(size: str) -> None:
    text = (
        f"netdesc: 1\nsimulation: {{duration: 1 ms}}\npopulations: {{a: {{size: {size}, neuron: LIF}}}}\n"
        'record: {a: [{v: {neurons: "0:999999999999"}}]}\n'
    )
    assert any("populations.a" in item for item in messages(text))


def test_more_memory_may_be_allowed() -> None:
    text = (
        "netdesc: 1\nsimulation: {duration: 1 ms, max_memory: 10 kB}\n"
        "populations: {a: {size: 100, neuron: LIF}}\n"
    )
    assert "20000" not in messages(text)[0]
    assert describe_text(text.replace("10 kB", "20 kB")).populations["a"].size == 100


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_without_a_crash(data: st.DataObject) -> None:
    text = data.draw(
        st.sampled_from([file.read_text(encoding="utf-8") for file in sorted(VALID.glob("*.yaml"))])
    )
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 12)))
    piece = data.draw(
        st.sampled_from(
            [
                "",
                "null",
                "[]",
                "{}",
                "-1",
                "true",
                "x",
                "[[1]]",
                "5 mV",
                ": ",
                "${n}",
                ".nan",
                "1e999",
                "'",
                "{init: 1}",
                "all",
                "0",
            ]
        )
    )
    with contextlib.suppress(DescriptionError):
        model = describe_text(text[:start] + piece + text[stop:], str(VALID / "damaged.yaml"))
        assert resolved_again(model) == model.digest


def resolved_again(model: Description) -> str:
    """Return the digest of a description's own text; a refusal of it is a failure, not an answer."""
    try:
        return describe_text(dump(model)).digest
    except DescriptionError as error:
        return str(error)


positive = st.floats(1e-3, 1e3)


@given(
    tau=positive,
    weight=st.floats(-1e3, 1e3),
    delay=st.floats(0, 1e3),
    rate=positive,
    name=st.text(max_size=10),
)
def test_a_resolved_file_has_the_same_digest(
    tau: float, weight: float, delay: float, rate: float, name: str
) -> None:
    text = (
        "netdesc: 1\nsimulation: {duration: 1 s}\npopulations:\n"
        f"  a: {{size: 2, source: {{poisson: {{rate: {rate} Hz}}}}}}\n"
        f"  b: {{size: 2, neuron: {{LIF: {{tau_mem: {tau} us}}}}}}\n"
        f"projections: {{p: {{pre: a, post: b, weight: {{init: {weight}, train: true}}, "
        f"delay: {delay} ms}}}}\n"
    )
    model = describe_text(text, "f", {"description": name})
    assert describe_text(dump(model), "f").digest == model.digest
    assert model.description == name


def test_reading_imports_nothing_heavy() -> None:
    script = (
        "import sys; from netdesc.description import describe; describe(sys.argv[1]);"
        "print([name for name in ('numba', 'h5py', 'matplotlib', 'rich', 'networkx', 'requests') "
        "if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(YIN_YANG)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert result.stdout.strip() == "[]"
