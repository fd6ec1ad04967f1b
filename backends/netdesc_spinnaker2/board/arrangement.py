"""A program laid out on the board, without anything compiled."""

from __future__ import annotations

from dataclasses import replace

from netdesc.errors import LimitError
from netdesc.program import Program
from netdesc_spinnaker2.mapping.network_view import view_program
from netdesc_spinnaker2.mapping.pipeline import lay_out
from netdesc_spinnaker2.mapping.plan import Plan
from netdesc_spinnaker2.options import Options


def lay_out_program(program: Program, options: Options, listened: tuple[str, ...], *, training: bool) -> Plan:
    """Map a program onto the board.

    Parameters
    ----------
    program : Program
    options : Options
    listened : tuple of str
        Populations that a loss reads.
    training : bool

    Raises
    ------
    LimitError
        With every limit that it exceeds.
    """
    network = view_program(
        program, options, dict.fromkeys(listened, "time_to_first_spike") if training else {}
    )
    plan, faults = lay_out(network, replace(options, training=training))
    if plan is None or faults:
        raise LimitError([*faults])
    return plan


def outputs_of(program: Program) -> tuple[str, ...]:
    """Return the spiking populations from which no projection leaves; a loss usually reads these."""
    sending = {block.pre for block in program.blocks}
    return tuple(
        item.name for p, item in enumerate(program.populations) if item.kind == "spiking" and p not in sending
    )
