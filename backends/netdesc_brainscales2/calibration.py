"""Calibration of a chip."""

from __future__ import annotations

from dataclasses import dataclass

from netdesc.program import Program
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.pattern import Pattern, Spreads, draw_pattern
from netdesc_brainscales2.plan import Plan


@dataclass(frozen=True, slots=True)
class Calibration:
    """A chip as it runs.

    Parameters
    ----------
    pattern : Pattern
        What is left of the deviations of its circuits.
    """

    pattern: Pattern


def calibrate_chip(program: Program, plan: Plan, options: Options, seed: int) -> Calibration:
    """Return the chip as it runs."""
    p = options.profile
    kind = "residual" if options.calibrate else "spread"
    get = {n: getattr(p, f"{n}_{kind}").value for n in ("tau_mem", "tau_syn", "gain", "threshold", "leak", "reset")}
    return Calibration(draw_pattern(options.chip, Spreads(**get, cadc=p.cadc_offset_spread.value)))
