"""The suite finds faults: every one that is planted fails the check that is about it."""

import numpy as np
import pytest
from stranger import StrangerBackend, faults

from netdesc.backend import LearningRule, Objective
from netdesc.description import describe_text
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.testing.conformance import CASES, Conformance
from netdesc.testing.conformance.oracle import cotangent_of, differentiate
from netdesc.testing.conformance.spikes import unmatched
from netdesc.testing.reference.simulator import simulate
from netdesc.trace import Cotangent

FAILED = (AssertionError, pytest.fail.Exception)

FAULTS = [
    (faults.SwappedSign, "spikes_agree_with_the_reference", "inhibition"),
    (faults.LateDelay, "spikes_agree_with_the_reference", "single_neuron"),
    (faults.LateDelay, "spikes_agree_with_the_reference", "delays"),
    (faults.DroppedSpike, "spikes_agree_with_the_reference", "single_neuron"),
    (faults.DroppedSpike, "every_delivery_is_accounted_for", "recurrence"),
    (faults.WrongCurrents, "currents_agree_with_the_reference", "layers"),
    (faults.OneSampleGradient, "gradients_are_summed_over_the_batch", "layers"),
    (faults.OneSampleGradient, "gradients_agree_with_the_exact_one", "layers"),
    (faults.SwappedGradient, "gradients_agree_with_the_exact_one", "layers"),
    (faults.BentGradient, "the_adjoint_is_linear_in_the_cotangent", "layers"),
    (faults.BentGradient, "gradients_agree_with_the_exact_one", "layers"),
    (faults.LateGradientOfTimes, "the_gradient_of_the_stimulus_agrees_with_the_exact_one", "layers"),
    (faults.MissingKey, "a_gradient_has_the_keys_and_shapes_of_the_parameters", "layers"),
    (faults.DeafWrite, "written_weights_are_used", "single_neuron"),
    (faults.DeafWrite, "written_delays_are_used", "single_neuron"),
    (faults.SilentWrite, "written_weights_are_used", "single_neuron"),
    (faults.SilentWrite, "written_delays_are_used", "single_neuron"),
    (faults.SilentWrite, "what_is_not_written_stays", "single_neuron"),
    (faults.LeakingSamples, "samples_do_not_depend_on_each_other", "layers"),
    (faults.UnevenRuns, "a_run_can_be_repeated", "layers"),
    (faults.Disorder, "spikes_are_ordered_and_in_range", "single_neuron"),
    (faults.LostDeliveries, "every_delivery_is_accounted_for", "single_neuron"),
    (faults.Nameless, "provenance_says_what_ran", "single_neuron"),
    (faults.MutedSources, "spikes_of_sources_are_echoed", "single_neuron"),
    (faults.DeafToStrays, "a_spike_of_no_source_is_refused", "single_neuron"),
    (faults.Learner, "a_device_that_learns_has_a_rule_of_the_host", "single_neuron"),
]


def suite(device, **attributes):
    """Return the suite for a backend, as a stranger's class would be."""
    return type("Suite", (Conformance,), {"backend": device, **attributes})()


class Descent:
    """What ``Learner`` says it does, on the host."""

    def learning_rule(self, population):
        return LearningRule((Objective("earlier", population, 1.0),), "sgd", {"learning_rate": 1e-3})

    def cotangent(self, trace, targets):
        name, spikes = list(trace.spikes.items())[-1]
        wanted = spikes.sources == targets[spikes.samples()]
        return Cotangent({name: np.where(wanted, 1.0, 0.25)})

    def update(self, parameters, gradient):
        return {key: value - 1e-3 * gradient[key] for key, value in parameters.items()}


@pytest.mark.parametrize(("machine", "check", "case"), FAULTS)
def test_a_planted_fault_fails_its_check(machine, check, case):
    with pytest.raises(FAILED):
        getattr(suite(faults.planted(machine)), f"test_{check}")(case)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_cotangent_made_finite_is_found(value):
    checks = suite(faults.planted(faults.GradientWithoutEnd))
    with pytest.raises(FAILED):
        checks.test_a_cotangent_that_is_not_finite_is_refused("layers", value)


