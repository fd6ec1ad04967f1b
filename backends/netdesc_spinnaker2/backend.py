"""What the emulated SpiNNaker2 is, can do, and needs of a graph. Compiled code is imported only to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netdesc.graph.passes import CheckLimits, CheckPrecision, CheckState, Pass, RoundToSteps
from netdesc.limits import Limits
from netdesc.maps import DeviceMap
from netdesc.program import Program
from netdesc.workload import Spell, Workload
from netdesc_spinnaker2.mapping.checks import MODELS, SOURCES
from netdesc_spinnaker2.mapping.text import render
from netdesc_spinnaker2.non_idealities import Pair, list_non_idealities
from netdesc_spinnaker2.options import OPTIONS, Options
from netdesc_spinnaker2.passes import CheckBoard

if TYPE_CHECKING:
    from netdesc.backend import Machine
    from netdesc.maps import Forecast
    from netdesc_spinnaker2.mapping.plan import Plan

LOSSES = frozenset({"time_to_first_spike", "spike_time_mse", "relative_spike_time_mse"})


class SpiNNaker2Backend:
    """An emulated SpiNNaker2: slices of a network on processing elements that exchange packets.

    Parameters
    ----------
    options : mapping
        The section ``backends.spinnaker2`` of a file, see ``options.Options``.

    Raises
    ------
    BackendError
        If an option is unknown or invalid.
    """

    name = "spinnaker2"
    declared_options = OPTIONS

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = Options.read(options)
        self.section = options
        self.limits = Limits(
            time=f"grid of {self.options.step:g} ms, {self.options.scheme}",
            models=MODELS | SOURCES,
            trainable=frozenset({"weight"}),
            losses=LOSSES,
            recordings=frozenset({"spikes", "v", "i"}),
            numbers=self.options.profile.numbers(),
            step=self.options.step,
        )

    def passes(self) -> Sequence[Pass]:
        """Return the checks of this backend, the rounding to ticks, and the map."""
        return (
            CheckLimits(self.limits, self.name, "S2"),
            CheckState(self.name, "S2"),
            CheckPrecision("S2"),
            RoundToSteps(self.options.step, "ticks", "S2-TICK", "S2-DELAY", transport=True),
            CheckBoard(self.options),
        )

    def non_idealities(self) -> dict[str, Pair]:
        """Return the settings without and with every non-ideality of this backend."""
        return list_non_idealities(self.section)

    def spell(self, work: Workload) -> Spell:
        """Return the time that the emulator takes; see ``netdesc.workload.Timed``."""
        from netdesc_spinnaker2.speed import estimate_spell

        return estimate_spell(work, self.options.step)

    def faster(self) -> Mapping[str, Mapping[str, Any]]:
        """Return settings that may be faster: a longer tick; see ``netdesc.workload.Timed``."""
        return {
            f"backends.spinnaker2.tick={tick:g} ms": {**self.section, "tick": tick}
            for tick in (1.0, 0.5)
            if tick > self.options.step
        }

    def load(self, program: Program, *, seed: int) -> Machine:
        """Lay a program out on the board.

        Parameters
        ----------
        program : Program
        seed : int
            Of stochastic rounding.

        Raises
        ------
        LimitError, BackendError
            With everything that the machine cannot do.
        """
        from netdesc_spinnaker2.host.machine import Machine

        return Machine(program, self.options, seed=seed)

    def describe_map(self, program: Program) -> DeviceMap:
        """Return where a program goes on the board; see ``netdesc.maps.Mapped``."""
        from netdesc_spinnaker2.costs.forecast import draw, itemize

        plan = self.lay_out(program)
        return DeviceMap(render(plan), itemize(plan), draw(plan, self.options))

    def estimate(self, program: Program, samples: int) -> Forecast:
        """Estimate what runs of a program take at the expected rates; see ``netdesc.maps.Estimating``."""
        from netdesc_spinnaker2.costs.forecast import forecast

        return forecast(self.lay_out(program), self.options, samples, trains=self.trains(program))

    def trains(self, program: Program) -> bool:
        """Return whether the board is laid out to learn."""
        return any(block.train_weight for block in program.blocks) and self.options.training is not False

    def lay_out(self, program: Program) -> Plan:
        """Lay a program out as ``load`` does.

        Raises
        ------
        LimitError
            With every limit of the machine that the program exceeds.
        """
        from netdesc_spinnaker2.mapping.pipeline import lay_out_program, outputs_of

        return lay_out_program(program, self.options, outputs_of(program), training=self.trains(program))
