"""The page: tables with ratios, and what a reader has to know to judge them."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np

TITLES = {
    "recurrent": "Recurrent layer",
    "yin_yang": "Yin-Yang",
    "mnist": "Images",
    "balanced": "Balanced network",
}
NOTES = {
    "recurrent": """
700-H-10 neurons: {input}, a hidden layer that projects onto itself all to all with a delay of 2 ms,
and 10 integrators read out by the cross entropy of their mean voltage; samples of 1.4 s, {batch} in
a batch. One repetition is a whole training step: forward run, gradient and Adam. The frameworks
have no delay other than the step of their grid, 1 ms, which is what their recurrent synapses take;
their integrators have no synaptic current.
""",
    "yin_yang": """
5-120-3 spiking neurons, samples of 40 ms. netdesc learns by the times of first spikes, the
frameworks by the cross entropy of spike counts. Whole training steps, from batches that are ready.
""",
    "mnist": """
784-350-10 neurons: {images}, one spike per bright pixel, samples of 40 ms, integrators read out by
the cross entropy of their mean voltage. Whole epochs: netdesc draws its batches from the samples in
each; those of the frameworks are ready on their grid, which takes no time here. In the last table
netdesc alone trains hidden layers of several widths, and the time is for a sample and a hidden
neuron.
""",
    "balanced": """
{neurons} current-based neurons (Vogels and Abbott 2005, as in Brette et al. 2007, benchmark 2),
excitatory and inhibitory 4 to 1, connected at 2 %, with exponential synapses of 5 and 10 ms; the
same synapses and first voltages for all. One repetition is a forward run of 1 s on the wall clock,
without construction. Brian2 reports the time of its loop itself.
""",
}
ABOUT = """
`make bench` installs other simulators from PyPI into environments of their own and has them do the
same work as netdesc. All contestants of a table are prepared first, compiled and run twice; then
they take turns on the same processor and with one thread each. A table shows the
median, with the smallest and the largest value, of the time and of the ratios of times in the same
round: above 1 the contestant is slower than netdesc. Processor time is what
the process used, which other programs affect only through the caches. Preparation is building,
compiling and tuning; it is not included in the times. Weights are scaled until the populations
spike about as often in all contestants, and the learning rate is too small to change that. Peak
memory is that of the whole process, with its libraries and the input. Networks that learn by
surrogate gradients on a grid do not compute netdesc's gradient, which is exact in continuous time.
"""


def flow(text: str, **values: Any) -> str:
    """Fill in values and join the lines of a paragraph."""
    return " ".join(text.format(**values).split())


def describe_machine(processors: int) -> str:
    """Name the processor and the versions that matter."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model
        )
    return (
        f"{model}, {processors} processors; Python {platform.python_version()}, numba {numba.__version__}, "
        f"NumPy {np.__version__}"
    )


def spread(values: Sequence[float], form: str) -> str:
    """Write a median with the smallest and the largest value."""
    low, middle, high = (format(value, form) for value in (min(values), median(values), max(values)))
    return f"{middle} ({low} to {high})"


def find_times(record: Mapping[str, Any], result: Mapping[str, Any]) -> list[float]:
    """Return milliseconds per unit of a contestant, by round."""
    divisor = record["divisor"] * result["share"] / 1e3
    return [value / divisor for value in result[record["clock"]]]


def find_ratios(
    record: Mapping[str, Any], result: Mapping[str, Any], reference: Mapping[str, Any] | None = None
) -> list[float]:
    """Return the times of a contestant relative to those of another, or the first, in the same rounds."""
    others = find_times(record, reference or record["results"][0])
    return [mine / other for mine, other in zip(find_times(record, result), others, strict=False)]


def list_references(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the results that the others are compared with: the first, and netdesc's grid if it is next."""
    results = record["results"]
    return results[:1] + [item for item in results[1:2] if item["name"].startswith("netdesc, grid")]


def write_spikes(facts: Mapping[str, Any]) -> str:
    """Write spikes per sample and population, or the rate of a single one."""
    if "Hz" in facts["spikes"]:
        return f"{facts['spikes']['Hz']:.4g} Hz"
    return ", ".join(f"{name} {value:.4g}" for name, value in facts["spikes"].items())


def choose_unit(record: Mapping[str, Any]) -> tuple[str, float]:
    """Return the unit of the times of a case, and how many of it are a millisecond."""
    times = [find_times(record, result) for result in record["results"] if result["wall"]]
    return ("us", 1e3) if times and max(median(values) for values in times) < 0.1 else ("ms", 1.0)


def write_row(record: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Write a contestant as a line of the table of its case."""
    references, factor = list_references(record), choose_unit(record)[1]
    if result["fault"]:
        cells = [result["name"], "", "", result["fault"].replace("|", "/"), *("" for _ in references), "", ""]
        return f"| {' | '.join(cells)} |"
    ratios = [find_ratios(record, result, reference) for reference in references]
    cells = [
        result["name"],
        result["facts"]["precision"],
        write_spikes(result["facts"]),
        spread([factor * value for value in find_times(record, result)], ".4g"),
        *(f"**{spread(values, '.3g')}**" if values else "" for values in ratios),
        f"{result['peak'] / 1e6:.0f}" if result["peak"] else "",
        f"{result['preparation']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def write_case(record: Mapping[str, Any]) -> list[str]:
    """Write the table of a case."""
    unit, clock = choose_unit(record)[0], "wall clock" if record["clock"] == "wall" else "processor time"
    cells = [
        "contestant",
        "precision",
        "rate" if record["work"] == "balanced" else "spikes per sample",
        f"{clock} per {record['unit']} / {unit}",
        *(f"ratio to {reference['name']}" for reference in list_references(record)),
        "peak memory / MB",
        "preparation / s",
    ]
    return [
        f"### {TITLES[record['work']]}, {record['label']}",
        "",
        f"| {' | '.join(cells)} |",
        f"|{'---|' * len(cells)}",
        *(write_row(record, result) for result in record["results"]),
        "",
    ]


def write_page(records: Sequence[Mapping[str, Any]], stem: str) -> str:
    """Write the page of all cases, one section for each work, with charts named after the page."""
    lines = ["# Other simulators", "", flow(ABOUT), ""]
    for work in dict.fromkeys(record["work"] for record in records):
        chosen = [record for record in records if record["work"] == work]
        about = chosen[0]["about"]
        lines += [
            f"## {TITLES[work]}",
            "",
            flow(NOTES[work], **about),
            "",
            f"![Time relative to netdesc's event-driven solver]({stem}_{work}.svg)",
            "",
        ]
        for record in chosen:
            lines += write_case(record)
        turns = max(len(result["wall"]) for record in chosen for result in record["results"])
        lines += [f"{turns} turns on: {about['machine']}; {'; '.join(list_versions(chosen))}.", ""]
    return "\n".join(lines)


def list_versions(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the versions of all contestants that ran."""
    versions = (result["facts"].get("version") for record in records for result in record["results"])
    return list(dict.fromkeys(version for version in versions if version))
