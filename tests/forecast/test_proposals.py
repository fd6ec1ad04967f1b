"""Settings that backends propose, and what their model of costs expects of them."""

import pytest

import netdesc
from netdesc.compiled import Model
from netdesc.description import describe_text
from netdesc.forecast.host import Outline, declare_samples
from netdesc.workload import Timed

TEXT = """
netdesc: 1
simulation: {duration: 40 ms, seed: 42}
populations:
  input:  {size: 5, source: {poisson: {rate: 100 Hz}}}
  hidden: {size: 400, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  a: {pre: input, post: hidden, weight: {init: {normal: {mu: 1.5, sigma: 0.8}}, train: true}, delay: 1 ms}
  b: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.9, sigma: 0.1}}, train: true}, delay: 1 ms}
losses:
  c: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003, target: 0}}
training: {optimizer: adam, epochs: 7, batch_size: 1}
"""
CASES = {
    "event": ("numba", ["backends.numba.solver=event", "backends.numba.threads=1"]),
    "fine": ("numba", ["backends.numba.solver.grid.timestep=0.01 ms"]),
    "spinnaker2": ("spinnaker2", ["backends.spinnaker2.tick=0.25 ms"]),
    "brainscales2": ("brainscales2", ["populations.hidden.size=60", "projections.a.delay=0 ms",
                                      "projections.b.delay=0 ms"]),
}  # fmt: skip


def outline(backend: str, overrides: list[str]) -> Outline:
    model = Model(describe_text(TEXT, overrides=overrides))
    compiled = netdesc.compile(model, backend)
    return Outline.of(
        compiled.program,
        model.description,
        compiled.backend,
        dataset=None,
        samples=declare_samples(model.description),
    )


@pytest.mark.parametrize("case", CASES)
def test_every_proposal_is_a_setting_that_the_backend_accepts(case: str) -> None:
    name, overrides = CASES[case]
    found = outline(name, overrides)
    assert isinstance(found.backend, Timed)
    for change, section in found.backend.faster().items():
        assert isinstance(type(found.backend)(section), Timed)  # type: ignore[call-arg]
        # the change is written as a command takes it, and means the same
        other = outline(name, [*overrides, change])
        assert other.backend.limits.time == type(found.backend)(section).limits.time  # type: ignore[call-arg, attr-defined]


def test_a_grid_that_takes_hours_is_told_of_coarser_steps_and_of_events(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netdesc.forecast.host.slowness", lambda: 1e9)
    remedies = outline(*CASES["fine"]).forecast().remedies
    gains = {item.change: item.gain for item in remedies}
    assert gains["backends.numba.solver.grid.timestep=1 ms"] > 1.5
    assert gains["backends.numba.solver=event"] > 1.5


@pytest.mark.parametrize("case", CASES)
def test_a_backend_takes_longer_for_more_of_everything(case: str) -> None:
    found = outline(*CASES[case])
    assert found.timed
    spell = found.case.backend.spell(found.case.work)
    half = found.case.backend.spell(found.case.work.shrink(1, 0.5))
    assert 0.0 < half.forward < spell.forward
    assert 0.0 < half.backward < spell.backward
    assert 0.0 < half.batch < spell.batch
