import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.description.model import Loss
from netdesc.errors import DescriptionError
from netdesc.events import Events
from netdesc.goals import Goals
from netdesc.losses.evaluation import evaluate
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.losses.requirements import require_goals
from netdesc.program import PopulationSlice, Program
from netdesc.trace import Trace

OUTPUT = PopulationSlice("output", 0, 2, "spiking", "LIF", ("signed",), False, (2,), {})
PROGRAM = Program("ordered", 40.0, 0, (OUTPUT,), (), {}, ())
LOSS = Loss("times", "spike_time_mse", "output", 1.0, {"target": None})
NAN = np.nan


def value(lists, targets):
    trace = Trace({"output": Events.from_lists(lists)}, None)
    return evaluate({"times": LOSS}, trace, PROGRAM, Goals(times=np.array(targets)))


TRAINS = st.lists(st.lists(st.floats(0, 40), max_size=4), min_size=3, max_size=3)


@given(st.lists(TRAINS, min_size=1, max_size=4), st.integers(1, 3))
def test_spikes_are_found_in_order(lists, count):
    found = FirstSpikes.find_several(Events.from_lists(lists), 3, count)
    for sample, neurons in enumerate(lists):
        for neuron, times in enumerate(neurons):
            wanted = (sorted(times) + [np.inf] * count)[:count]
            assert found.times[sample, neuron].tolist() == wanted


def test_every_spike_has_a_target_of_its_own():
    result = value([[[10.0, 20.0, 25.0], [5.0]]], [[[12.0, 20.0], [4.0, NAN]]])
    assert result.loss == pytest.approx(0.5 * (2.0**2 + 0.0 + 1.0**2))
    # In order of time: 5, 10, 20 and 25 ms; the last is beyond the targets.
    assert result.cotangent.spikes["output"].tolist() == [1.0, -2.0, 0.0, 0.0]


def test_a_spike_that_is_absent_counts_as_one_at_the_end_without_a_slope():
    result = value([[[10.0], []]], [[[10.0, 30.0], [35.0, NAN]]])
    assert result.loss == pytest.approx(0.5 * (10.0**2 + 5.0**2))
    assert result.cotangent.spikes["output"].tolist() == [0.0]
    assert result.correct is None


def test_slopes_are_those_of_central_differences():
    lists, targets = [[[10.0, 20.0], [5.0]], [[7.0], [9.0, 11.0]]], [[[8.0, 21.0], [4.0, 9.0]]] * 2
    slopes = value(lists, targets).cotangent.spikes["output"]
    events = Events.from_lists(lists)
    for place in range(len(events)):
        moved = []
        for step in (1e-4, -1e-4):
            times = events.times.copy()
            times[place] += step
            trace = Trace({"output": Events(times, events.sources, events.offsets)}, None)
            moved.append(evaluate({"times": LOSS}, trace, PROGRAM, Goals(times=np.array(targets))).loss)
        assert slopes[place] == pytest.approx((moved[0] - moved[1]) / 2e-4, abs=1e-7)


@pytest.mark.parametrize(
    ("loss", "goals", "message"),
    [
        (LOSS, Goals(), "spike_time_mse expected target times of the samples, got none"),
        (
            LOSS,
            Goals(times=np.zeros((1, 3, 1))),
            r"expected targets of the 2 neurons of population output, "
            r"got targets of "
            r"3; set populations\.output\.size: 3",
        ),
        (
            Loss("class", "time_to_first_spike", "output", 1.0, {"target": None}),
            Goals(times=np.zeros((1, 2, 1))),
            "time_to_first_spike expected labels of the train samples, got target times; use spike_time_mse",
        ),
        (
            Loss("class", "max_voltage", "output", 1.0, {"target": None}),
            Goals(np.array([2])),
            "labels run from 2 to 2, but population output has 2 neurons",
        ),
    ],
)
def test_samples_without_what_a_loss_needs_are_refused_before_anything_runs(loss, goals, message):
    with pytest.raises(DescriptionError, match=message):
        require_goals([loss], goals, PROGRAM, split="train")


def test_goals_of_some_samples_keep_their_order():
    goals = Goals(np.array([3, 1, 2]), np.arange(6.0).reshape(3, 2, 1)).take(np.array([2, 0]))
    assert (goals.labels.tolist(), goals.times[:, 0, 0].tolist()) == ([2, 3], [4.0, 0.0])
