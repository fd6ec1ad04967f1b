"""What the converters of the chip make of membrane voltages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netdesc.adjoint.final_voltages import final_readings
from netdesc.events import Floats
from netdesc.program import Program
from netdesc.trace import Recording
from netdesc_brainscales2.chip.substrate import Membranes
from netdesc_brainscales2.mapping.plan import Plan, Sampled
from netdesc_brainscales2.options import Options


@dataclass(frozen=True, slots=True)
class Reader:
    """A converter on some membranes of a population.

    Parameters
    ----------
    sampled : Sampled
    times : ndarray of float64, shape (m,)
        Of the samples in ms of the model.
    fine : float
        Steps of this converter per LSB of the CADC.
    """

    sampled: Sampled
    times: Floats
    fine: float


def plan_readers(program: Program, plan: Plan, options: Options) -> dict[str, Reader]:
    """Return the converters that a program needs, by population.

    What losses and surrogates read comes last in the plan and replaces what else is recorded of a population.
    Last voltages need one sample alone, see ``plan_last``.
    """
    profile, readers = options.profile, {}
    for item in plan.sampled:
        count = int(np.floor(program.duration / item.every * (1.0 + 1e-12))) + 1
        bits = (profile.madc_bits if item.converter == "madc" else profile.cadc_bits).value
        times = np.minimum(np.arange(count) * item.every, program.duration)
        readers[item.population] = Reader(item, times, 2.0 ** (bits - profile.cadc_bits.value))
    return readers


def plan_last(program: Program, options: Options) -> dict[str, Reader]:
    """Return the converters of last voltages, by population: one sample of the CADC at the end of the run."""
    interval = options.milliseconds(options.profile.cadc_interval.value)
    names = [item.population for item in final_readings(program)]
    return {
        name: Reader(
            Sampled(name, np.arange(program.population(name).size), "cadc", interval),
            np.array([program.duration]),
            1.0,
        )
        for name in names
    }


def convert(
    voltages: Floats,
    membranes: Membranes,
    reader: Reader,
    options: Options,
    draws: Sequence[np.random.Generator],
) -> tuple[Recording, int]:
    """Digitize voltages, and translate the codes back as if every channel were nominal.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, n, m)
        Of the whole population.
    membranes : Membranes
    reader : Reader
    options : Options
    draws : sequence of numpy.random.Generator, one for each sample
        Of the noise of membrane and converter.

    Returns
    -------
    Recording
    int
        Codes outside of the range in which the converter is reliable.
    """
    profile, chosen = options.profile, reader.sampled.neurons
    level = profile.leak_level.value
    rest, lsb = membranes.nominal_rest[chosen][:, None], membranes.lsb
    steps = (voltages[:, chosen, :] - rest) * lsb + level + membranes.offset[chosen][:, None]
    noise = float(np.hypot(profile.membrane_noise.value, profile.cadc_noise.value)) if options.noise else 0.0
    if noise > 0.0:
        for sample, draw in zip(steps, draws, strict=True):
            sample += noise * draw.standard_normal(sample.shape)
    top = 2.0**profile.cadc_bits.value - 1.0 / reader.fine
    codes = np.clip(np.rint(steps * reader.fine) / reader.fine, 0.0, top)
    outside = int(np.sum((codes < profile.cadc_low.value) | (codes > profile.cadc_high.value)))
    return Recording(reader.times, chosen, (codes - level) / lsb + rest), outside
