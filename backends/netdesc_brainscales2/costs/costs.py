"""What a run takes: time of model, chip and host, energy, events, bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netdesc.limits import Limit
from netdesc_brainscales2.options import Options

NUMBERS = ("speed_up", "wait", "configuration", "host_time", "power", "event_bits", "cadc_bits")
"""Numbers of the machine that enter the costs."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run did, counted or expected.

    Parameters
    ----------
    samples : int
        Entries of the batch.
    instances : int
        Execution instances, each of which runs all entries.
    duration : float
        Of an entry, in ms of the model.
    events_in, events_out : float
        Events that the host sent and that the chip sent, over all entries.
    readings : float
        Membrane readings of the CADC, over all entries.
    """

    samples: int
    instances: int
    duration: float
    events_in: float
    events_out: float
    readings: float = 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    """Costs of a run; times in ms, energy in mJ.

    Parameters
    ----------
    counts : Counts
    chip : float
        What the entries take on the chip: time of the model over the speed-up.
    wait : float
        Pauses between entries.
    configuration : float
        Writing weights and routes, once per execution instance.
    host : float
        Work of the host that is not hidden behind the chip.
    energy : float
        Power times all of the time; the chip has no energy per spike to speak of.
    event_bits, reading_bits : float
        Read from the chip: time-stamped events, and readings of membranes.
    """

    counts: Counts
    chip: float
    wait: float
    configuration: float
    host: float
    energy: float
    event_bits: float
    reading_bits: float

    @property
    def time(self) -> float:
        """All of the time, in ms."""
        return self.chip + self.wait + self.configuration + self.host

    @property
    def bits(self) -> float:
        """All that is read from the chip."""
        return self.event_bits + self.reading_bits

    @property
    def throughput(self) -> float:
        """Entries per second of all of the time."""
        return self.counts.samples / self.time * 1e3

    def per_neuron(self, neurons: int) -> float:
        """Return the events out of the chip per neuron and entry."""
        return self.counts.events_out / (neurons * self.counts.samples)

    def flat(self) -> dict[str, float]:
        """Return the costs as sums over the entries, by the names of ``Trace.costs``."""
        counts = self.counts
        return {
            "model_time_ms": counts.samples * counts.duration,
            "chip_time_ms": self.chip,
            "wait_time_ms": self.wait,
            "configuration_time_ms": self.configuration,
            "host_time_ms": self.host,
            "time_ms": self.time,
            "energy_mJ": self.energy,
            "events_in": counts.events_in,
            "events_out": counts.events_out,
            "bits_of_events": self.event_bits,
            "bits_of_readings": self.reading_bits,
            "bits_read": self.bits,
        }


def compute_bill(counts: Counts, options: Options) -> Bill:
    """Return the costs of a run.

    Parameters
    ----------
    counts : Counts
    options : Options
        ``profile_numbers: {wait: 0}`` for entries that follow each other without a pause, as in the published
        run of 85,000 images/s.
    """
    profile = options.profile
    entries = counts.samples * counts.instances
    chip = entries * options.microseconds(counts.duration) * 1e-3
    wait = entries * profile.wait.value * 1e-3
    configuration = counts.instances * profile.configuration.value * 1e-3
    host = entries * profile.host_time.value * 1e-3
    energy = profile.power.value * (chip + wait + configuration + host) * 1e-3
    return Bill(
        counts,
        chip,
        wait,
        configuration,
        host,
        energy,
        counts.events_out * profile.event_bits.value,
        counts.readings * profile.cadc_bits.value,
    )


def numbers_of(options: Options) -> Mapping[str, Limit]:
    """Return the numbers that enter the costs, by name."""
    return {name: getattr(options.profile, name) for name in NUMBERS}
