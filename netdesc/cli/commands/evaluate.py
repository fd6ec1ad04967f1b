"""``netdesc evaluate``: accuracy and costs of trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from netdesc.cli.arguments import AsJson, Backend, File, Overrides
from netdesc.cli.costs import arrange_beside, foresee, tabulate_costs
from netdesc.cli.output import emit, table
from netdesc.cli.output import show as print_text
from netdesc.cli.unused import read_model

if TYPE_CHECKING:
    from netdesc.training import Metrics


def evaluate(
    file: File,
    overrides: Overrides = None,
    *,
    weights: Annotated[
        Path, typer.Option("--weights", metavar="DIR", help="Run directory of a training, or its weights.h5.")
    ],
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    """Measure trained weights on the test samples.

    Exit status 1 if they miss what the file expects for test_accuracy or test_loss.
    """
    from netdesc.api import compile
    from netdesc.training import evaluate as measure
    from netdesc.training.preparation import choose_backend
    from netdesc.training.records import arrange_record

    model = read_model(file, overrides)
    metrics = measure(model, weights, backend)
    outlook = foresee(compile(model, backend or choose_backend(model))) if metrics.costs else None
    estimate = None if outlook is None else outlook.forecast.run
    checks = compare(model.description.expect, metrics)
    if as_json:
        beside = arrange_beside(estimate, metrics.costs, metrics.samples)
        expectations = [item._asdict() for item in checks]
        emit({**arrange_record(metrics), "estimate": beside, "expectations": expectations})
    else:
        print_text(table(("", metrics.split), rows(metrics)))
        if metrics.costs:
            print_text(tabulate_costs(estimate, metrics.costs, metrics.samples))
        for item in checks:
            print_text(
                f"{item.name} {item.found:.6g}: {'as expected' if item.met else 'NOT as expected'} "
                f"({item.expected})"
            )
    if not all(item.met for item in checks):
        raise typer.Exit(1)


class Check(NamedTuple):
    """An expectation beside what was found.

    Parameters
    ----------
    name : str
        Key in the section ``expect``.
    found : float
    expected : str
        In words.
    met : bool
    """

    name: str
    found: float
    expected: str
    met: bool


def compare(expect: Mapping[str, object], metrics: Metrics) -> list[Check]:
    """Compare metrics with what the file expects of them.

    Parameters
    ----------
    expect : mapping
        The section ``expect``.
    metrics : Metrics

    Returns
    -------
    list of Check
        For ``test_accuracy`` and ``test_loss``, where the file has them and the metrics are of test samples.
    """
    found = {f"{metrics.split}_accuracy": metrics.accuracy, f"{metrics.split}_loss": metrics.loss}
    checks = []
    for name, value in found.items():
        bounds = expect.get(name)
        if value is None or not isinstance(bounds, Mapping):
            continue
        low, high = bounds.get("between") or (bounds.get("min"), bounds.get("max"))
        limits = [(f"at least {low}", value >= float(low))] if low is not None else []
        limits += [(f"at most {high}", value <= float(high))] if high is not None else []
        checks.append(
            Check(name, value, " and ".join(words for words, _ in limits), all(met for _, met in limits))
        )
    return checks


def rows(metrics: Metrics) -> list[tuple[str, str]]:
    """Return metrics as lines of a table."""
    lines = [("samples", str(metrics.samples)), ("loss", f"{metrics.loss:.6g}")]
    if metrics.accuracy is not None:
        lines.append(("accuracy", f"{100 * metrics.accuracy:.2f} %"))
    if metrics.accuracy_ties_as_errors is not None:
        lines.append(("accuracy, ties counted as errors", f"{100 * metrics.accuracy_ties_as_errors:.2f} %"))
    lines.append(("silent samples", str(metrics.silent_samples)))
    return lines + [
        (f"spikes of {name}", f"{number:.4g} per sample") for name, number in metrics.spikes.items()
    ]
