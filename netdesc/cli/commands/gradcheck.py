"""``netdesc gradcheck``: exact gradients against differences of the loss."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from netdesc.cli.arguments import AsJson, Backend, File, Overrides, Weights
from netdesc.cli.expectations import check_gradients
from netdesc.cli.output import emit, show, table
from netdesc.cli.preparation import prepare


def gradcheck(
    file: File,
    overrides: Overrides = None,
    *,
    backend: Backend = None,
    weights: Weights = None,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", help="Largest deviation allowed, relative to the largest entry of a gradient."
        ),
    ] = 1e-6,
    samples: Annotated[
        int, typer.Option("--samples", min=1, help="Number of samples of the first batch to check.")
    ] = 1,
    entries: Annotated[
        int, typer.Option("--entries", min=1, help="Number of entries to check per projection.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """Compare gradients with central differences.

    Exit status 1 if they disagree.
    """
    compiled, batch = prepare(file, overrides, backend, weights=weights)
    found = check_gradients(compiled, batch.head(samples), limit=entries)
    good = found.checked > 0 and bool(np.isfinite(found.deviation)) and found.deviation <= tolerance
    if as_json:
        emit(
            {
                "passed": good,
                "loss": found.loss,
                "deviation": found.deviation,
                "tolerance": tolerance,
                "checked": found.checked,
                "skipped": found.skipped,
                "parameters": {
                    key: {"deviation": item.deviation, "checked": item.checked, "skipped": item.skipped}
                    for key, item in found.comparisons.items()
                },
            }
        )
    else:
        show(
            table(
                ("parameter", "entries", "skipped", "deviation"),
                [
                    (
                        key,
                        str(item.checked),
                        str(item.skipped),
                        f"{item.deviation:.2e}" if item.checked else "-",
                    )
                    for key, item in found.comparisons.items()
                ],
            )
        )
        show(_verdict(found.deviation, tolerance, found.checked))
    if not good:
        raise typer.Exit(1)


def _verdict(deviation: float, tolerance: float, checked: int) -> str:
    if not checked:
        return "failed: nothing to compare; every entry changes the number of spikes, or nothing is trained"
    passed = "passed" if deviation <= tolerance else "failed"
    return f"{passed}: largest deviation {deviation:.2e}, allowed {tolerance:g}"
