"""``netdesc gradient``: loss, spikes and exact gradients of one batch."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from netdesc.cli.arguments import AsJson, Backend, File, Overrides, Weights, option
from netdesc.cli.layout import (
    arrange_gradients,
    arrange_input_gradients,
    arrange_recordings,
    arrange_spikes,
    count_spikes,
    trace_back,
)
from netdesc.cli.output import STAGES, emit, show, table, tell
from netdesc.cli.preparation import list_weights, prepare, require_targets


def gradient(
    file: File,
    overrides: Overrides = None,
    *,
    backend: Backend = None,
    weights: Weights = None,
    output: Annotated[
        Path | None,
        option(
            "-o", "--output", metavar="OUT.h5", help="HDF5 file for spikes, recordings and recorded adjoints."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print loss, spikes and exact gradients.

    Of the first batch of the data, or of the model itself where it has none.
    """
    from netdesc.api import evaluate_losses

    targets = {"-o": output}
    require_targets(targets, [file, *list_weights(weights)])
    compiled, batch = prepared = prepare(file, overrides, backend, weights=weights, targets=targets)
    program = compiled.program
    trace = compiled.forward(batch.events)
    evaluation = evaluate_losses(compiled, trace, batch.goals)
    STAGES.info("computing gradients")
    result = compiled.backward(trace, evaluation.cotangent)
    if output is not None:
        from netdesc.results import collect, write

        kept = collect(trace, program, trace_back(compiled, None))
        write(replace(kept, recordings={**trace.recordings, **result.recordings}), output)
        tell(f"wrote {output}")
    if as_json:
        emit(
            {
                "name": program.name,
                "digest": program.digest,
                "backend": compiled.backend.name,
                "samples": trace.batch,
                "loss": evaluation.loss,
                "losses": evaluation.terms,
                "spikes": arrange_spikes(trace, program, single=prepared.single),
                "gradients": arrange_gradients(result, program),
                "input_gradients": arrange_input_gradients(result, trace, program, single=prepared.single),
                "recordings": arrange_recordings(
                    {**trace.recordings, **result.recordings}, single=prepared.single
                ),
                "health": {**trace.health, **result.health},
            }
        )
        return
    show(f"loss {evaluation.loss!r}")
    show(table(("population", "spikes per sample"), count_spikes(trace)))
    norms = [
        (key, str(len(values)), f"{math.sqrt(float(values @ values)):.6g}", f"{abs(values).max():.6g}")
        for key, values in result.parameters.items()
        if len(values)
    ]
    show(table(("gradient", "entries", "norm", "largest"), norms))
