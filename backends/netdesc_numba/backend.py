"""What the numba simulator is, can do, and needs of a graph. Compiled code is imported only to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netdesc.backend import Machine
from netdesc.dynamics.equations import KIND
from netdesc.graph.passes import CheckLimits, CheckPrecision, CheckState, Pass, RoundToSteps
from netdesc.limits import LOSSES, Limits
from netdesc.models import catalogue
from netdesc.program import Program
from netdesc.workload import Spell, Workload
from netdesc_numba.grid.passes import ApplyTransport, CheckScheme
from netdesc_numba.non_idealities import Pair, list_non_idealities
from netdesc_numba.options import OPTIONS, Options
from netdesc_numba.passes import CheckCells

MODELS = frozenset({"LIF", "LI", "IF_curr_exp", *catalogue(), KIND, "dataset", "spike_times", "poisson"})


class NumbaBackend:
    """A simulator on the processor, compiled by numba.

    Parameters
    ----------
    options : mapping
        The section ``backends.numba`` of a file: ``solver`` (``event`` or ``grid`` with ``timestep`` in ms
        and ``scheme``), ``threads``, ``denominator_floor``, ``max_spikes``.

    Raises
    ------
    BackendError
        If an option is unknown or invalid.
    """

    name = "numba"
    declared_options = OPTIONS

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = Options.read(options)
        self.section = options
        step = self.options.timestep
        self.limits = Limits(
            time="event-driven, exact in continuous time" if step is None else f"grid of {step:g} ms",
            models=MODELS,
            trainable=frozenset({"weight", "delay"}),
            losses=LOSSES,
            recordings=frozenset({"spikes", "v", "i", "lam_v", "lam_i"}),
            step=step,
        )

    def passes(self) -> Sequence[Pass]:
        """Return the checks of this backend and, for a grid, the rounding to it."""
        checks: tuple[Pass, ...] = (CheckLimits(self.limits, self.name, "NB"), CheckState(self.name, "NB"))
        if self.options.timestep is None:
            return (*checks, CheckCells())
        checks = (*checks, CheckScheme(self.options), CheckCells())
        if self.options.transport:
            checks = (*checks, ApplyTransport(self.options.timestep))
        if self.options.precision == "float32":
            checks = (*checks, CheckPrecision("NB"))
        rounding = RoundToSteps(
            self.options.timestep, "steps", "NB-GRID", "NB-GRID", instead="use solver: event, "
        )
        return (*checks, rounding)

    def non_idealities(self) -> dict[str, Pair]:
        """Return the settings without and with every non-ideality of this backend."""
        return list_non_idealities(self.section)

    def spell(self, work: Workload) -> Spell:
        """Return the time that work takes; see ``netdesc.workload.Timed``."""
        from netdesc_numba.speed import estimate_spell

        return estimate_spell(work, self.options)

    def faster(self) -> Mapping[str, Mapping[str, Any]]:
        """Return settings that may be faster; see ``netdesc.workload.Timed``."""
        from netdesc_numba.speed import list_faster

        return list_faster(self.section, self.options)

    def load(self, program: Program, *, seed: int) -> Machine:
        """Lay a program out for the kernels.

        Parameters
        ----------
        program : Program
        seed : int
            Not used: nothing here differs from device to device.
        """
        if self.options.timestep is None:
            from netdesc_numba.event.machine import EventMachine

            return EventMachine(program, self.options)
        if any(population.equations is not None for population in program.populations):
            from netdesc_numba.grid.cell_machine import CellTickMachine

            return CellTickMachine(program, self.options)
        from netdesc_numba.grid.machine import TickMachine

        return TickMachine(program, self.options)