@pytest.mark.parametrize("fault", ["nan", "infinite", "delay", "key"])
def test_a_write_that_takes_anything_is_found(fault):
    with pytest.raises(FAILED):
        suite(faults.planted(faults.CarelessWrite)).test_nonsense_is_not_written("layers", fault)


@pytest.mark.parametrize("case", ["readout", "trained_delays", "instant_cycle", "two_currents"])
def test_a_network_taken_silently_is_found(case):
    with pytest.raises(FAILED, match="the device accepted it"):
        suite(faults.TakesAnything).test_what_is_not_supported_is_refused(case)


@pytest.mark.parametrize("probe", ["models.LI", "recordings.v", "losses.spike_time_mse"])
def test_limits_that_are_not_kept_are_found(probe):
    with pytest.raises(FAILED, match="lacks"):
        suite(faults.TakesAnything).test_limits_are_kept(probe)


def test_a_refusal_that_is_not_declared_is_found():
    with pytest.raises(FAILED, match="name it in unsupported"):
        suite(StrangerBackend).test_spikes_agree_with_the_reference("readout")


def test_a_declared_refusal_that_does_not_happen_is_found():
    with pytest.raises(FAILED, match="the device accepted it"):
        suite(StrangerBackend).test_what_is_not_supported_is_refused("layers")


def test_an_unknown_name_and_a_missing_reason_are_found():
    for unsupported in ({"levitation": "it is heavy"}, {"layers": " "}):
        checks = suite(StrangerBackend, unsupported=unsupported)
        with pytest.raises(FAILED):
            checks.test_what_is_not_supported_is_known_and_has_a_reason()


def test_an_option_left_out_is_found():
    with pytest.raises(FAILED):
        suite(faults.KnowsEveryOption).test_an_unknown_option_is_refused()


def test_a_pass_that_is_not_pure_is_found():
    with pytest.raises(FAILED, match="different graphs"):
        suite(faults.ImpurePass).test_passes_are_pure("layers")


def test_learning_on_a_device_is_compared_with_the_host():
    honest = suite(faults.planted(faults.Learner), learning=Descent)
    honest.test_a_device_that_learns_has_a_rule_of_the_host("layers")
    honest.test_learning_on_the_device_agrees_with_the_host("layers")
    hasty = suite(faults.planted(faults.HastyLearner), learning=Descent)
    with pytest.raises(FAILED, match="away from the host's"):
        hasty.test_learning_on_the_device_agrees_with_the_host("layers")


def test_a_rule_for_a_device_that_does_not_learn_is_found():
    with pytest.raises(FAILED):
        suite(StrangerBackend, learning=Descent).test_a_device_that_learns_has_a_rule_of_the_host("layers")


@pytest.mark.parametrize("case", CASES)
def test_every_projection_of_a_network_matters_to_its_spikes(case):
    program = lower(compile_graph(describe_text(CASES[case].text)))
    found = simulate(program, CASES[case].stimulate(program))
    assert found.marginal == 0
    assert all(len(found.spikes[name]) for name in cotangent_of(program, found.spikes))
    kinds = [item.kind for item in program.populations]
    quiet = {block.weight_key for block in program.blocks if kinds[block.post] == "readout"}
    for key, slopes in differentiate(program, CASES[case].stimulate(program)).items():
        assert key in quiet or np.abs(slopes).max() > 1e-2, key


def test_spikes_are_matched_one_by_one():
    assert unmatched([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 0.0) == 0
    assert unmatched([1.0, 3.0], [1.0, 2.0, 3.0], 0.1) == 1
    assert unmatched([1.0, 2.5, 3.0], [1.0, 2.0, 3.0], 0.1) == 2
    assert unmatched([], [1.0], 5.0) == 1
