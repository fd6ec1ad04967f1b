"""``netdesc compare``: one model on several substrates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netdesc.cli.arguments import AsJson, File, Overrides, Weights, expand_groups, option
from netdesc.cli.output import emit, show, table, tell
from netdesc.cli.preparation import list_weights, load_model, require_targets
from netdesc.errors import BackendError

if TYPE_CHECKING:
    from netdesc.comparison import Comparison, Effect

MARK = "~"
"""Marks an effect that does not exceed the noise."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Options that choose the substrates and their weights."""

    backends: Annotated[
        str,
        typer.Option(
            "--backends",
            metavar="A,B,...",
            help="Substrates, each BACKEND or LABEL=BACKEND:OPTION=VALUE+OPTION=VALUE, for example "
            "numba,spinnaker2,coarse=numba:solver.grid.timestep=1ms.",
        ),
    ]
    reference: Annotated[
        str | None,
        option(
            "--reference",
            metavar="LABEL",
            help="Substrate that the others are compared with.  [default: the first substrate]",
        ),
    ] = None
    weights: Weights = None
    train: Annotated[
        bool, typer.Option("--train", help="Train each substrate separately before the comparison.")
    ] = False


@dataclass(frozen=True, slots=True)
class Extent:
    """Options that set what is measured; see ``netdesc.comparison.Settings``."""

    samples: Annotated[
        int, typer.Option(help="Number of samples whose spikes and gradients are compared.")
    ] = 16
    test_samples: Annotated[int, typer.Option(help="Largest number of samples for accuracy and loss.")] = 500
    window: Annotated[float, typer.Option(help="Largest time difference of matched spikes, in ms.")] = 2.0
    attribute: Annotated[
        bool, typer.Option("--attribute/--no-attribute", help="Measure the sources of deviation.")
    ] = True
    repeats: Annotated[int, typer.Option(help="Noise seeds per source of deviation on noisy substrates.")] = 3


@dataclass(frozen=True, slots=True)
class Output:
    """Options that set where the results are written."""

    report: Annotated[Path | None, option("-o", "--output", metavar="REPORT.html", help="HTML report.")] = (
        None
    )
    numbers: Annotated[
        Path | None, option("--csv", metavar="NUMBERS.csv", help="CSV file with all numbers of the report.")
    ] = None
    as_json: AsJson = False


@expand_groups
def compare(
    file: File, overrides: Overrides = None, *, choice: Choice, extent: Extent, output: Output
) -> None:
    """Run a model on several substrates and report deviations.

    The report says where they agree, where they deviate, and why.
    """
    from netdesc.comparison import Settings, Weights, arrange, parse_list, with_former_keys
    from netdesc.comparison import compare as compare_substrates

    targets = {"-o": output.report, "--csv": output.numbers}
    require_targets(targets, [file, *list_weights(choice.weights)])
    settings = Settings(**asdict(extent))
    model = load_model(file, overrides, targets)
    result = compare_substrates(
        model,
        parse_list(choice.backends),
        choice.reference,
        weights=Weights(choice.weights, choice.train),
        settings=settings,
    )
    data = arrange(result)
    write_files(data, output)
    if output.as_json:
        emit(with_former_keys(data))
    else:
        show(describe(result))
    if result.refusals:
        raise typer.Exit(BackendError.exit_status)


def write_files(data: dict[str, Any], output: Output) -> None:
    """Write the report and the numbers, where a file is named for them."""
    if output.report is not None:
        from netdesc.report import write

        write(data, output.report)
        tell(f"wrote {output.report}")
    if output.numbers is not None:
        from netdesc.report import write_csv

        write_csv(data, output.numbers)
        tell(f"wrote {output.numbers}")


def describe(comparison: Comparison) -> str:
    """Return the verdicts as text.

    Returns
    -------
    str
        The verdict on each substrate with its findings, then the sources of deviation.
    """
    lines = [f"reference: {comparison.reference}"]
    for label, item in comparison.verdicts.items():
        lines += ["", f"{label}: {item.level}"]
        lines += [f"  {text}" for text in (*item.alerts, *item.reasons, *item.findings)]
        if label in comparison.attributions:
            effects = comparison.attributions[label].effects
            rows = [tuple(_row(effect)) for effect in effects]
            lines += ["", table(("  source of deviation", "spikes", "1 - cosine", "accuracy"), rows)]
            if any(MARK in cell for row in rows for cell in row):
                count = max(effect.repeats for effect in effects)
                lines.append(f"  {MARK} within noise, from {count} noise seeds")
    return "\n".join(lines)


def _row(effect: Effect) -> Iterator[str]:
    yield f"  {effect.source}"
    for name, form in (("spikes", ".3g"), ("gradient", ".3g"), ("accuracy", "+.2%")):
        value = getattr(effect, name)
        lost = effect.repeats > 1 and effect.size(name) > 0.0 and not effect.is_clear(name)
        yield "-" if value is None or isnan(value) else f"{value:{form}}{MARK if lost else ''}"
