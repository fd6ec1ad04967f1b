"""Gradients on the host, from what was measured on the chip."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

import numpy as np

from netdesc import surrogate
from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.final_voltages import FINAL
from netdesc.adjoint.host import Adjoint
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.threads import available
from netdesc.trace import Cotangent, Trace
from netdesc_brainscales2.host.refinement import SLOPE, Refined, model_fits, refine
from netdesc_brainscales2.host.replay import Modelled, replay
from netdesc_brainscales2.host.true_model import TrueModel
from netdesc_brainscales2.options import Options


class Host:
    """The model of the host and its adjoint.

    Parameters
    ----------
    program : Program
    options : Options
    known : TrueModel or None
        What the circuits really are; None for a host that takes them for nominal.
    relayed : set of str
        Populations whose spikes reach others through the host, as it measured them.
    """

    def __init__(
        self, program: Program, options: Options, known: TrueModel | None, *, relayed: Set[str] = frozenset()
    ) -> None:
        self.program = program
        self.options = options
        self.threads = available()
        self.known = known
        self.relayed = relayed
        self.layout = Layout(program if known is None else known.program)

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Replay measured spikes through the model, then run the exact adjoint.

        Returns
        -------
        Gradient
            ``health`` has ``unmodelled``: measured spikes that the model would not produce, and
            ``reproduced``: those that it has within the step of the clock in which they were measured, where
            that is most of them; these are taken to be where the model has them. Where the program
            has a surrogate, spikes are not replayed: sampled voltages stand for those of the model.
        """
        if self.program.surrogate is not None:
            step = self.options.milliseconds(self.options.profile.cadc_interval.value)
            return surrogate.adjoint(self.program, trace, cotangent, step=step)
        as_run = trace.effective_parameters
        self.layout.write(as_run if self.known is None else self.known.split(as_run))
        step = self.options.milliseconds(self.options.profile.event_grid.value)
        if not model_fits(self.layout, trace.spikes, step):
            return self.run_adjoint(trace, cotangent, None)
        refined = refine(self.layout, trace.spikes, step, relayed=self.relayed, threads=self.threads)
        moved = replace(trace, spikes=refined.spikes)
        return refined.restore(self.run_adjoint(moved, refined.arrange(cotangent), refined))

    def run_adjoint(self, trace: Trace, cotangent: Cotangent, refined: Refined | None) -> Gradient:
        """Run the exact adjoint of a trace.

        Parameters
        ----------
        trace : Trace
        cotangent : Cotangent
        refined : Refined or None
            What the model knows of its spikes, where it is the chip.
        """
        as_run, floor, raised = trace.effective_parameters, self.options.denominator_floor, 0
        modelled = replay(self.layout, trace.spikes, trace.batch, threads=self.threads)
        currents = dict(modelled.currents)
        if refined is not None:
            currents, raised = refined.support(self.layout, currents, floor)
            floor = SLOPE
        read = next((item for item in self.program.readings if item.kind != FINAL), None)
        grid = None if read is None else trace.recordings[f"{read.population}.v"].times
        backward = Adjoint(self.layout, floor=floor, threads=self.threads, grid=grid)
        whole = replace(trace, residuals=arrange(currents, modelled.release))
        if self.options.unmodelled == "drop" and modelled.unmodelled:
            gradient = run_without(backward, whole, cotangent, modelled)
        else:
            gradient = backward.run(whole, cotangent)
        if self.known is not None:
            gradient = replace(gradient, parameters=self.known.join(gradient.parameters, as_run))
        return replace(
            gradient,
            health={
                **gradient.health,
                "grazing": gradient.health["grazing"] + raised,
                "unmodelled": modelled.unmodelled,
                "reproduced": 0 if refined is None else refined.count,
            },
        )


def arrange(currents: Mapping[str, Floats], releases: Mapping[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Return what the model knows of measured spikes as residuals of a trace."""
    return {name: {"current": values, "release_current": releases[name]} for name, values in currents.items()}


def run_without(backward: Adjoint, trace: Trace, cotangent: Cotangent, modelled: Modelled) -> Gradient:
    """Run an adjoint as if spikes that the model does not produce had not been there.

    Parameters
    ----------
    backward : Adjoint
    trace : Trace
        With currents.
    cotangent : Cotangent
    modelled : Modelled

    Returns
    -------
    Gradient
        With dL/dt of 0 at the spikes that are left out.
    """
    keep = {name: ~flags for name, flags in modelled.impossible.items()}
    spikes: dict[str, Events] = {
        name: events.keep(keep[name]) if name in keep else events for name, events in trace.spikes.items()
    }

    def pick(values: dict[str, Floats]) -> dict[str, Floats]:
        return {name: found[keep[name]] if name in keep else found for name, found in values.items()}

    fewer = replace(
        trace, spikes=spikes, residuals=arrange(pick(dict(modelled.currents)), pick(dict(modelled.release)))
    )
    gradient = backward.run(fewer, replace(cotangent, spikes=pick(dict(cotangent.spikes))))
    totals = {}
    for name, found in gradient.spike_times.items():
        if name in keep:
            totals[name] = np.zeros(len(keep[name]))
            totals[name][keep[name]] = found
        else:
            totals[name] = found
    return replace(gradient, spike_times=totals)
