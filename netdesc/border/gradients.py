"""What ``adjoint``, ``learn`` and ``state`` return."""

from __future__ import annotations

from collections.abc import Mapping

from netdesc.backend import LearningRule, LearningState, StepReport
from netdesc.border.findings import Findings
from netdesc.border.traces import ADJOINTS, check_recordings
from netdesc.events import Integers
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.trace import Trace


def check_gradient(
    findings: Findings,
    gradient: object,
    trace: Trace,
    program: Program,
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Note everything that is wrong with the gradient, as returned, of a run.

    The shapes are those of the trainable parameters, from ``shape_trainable``.
    """
    if not findings.require(gradient, "a wrong result", Gradient):
        return
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
    findings.check_each(gradient.health, "health", findings.check_count)


def shape_trainable(program: Program) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the trainable parameters, by key, without copying them."""
    return {key: item.values.shape for key, item in program.declared().items() if item.trained}


MOMENTS = {"adam": ("first", "second"), "adamw": ("first", "second"), "sgd": ("velocity",)}
"""What the optimizers remember."""


def check_report(
    findings: Findings,
    report: object,
    program: Program,
    rule: LearningRule | None,
    *,
    batch: int,
    targets: Integers | None,
) -> None:
    """Note everything that is wrong with the report of a step.

    Parameters
    ----------
    findings : Findings
    report : object
        As returned.
    program : Program
    rule : LearningRule or None
        What the device learns; None where it was not prepared.
    batch : int
        Samples of the stimulus.
    targets : ndarray of int64, shape (batch,), or None
        As given to the device.
    """
    if not findings.require(report, "a wrong result", StepReport):
        return
    findings.check_number(report.loss, "loss")
    if targets is not None or report.correct is not None:
        findings.check_array(report.correct, "correct", (batch,), "b")
    if findings.check_array(report.predictions, "predictions", (batch,), "i"):
        read = {item.population for item in rule.objectives[:1]} if rule is not None else set()
        size = max((item.size for item in program.populations if not read or item.name in read), default=0)
        findings.check_range(report.predictions, "predictions", -1, size - 1)
    findings.check_array(report.ties, "ties", (batch,), "b")
    findings.check_count(report.silent_targets, "silent_targets", batch)
    spiking = sum(item.size for item in program.populations if item.kind == "spiking")
    findings.check_count(report.silent_neurons, "silent_neurons", spiking)
    names = [item.name for item in program.populations if item.kind != "readout"]
    if findings.require_keys(report.spikes, "spikes", names):
        findings.check_each(report.spikes, "spikes", findings.check_count)
    findings.check_each(report.health, "health", findings.check_count)
    findings.check_each(report.costs, "costs", findings.check_cost)


def check_state(findings: Findings, state: object, program: Program, rule: LearningRule | None) -> None:
    """Note everything that is wrong with what was read back; the rule is that of `check_report`."""
    if not findings.require(state, "a wrong result", LearningState):
        return
    findings.check_count(state.steps, "steps")
    shapes = shape_trainable(program)
    fields = {"parameters": state.parameters}
    moments = MOMENTS.get(rule.optimizer, ()) if rule is not None else ()
    if findings.require_keys(state.moments, "moments", moments):
        fields |= {f"moments[{name!r}]": state.moments[name] for name in moments}
    for name, values in fields.items():
        if findings.require_keys(values, name, shapes):
            for key, shape in shapes.items():
                findings.check_finite(values[key], f"{name} of {key}", shape)
