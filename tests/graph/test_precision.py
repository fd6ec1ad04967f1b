"""Numbers beyond float32 are refused where a device computes in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.api import Model, compile, load
from netdesc.description import describe_text
from netdesc.errors import DescriptionError, GraphError, NumericsError
from netdesc.events import Events
from netdesc.precision import FLOAT32, beyond_float32
from netdesc.trace import Recording, Trace, require_finite

FILE = """
netdesc: 1
simulation: {{duration: 20 ms}}
populations:
  a: {{size: 1, source: {{spike_times: {{times: [[1 ms]]}}}}}}
  b: {{size: 2, neuron: {neuron}{state}}}
projections: {{p: {{pre: a, post: b, weight: {weight}, delay: {delay}{receptor}}}}}
backends: {{spinnaker2: {{scheme: exact_exponential}}, numba: {{solver: {solver}}}}}
"""
RECORDS = "record: {{b: [{{v: {{every: 1 ms}}}}]}}\n"
SINGLE = "{grid: {timestep: 1 ms, precision: float32}}"
BACKENDS = [("numba", "1 ms"), ("spinnaker2", "1 ms"), ("brainscales2", "0 ms")]


def build(backend="numba", solver=SINGLE, record=False, **changes):
    text = FILE + RECORDS if record else FILE
    parts = {"neuron": "LIF", "state": "", "weight": "1", "delay": "1 ms", "receptor": "", **changes}
    return compile(Model(describe_text(text.format(solver=solver, **parts), "model.yaml")), backend)


@pytest.mark.parametrize(("backend", "delay"), BACKENDS)
@pytest.mark.parametrize("weight", ["-1e39", "1e39", "[[1, 1e300]]"])
def test_a_weight_beyond_float32_is_an_error_with_its_place(backend, delay, weight):
    with pytest.raises(GraphError, match=r"projections\.p\.weight: .*beyond float32") as caught:
        build(backend, delay=delay, weight=weight)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"state": ", current: 1e39"}, "populations.b.current"),
        ({"state": ", initial: {v: -1e39}"}, "populations.b.initial.v"),
        ({"neuron": "{LIF: {v_threshold: 1e39}}"}, "populations.b.neuron.v_threshold"),
        (
            {
                "neuron": "{IF_curr_exp: {cm: 1e-6 nF}}",
                "weight": "1e35 nA",
                "receptor": ", receptor: excitatory",
            },
            "projections.p.weight",
        ),
    ],
)
def test_every_number_beyond_float32_is_named(change, path):
    with pytest.raises(GraphError) as caught:
        build(**change)
    assert path in {fault.path for fault in caught.value.diagnostics}


@pytest.mark.parametrize("solver", ["event", "{grid: {timestep: 1 ms}}"])
def test_double_precision_takes_larger_numbers(solver):
    build(solver=solver, weight="-1e39")


@pytest.mark.parametrize(("backend", "delay"), BACKENDS)
@pytest.mark.parametrize("weight", [1e39, -1e300])
def test_training_cannot_write_a_weight_beyond_float32(weight, backend, delay):
    compiled = build(backend, delay=delay, weight="[[1, 1]]")
    with pytest.raises(NumericsError, match=r"p\.weight.*beyond float32"):
        compiled.write({"p.weight": np.array([1.0, weight])})


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(1e-300, 1e300))
def test_what_is_refused_is_what_overflows(value, scale):
    with np.errstate(over="ignore"):
        fits = bool(np.isfinite(np.float32(value * scale))) and abs(value) <= FLOAT32
    found = beyond_float32(np.array([value]), "x", scale=scale)
    near = abs(abs(value) * scale / FLOAT32 - 1.0) < 1e-6 if abs(value) < 1e300 / scale else False
    assert near or (not found) == fits


def test_an_overflow_during_a_run_names_population_and_neuron():
    nothing = {"b": Events(np.empty(0), np.empty(0, dtype=np.int64), np.array([0, 0]))}
    values = np.array([[[0.0, 1.0], [0.0, -np.inf]]])
    recordings = {"b.v": Recording(np.array([0.0, 1.0]), np.array([4, 7]), values)}
    with pytest.raises(NumericsError, match="neuron 7 of b, sample 0: its v at 1 ms"):
        require_finite(Trace(nothing, None, recordings))


@pytest.mark.parametrize("solver", ["event", "{grid: {timestep: 1 ms}}"])
def test_an_overflow_in_double_precision_names_population_and_neuron(solver):
    spikes = Events(np.array([1.0, 1.0]), np.array([0, 0]), np.array([0, 2]))
    compiled = build(solver=solver, neuron="LI", weight="[[1, 1]]", record=True)
    compiled.write({"p.weight": np.array([1.0, 1.7e308])})
    with pytest.raises(NumericsError, match="got overflow in neuron 1 of b, sample 0: its v at") as caught:
        compiled.forward(spikes)
    assert caught.value.exit_status == 1


@pytest.mark.parametrize(("backend", "delay"), BACKENDS)
def test_a_weight_beyond_float32_in_a_file_or_an_override_is_named(tmp_path, backend, delay):
    text = FILE.format(
        solver=SINGLE, neuron="LIF", state="", weight="{file: weights.npy}", delay=delay, receptor=""
    )
    (tmp_path / "model.yaml").write_text(text)
    np.save(tmp_path / "weights.npy", np.array([[1.0, -1e39]]))
    with pytest.raises(GraphError, match=r"projections\.p\.weight: .*-1e\+39, beyond float32"):
        compile(load(tmp_path / "model.yaml"), backend)
    np.save(tmp_path / "weights.npy", np.array([[1.0, 1.0]]))
    with pytest.raises(GraphError, match=r"projections\.p\.weight: .*beyond float32"):
        compile(load(tmp_path / "model.yaml", ["projections.p.weight=1e39"]), backend)


@pytest.mark.parametrize(("weight", "shown"), [("1.7e308", "1.7e+308"), ("[[1, -1e301]]", "-1e+301")])
def test_a_finite_number_that_is_too_large_is_not_called_infinite(weight, shown):
    with pytest.raises(DescriptionError, match="expected a magnitude of at most 1e") as caught:
        build(weight=weight)
    assert shown in str(caught.value)
    assert "finite" not in str(caught.value)
