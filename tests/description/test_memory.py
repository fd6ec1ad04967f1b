"""What a model would take is compared with what there is before anything is allocated."""

from pathlib import Path

import pytest

from netdesc import budget
from netdesc.description import describe_text
from netdesc.description.sections import memory
from netdesc.errors import DescriptionError

HEAD = "netdesc: 1\nsimulation: {duration: 1 s, max_memory: 100 MB}\n"


@pytest.mark.parametrize(
    ("text", "largest"),
    [
        ("populations: {a: {size: 1000000, neuron: LIF}}", "populations.a: .* with 1e.06 neurons"),
        (
            "populations: {a: {size: 3000, neuron: LIF}}\nprojections: {p: {pre: a, post: a, weight: 0.1}}",
            "projections.p: .* with 9e.06 synapses",
        ),
        ("populations: {a: {size: 2000, source: {poisson: {rate: 1 kHz}}}}", "with 2e.06 expected spikes"),
        (
            "populations: {a: {size: 2000, source: {poisson: {rate: {uniform: {low: 0 Hz, high: 1 kHz}}}}}}",
            "with 2e.06 expected spikes",
        ),
        (
            "populations: {a: {size: 1000, neuron: LIF}}\nrecord: {a: [{v: {every: 0.1 ms}}]}",
            "record.a: .* with 1e.07 values of v",
        ),
    ],
)
def test_the_largest_item_is_named_with_what_would_fit(text: str, largest: str) -> None:
    with pytest.raises(DescriptionError, match=largest + ".* of which at most .* fit beside the rest"):
        describe_text(HEAD + text)


def test_weights_and_delays_of_their_own_count(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = "{init: {uniform: {low: 1, high: 2}}}"
    pair = "populations: {a: {size: 2000, neuron: LIF}}\n"
    pair += "projections: {p: {pre: a, post: a, weight: %s, delay: %s}}"
    sizes = []
    for weight, delay in (
        ("0.1", "1 ms"),
        (drawn, "1 ms"),
        ("0.1", drawn.replace("1,", "1 ms,").replace("2}", "2 ms}")),
    ):
        monkeypatch.setattr(memory, "find_excess", lambda items, limit: sizes.append(items[1].each))
        describe_text(HEAD + pair % (weight, delay))
    assert sizes[1::2] == sizes[::2]
    assert sizes[::2] == [
        budget.PER_SYNAPSE,
        budget.PER_SYNAPSE + budget.PER_WEIGHT,
        budget.PER_SYNAPSE + budget.PER_DELAY,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "populations: {a: {size: 2000, source: {poisson: {rate: 1 kHz, start: 990 ms}}}}",
        "populations: {a: {size: 1000, neuron: LIF}}\nrecord: {a: [{v: {every: 0.1 ms, neurons: [1, 2]}}]}",
        'populations: {a: {size: 1000, neuron: LIF}}\nrecord: {a: [{v: {every: 0.1 ms, neurons: "0:10"}}]}',
        "populations: {a: {size: 2000, neuron: LIF}}\n"
        "projections: {p: {pre: a, post: a, weight: 0.1, connector: {fixed_probability: {p: 0.01}}}}",
    ],
)
def test_what_fits_is_accepted(text: str) -> None:
    assert describe_text(HEAD + text).populations


def test_the_memory_of_the_machine_counts_as_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    20 kB\n")
    monkeypatch.setattr(budget, "_MEMORY_FILE", tmp_path / "meminfo")
    with pytest.raises(DescriptionError, match=r"more than the memory available on this machine \(20 KiB\)"):
        describe_text(HEAD + "populations: {a: {size: 1000, neuron: LIF}}")
    monkeypatch.setattr(budget, "_MEMORY_FILE", tmp_path / "nothing")
    monkeypatch.setattr(budget, "_GROUP_LIMIT", tmp_path / "nothing")
    assert budget.available() == float("inf")
