"""``netdesc evaluate``: accuracy and costs of trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netdesc.cli.arguments import AsJson, Backend, File, Overrides
from netdesc.cli.costs import arrange_beside, estimate_run, tabulate_costs
from netdesc.cli.expectations import Check, check_bounds
from netdesc.cli.output import emit, show, table
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
    from netdesc.compiled import choose_backend
    from netdesc.training import evaluate as measure
    from netdesc.training.records import arrange_record

    model = read_model(file, overrides)
    metrics = measure(model, weights, backend)
    estimate = estimate_run(compile(model, backend or choose_backend(model))) if metrics.costs else None
    checks = compare(model.description.expect, metrics)
    if as_json:
        beside = arrange_beside(estimate, metrics.costs, metrics.samples)
        expectations = [
            {"name": item.name, "found": item.value, "expected": item.expected, "met": item.met}
            for item in checks
        ]
        emit({**arrange_record(metrics), "estimate": beside, "expectations": expectations})
    else:
        show(table(("", metrics.split), rows(metrics)))
        if metrics.costs:
            show(tabulate_costs(estimate, metrics.costs, metrics.samples))
        for item in checks:
            words = "as expected" if item.met else "NOT as expected"
            show(f"{item.name} {item.found}: {words} ({item.expected})")
    if not all(item.met for item in checks):
        raise typer.Exit(1)


def compare(expect: Mapping[str, object], metrics: Metrics) -> list[Check]:
    """Compare metrics with what the section ``expect`` of a file says of them.

    Returns
    -------
    list of Check
        For ``test_accuracy`` and ``test_loss``, where the file has them and the metrics are of test samples.
    """
    found = {f"{metrics.split}_accuracy": metrics.accuracy, f"{metrics.split}_loss": metrics.loss}
    return [
        check_bounds(f"expect.{name}", bounds, value)
        for name, value in found.items()
        if value is not None and isinstance(bounds := expect.get(name), Mapping)
    ]


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
