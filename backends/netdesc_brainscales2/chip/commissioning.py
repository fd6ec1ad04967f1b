"""A program on circuits that can do what it asks of them."""

from __future__ import annotations

from dataclasses import replace

from netdesc.errors import Diagnostic, LimitError
from netdesc.program import Program
from netdesc_brainscales2.chip.calibration import Calibration, calibrate_chip
from netdesc_brainscales2.mapping.pipeline import map_program
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options


def commission(program: Program, options: Options) -> tuple[Plan, Calibration]:
    """Place a program, calibrate its circuits, and place it again without those that miss their targets.

    Returns
    -------
    plan : Plan
    calibration : Calibration
        Names the circuits that are left out.

    Raises
    ------
    LimitError
        With everything that does not fit; where too few circuits are left, with why others are not used.
    """
    missed: dict[int, Diagnostic] = {}
    while True:
        try:
            plan = map_program(program, options, frozenset(missed))
        except LimitError as error:
            raise LimitError([*error.diagnostics, *missed.values()]) from error
        calibration, faults = calibrate_chip(program, plan, options)
        if not faults:
            return plan, replace(calibration, left_out={k: item.message for k, item in missed.items()})
        missed |= faults
