import numpy as np
import pytest

from netdesc.description.model import Loss
from netdesc.errors import BackendError, DescriptionError
from netdesc.events import Events
from netdesc.losses.evaluation import evaluate
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.program import PopulationSlice, Program
from netdesc.trace import Trace


def make_program(size=2):
    output = PopulationSlice("output", 0, size, "spiking", "LIF", ("signed",), False, (size,), {})
    return Program("test", 40.0, 0, (output,), (), {}, ())


def make_trace(lists):
    return Trace({"output": Events.from_lists(lists)}, None)


def squared(target, weight=1.0, name="distance"):
    return Loss(name, "spike_time_mse", "output", weight, {"target": target})


def first_spike_loss(**options):
    return Loss(
        "class",
        "time_to_first_spike",
        "output",
        1.0,
        {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.003, "target": None} | options,
    )


def test_only_the_first_spike_of_a_neuron_carries_a_derivative():
    trace = make_trace([[[3.0, 9.0], [5.0]]])
    result = evaluate({"distance": squared([1.0, 1.0])}, trace, make_program(), None)
    assert result.cotangent.spikes["output"].tolist() == [2.0, 4.0, 0.0]


def test_loss_and_cotangent_are_means_over_the_batch():
    trace = make_trace([[[3.0], []], [[5.0], []]])
    result = evaluate({"distance": squared([1.0, None])}, trace, make_program(), None)
    assert result.loss == (2.0 + 8.0) / 2
    assert result.cotangent.spikes["output"].tolist() == [1.0, 2.0]


def test_weighted_losses_of_one_population_add_up():
    trace = make_trace([[[3.0], []]])
    losses = {"a": squared([1.0, None], weight=2.0, name="a"), "b": squared([0.0, None], name="b")}
    result = evaluate(losses, trace, make_program(), None)
    assert result.terms == {"a": 4.0, "b": 4.5}
    assert result.loss == 8.5
    assert result.cotangent.spikes["output"].tolist() == [7.0]


def test_the_earliest_neuron_is_the_prediction():
    trace = make_trace([[[3.0], [2.0]], [[1.0], [2.0]]])
    result = evaluate({"class": first_spike_loss()}, trace, make_program(), np.array([1, 1]))
    assert result.predictions.tolist() == [1, 0]
    assert result.correct.tolist() == [True, False]


def test_a_tie_goes_to_the_smaller_index_and_is_marked():
    trace = make_trace([[[3.0], [3.0]], [[3.0], [4.0]]])
    result = evaluate({"class": first_spike_loss()}, trace, make_program(), np.array([0, 0]))
    assert result.predictions.tolist() == [0, 0]
    assert result.ties.tolist() == [True, False]


def test_a_silent_sample_predicts_nothing_and_is_counted():
    trace = make_trace([[[], []], [[3.0], []]])
    result = evaluate({"class": first_spike_loss()}, trace, make_program(), np.array([0, 1]))
    assert result.predictions.tolist() == [-1, 0]
    assert not result.ties.any()
    assert (result.silent_samples, result.silent_labels) == (1, 2)
    assert np.isfinite(result.loss)


def test_a_target_stands_in_for_the_labels():
    trace = make_trace([[[3.0], [2.0]]])
    result = evaluate({"class": first_spike_loss(target=1)}, trace, make_program(), None)
    assert result.correct.tolist() == [True]


def test_times_per_neuron_leave_correctness_open():
    result = evaluate({"distance": squared([1.0, 1.0])}, make_trace([[[3.0], [2.0]]]), make_program(), None)
    assert result.correct is None


def test_missing_labels_are_an_error_at_the_loss():
    with pytest.raises(DescriptionError, match=r"losses\.class: .* needs labels"):
        evaluate({"class": first_spike_loss()}, make_trace([[[3.0], []]]), make_program(), None)


def test_a_label_without_a_neuron_is_an_error_that_names_both_numbers():
    trace, labels = make_trace([[[3.0], []]] * 2), np.array([0, 2])
    with pytest.raises(DescriptionError, match="labels run from 0 to 2, but population output has 2 neurons"):
        evaluate({"class": first_spike_loss()}, trace, make_program(), labels)


def test_a_target_list_of_the_wrong_length_is_an_error():
    with pytest.raises(DescriptionError, match="target has 3 times, but the population has 2 neurons"):
        evaluate({"distance": squared([1.0, 1.0, 1.0])}, make_trace([[[3.0], []]]), make_program(), None)


def test_every_loss_without_an_exact_gradient_is_named():
    losses = {
        name: Loss(name, kind, "output", 1.0, {})
        for name, kind in (("a", "per_time_cross_entropy"), ("b", "unheard_of"))
    }
    with pytest.raises(BackendError) as caught:
        evaluate(losses, make_trace([[[3.0], []]]), make_program(), None)
    assert [item.path for item in caught.value.diagnostics] == ["losses.a", "losses.b"]


def test_a_spike_loss_on_a_read_out_is_an_error():
    loss = Loss("class", "spike_time_mse", "readout", 1.0, {"target": [1.0]})
    with pytest.raises(DescriptionError, match="readout never spikes"):
        evaluate({"class": loss}, make_trace([[[3.0], []]]), make_program(), None)


def test_first_spikes_agree_with_those_of_the_events():
    random = np.random.default_rng(1)
    count, batch, size = 300, 7, 11
    events = Events.from_arrays(
        random.uniform(0, 40, count), random.integers(0, size, count), random.integers(0, batch, count), batch
    )
    first = FirstSpikes.find(events, size)
    np.testing.assert_array_equal(first.times, events.first_spikes(size))


def test_first_spikes_of_no_spikes_at_all_are_infinite():
    first = FirstSpikes.find(Events.from_lists([[[], []]]), 2)
    assert np.all(np.isinf(first.times))
    assert first.scatter(np.ones((1, 2)), 0).shape == (0,)
