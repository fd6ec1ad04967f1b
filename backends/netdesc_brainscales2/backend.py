"""What the emulated BrainScaleS-2 is, can do, and needs of a graph. Compiled code is imported only to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netdesc.graph.passes import CheckLimits, CheckPrecision, CheckState, Pass
from netdesc.limits import LOSSES, Limits
from netdesc.maps import DeviceMap
from netdesc.program import Program
from netdesc.workload import Spell, Workload
from netdesc_brainscales2.mapping.pipeline import map_program
from netdesc_brainscales2.mapping.text import render
from netdesc_brainscales2.non_idealities import Pair, list_non_idealities
from netdesc_brainscales2.options import OPTIONS, Options
from netdesc_brainscales2.passes import MapToChip

if TYPE_CHECKING:
    from netdesc.backend import Machine
    from netdesc.maps import Forecast

MODELS = frozenset({"LIF", "LI", "IF_curr_exp", "dataset", "spike_times", "poisson"})


class BrainScaleS2Backend:
    """An emulated BrainScaleS-2: analog neurons that differ, coarse weights, and a loop that corrects for it.

    Parameters
    ----------
    options : mapping
        The section ``backends.brainscales2`` of a file, see ``options.Options``.

    Raises
    ------
    BackendError
        If an option is unknown or invalid.
    """

    name = "brainscales2"
    declared_options = OPTIONS

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = Options.read(options)
        self.section = options
        self.limits = Limits(
            time="event-driven, analog neurons in continuous time; events on a grid of "
            f"{self.options.profile.event_grid.value * 1e3:g} ns",
            models=MODELS,
            trainable=frozenset({"weight"}),
            losses=LOSSES,
            recordings=frozenset({"spikes", "v"}),
            numbers=self.options.profile.numbers(),
            gradients=frozenset({"eventprop", "surrogate"}),
        )

    def passes(self) -> Sequence[Pass]:
        """Return the checks of this backend and the verdict of the map."""
        return (
            CheckLimits(self.limits, self.name, "B2"),
            CheckState(self.name, "B2"),
            CheckPrecision("B2"),
            MapToChip(self.options),
        )

    def non_idealities(self) -> dict[str, Pair]:
        """Return the settings without and with every non-ideality of this backend."""
        return list_non_idealities(self.section)

    def spell(self, work: Workload) -> Spell:
        """Return the time that the emulator takes; see ``netdesc.workload.Timed``."""
        from netdesc_brainscales2.speed import estimate_spell

        return estimate_spell(work)

    def faster(self) -> Mapping[str, Mapping[str, Any]]:
        """Return settings that may be faster: none; see ``netdesc.workload.Timed``."""
        return {}

    def load(self, program: Program, *, seed: int) -> Machine:
        """Place a program on the chip, calibrate it, and configure it.

        Parameters
        ----------
        program : Program
        seed : int
            Of the noise of the calibration.

        Raises
        ------
        LimitError, BackendError
            With everything that the machine cannot do.
        """
        from netdesc_brainscales2.chip.calibration import commission
        from netdesc_brainscales2.host.machine import AnalogMachine

        plan, calibration = commission(program, self.options)
        return AnalogMachine(program, plan, calibration, self.options)

    def describe_map(self, program: Program) -> DeviceMap:
        """Return where a program goes on the chip; see ``netdesc.maps.Mapped``."""
        from netdesc_brainscales2.chip.calibration import commission
        from netdesc_brainscales2.mapping.chip_map import draw, itemize

        plan, _ = commission(program, self.options)
        return DeviceMap(render(plan, self.options), itemize(plan), draw(plan, self.options))

    def estimate(self, program: Program, samples: int) -> Forecast:
        """Estimate what runs of a program take at the expected rates; see ``netdesc.maps.Estimating``."""
        from netdesc_brainscales2.costs import forecast

        return forecast(program, map_program(program, self.options), self.options, samples)
