"""``netdesc run``: one simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from netdesc.cli.arguments import AsJson, Backend, File, Overrides, Seed, Weights, option
from netdesc.cli.costs import arrange_beside, estimate_run, tabulate_costs
from netdesc.cli.layout import arrange_recordings, arrange_spikes, count_spikes, trace_back
from netdesc.cli.output import emit, show, table, tell
from netdesc.cli.preparation import list_weights, prepare, require_targets
from netdesc.cli.unused import list_unrecorded


def run(
    file: File,
    overrides: Overrides = None,
    *,
    backend: Backend = None,
    weights: Weights = None,
    output: Annotated[
        Path | None,
        option("-o", "--output", metavar="OUT.h5", help="HDF5 file for spikes, recordings and provenance."),
    ] = None,
    picture: Annotated[
        Path | None, option("--plot", metavar="PICTURE", help="Picture of the spikes of the first sample.")
    ] = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a model once, or the first batch of its data."""
    targets = {"-o": output, "--plot": picture}
    require_targets(targets, [file, *list_weights(weights)], pictures=[picture])
    prepared = prepare(file, overrides, backend, weights=weights, targets=targets)
    compiled, program = prepared.compiled, prepared.compiled.program
    for item in list_unrecorded(compiled.model):
        tell(str(item))
    trace = compiled.forward(prepared.batch.events, seed)
    if output is not None or picture is not None:
        from netdesc.results import collect, write

        results = collect(trace, program, trace_back(compiled, seed))
        if output is not None:
            write(results, output)
        if picture is not None:
            from netdesc.plotting import plot_raster

            plot_raster(results, picture)
    for target in (output, picture):
        if target is not None:
            tell(f"wrote {target}")
    estimate = estimate_run(compiled) if trace.costs else None
    if as_json:
        emit(
            {
                "name": program.name,
                "digest": program.digest,
                "backend": compiled.backend.name,
                "duration": program.duration,
                "samples": trace.batch,
                "spikes": arrange_spikes(trace, program, single=prepared.single),
                "recordings": arrange_recordings(trace.recordings, single=prepared.single),
                "health": trace.health,
                "costs": trace.costs,
                "estimate": arrange_beside(estimate, trace.costs, trace.batch),
                "provenance": trace.provenance,
            }
        )
        return
    show(f"{program.name}: {trace.batch} sample{'s' if trace.batch > 1 else ''} of {program.duration:g} ms")
    show(table(("population", "spikes per sample"), count_spikes(trace)))
    if trace.costs:
        show(tabulate_costs(estimate, trace.costs, trace.batch, places=trace.provenance))
    for name, number in trace.health.items():
        tell(f"{name}: {number}")
