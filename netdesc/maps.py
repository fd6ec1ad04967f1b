"""Where a network goes on a device, and what a run is expected to take there: records any backend can fill.

Both are optional. A backend that has a method ``describe_map`` is a `Mapped`, one that has ``estimate`` is an
`Estimating`; commands ask with ``isinstance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from netdesc.limits import Limit
from netdesc.program import Program


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of a drawn map.

    Parameters
    ----------
    x, y : float
        Lower left corner, in any unit that all tiles of a panel share.
    width, height : float
    group : str
        Whose it is, for example a population; tiles of one group have one colour. Empty where it is nobody's.
    label : str
        A few letters to stand inside; may be empty.
    fill : float
        How full it is, 0 to 1.
    """

    x: float
    y: float
    width: float
    height: float
    group: str = ""
    label: str = ""
    fill: float = 0.0


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a device, drawn.

    Parameters
    ----------
    title : str
    tiles : tuple of Tile
    fill : str
        What ``Tile.fill`` is a part of, for example ``bytes of SRAM``.
    """

    title: str
    tiles: tuple[Tile, ...]
    fill: str = ""


@dataclass(frozen=True, slots=True)
class DeviceMap:
    """Where a network goes on a device.

    Parameters
    ----------
    text : str
        For people, the same on every machine.
    data : mapping
        The same as plain data: text, numbers, lists and mappings.
    panels : tuple of Panel
        To be drawn; may be empty.
    """

    text: str
    data: Mapping[str, object]
    panels: tuple[Panel, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What is needed of something that a device has only so much of.

    Parameters
    ----------
    name : str
        For people, for example ``bytes of SRAM of the fullest PE``.
    need : float
    limit : Limit
        With source and tag.
    place : str
        Where on the device; may be empty.
    """

    name: str
    need: float
    limit: Limit
    place: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is expected to take.

    Parameters
    ----------
    samples : int
    learns : bool
        Whether the samples are a batch to learn from, in one step.
    costs : mapping of str to float
        By the names of ``Trace.costs``: sums over the samples; where a name begins with ``peak_``, the most
        that one place has to do. A name ends with its unit where it has one: ``time_ms``.
    places : mapping of str to str
        Where peaks are expected, by their names.
    numbers : mapping of str to Limit
        What the costs were computed with, whether estimated or counted.
    """

    samples: int
    learns: bool
    costs: Mapping[str, float]
    places: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, Limit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a device is expected to do with a program.

    Parameters
    ----------
    shares : tuple of Share
    parallel : int
        Samples that run at the same time.
    run : Estimate
        Forward, of as many samples as were asked for.
    step : Estimate or None
        One step of learning from as many samples; None where the program learns nothing there.
    """

    shares: tuple[Share, ...]
    parallel: int
    run: Estimate
    step: Estimate | None = None


@runtime_checkable
class Mapped(Protocol):
    """What a backend offers in addition that can tell where a network goes."""

    def describe_map(self, program: Program) -> DeviceMap:
        """Lay a program out and tell where everything went.

        Parameters
        ----------
        program : Program

        Returns
        -------
        DeviceMap

        Raises
        ------
        LimitError, BackendError
            With everything that does not fit.
        """
        ...


@runtime_checkable
class Estimating(Protocol):
    """What a backend offers in addition that can tell what a run will take."""

    def estimate(self, program: Program, samples: int) -> Forecast:
        """Estimate what runs of a program take.

        Parameters
        ----------
        program : Program
        samples : int
            Of a run, and of a batch to learn from.

        Returns
        -------
        Forecast

        Raises
        ------
        LimitError, BackendError
            With everything that does not fit.
        """
        ...
