"""What ``adjoint`` returns."""

from __future__ import annotations

from collections.abc import Mapping

from netdesc.border.findings import Findings
from netdesc.border.traces import ADJOINTS, check_recordings
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.trace import Trace


def check_gradient(findings: Findings, gradient: object, trace: Trace, program: Program) -> None:
    """Note everything that is wrong with a gradient.

    Parameters
    ----------
    findings : Findings
    gradient : object
        As returned.
    trace : Trace
        What it belongs to.
    program : Program
    """
    if not findings.require(gradient, "a wrong result", Gradient):
        return
    shapes = shape_trainable(program)
    if findings.require_keys(gradient.parameters, "parameters", shapes):
        for key, shape in shapes.items():
            findings.check_finite(gradient.parameters[key], f"parameters of {key}", shape)
    # Surrogate gradients come from sampled voltages and have none of spike times.
    none = isinstance(gradient.spike_times, Mapping) and not gradient.spike_times
    if not none and findings.require_keys(gradient.spike_times, "spike_times", trace.spikes):
        for name, events in trace.spikes.items():
            findings.check_finite(gradient.spike_times[name], f"spike_times of {name}", (len(events),))
    wanted = [item for item in program.sampling if item.variable in ADJOINTS]
    check_recordings(findings, gradient.recordings, wanted, program, batch=trace.batch)
    findings.check_counts(gradient.health, "health")


def shape_trainable(program: Program) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the trainable parameters, by key, without copying them."""
    return {key: item.values.shape for key, item in program.declared().items() if item.trained}
