"""How far two runs of one model agree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.comparison.records import (
    Agreement,
    GradientAgreement,
    ParameterAgreement,
    Settings,
    SpikeAgreement,
)
from netdesc.comparison.runs import Outcome
from netdesc.comparison.trains import Trains, first_deviation, match, van_rossum, victor_purpura
from netdesc.events import Floats
from netdesc.trace import Recording


def agree(reference: Outcome, other: Outcome, settings: Settings, written: Mapping[str, Floats]) -> Agreement:
    """Compare two runs.

    Parameters
    ----------
    reference, other : Outcome
        Of the same samples.
    settings : Settings
    written : mapping of str to ndarray
        Nominal weights and delays, from the file or a training.
    """
    one, two = reference.evaluation, other.evaluation
    return Agreement(
        {
            name: compare_spikes(reference, other, name, settings)
            for name in reference.trace.spikes
            if name in other.trace.spikes
        },
        compare_gradients(reference, other),
        compare_parameters(written, other.trace.effective_parameters),
        {
            key: compare_voltages(samples, other.trace.recordings[key])
            for key, samples in reference.trace.recordings.items()
            if key.endswith(".v") and key in other.trace.recordings
        },
        None if one is None or two is None else float(np.mean(one.predictions == two.predictions)),
    )


def compare_spikes(reference: Outcome, other: Outcome, name: str, settings: Settings) -> SpikeAgreement:
    """Compare the spikes of the population of a name."""
    item = reference.program.population(name)
    before, after = reference.trace.spikes[name], other.trace.spikes[name]
    one, two = Trains.of(before, item.size), Trains.of(after, item.size)
    matches = match(one, two, settings.window)
    return SpikeAgreement(
        name,
        item.kind,
        matches,
        van_rossum(one, two, settings.tau),
        victor_purpura(one, two, settings.cost),
        first_deviation(before, after, item.size),
        find_earliest(one, two, settings.window / 1000),
    )


def find_earliest(reference: Trains, other: Trains, tolerance: float) -> tuple[int, int, float] | None:
    """Find the earliest spike of two runs without a match within a tolerance in ms.

    Returns its sample, neuron and time in ms, or None.
    """
    found: tuple[int, int, float] | None = None
    for train in range(len(reference.offsets) - 1):
        one = reference.times[reference.offsets[train] : reference.offsets[train + 1]]
        two = other.times[other.offsets[train] : other.offsets[train + 1]]
        shared = min(len(one), len(two))
        apart = np.flatnonzero(np.abs(one[:shared] - two[:shared]) > tolerance)
        rest = one[shared:] if len(one) > shared else two[shared:]
        times = [*np.minimum(one[apart[:1]], two[apart[:1]]), *rest[:1]]
        if times and (found is None or min(times) < found[2]):
            found = (*divmod(train, reference.size), float(min(times)))
    return found


def compare_gradients(reference: Outcome, other: Outcome) -> dict[str, GradientAgreement]:
    """Compare gradients by every parameter that both have.

    Returns
    -------
    dict of str to GradientAgreement
        Empty where one of them has no gradients.
    """
    whole, its = reference.gradient, other.gradient
    if reference.gradients is None or other.gradients is None or whole is None or its is None:
        return {}
    result = {}
    for key, values in whole.items():
        if key not in its or len(its[key]) != len(values):
            continue
        pairs = [
            direct(one[key], two[key]) for one, two in zip(reference.gradients, other.gradients, strict=True)
        ]
        cosines, ratios = np.array(pairs).reshape(-1, 2).T
        result[key] = GradientAgreement(key, cosines, ratios, *direct(values, its[key]), values, its[key])
    return result


def direct(one: Floats, two: Floats) -> tuple[float, float]:
    """Return the cosine of the angle between two vectors, and the norm of the second over the first.

    NaN where a vector is zero that must not be; two zero vectors agree.
    """
    before, after = float(np.linalg.norm(one)), float(np.linalg.norm(two))
    if before == 0.0:
        return (1.0, 1.0) if after == 0.0 else (np.nan, np.nan)
    if after == 0.0:
        return np.nan, 0.0
    return float(np.clip((one / before) @ (two / after), -1.0, 1.0)), after / before


def compare_parameters(
    written: Mapping[str, Floats],
    as_run: Mapping[str, Floats],
) -> dict[str, ParameterAgreement]:
    """Compare effective weights and delays with the nominal ones.

    Parameters
    ----------
    written, as_run : mapping of str to ndarray
        By the keys of the blocks.

    Returns
    -------
    dict of str to ParameterAgreement
        Of the keys that both have; arrays of one element hold for all synapses.
    """
    result = {}
    for key, values in as_run.items():
        sizes = {len(written.get(key, ())), len(values)}
        if key not in written or (len(sizes) > 1 and 1 not in sizes):
            continue
        wanted, found = np.broadcast_arrays(written[key], values)
        apart = found - wanted
        result[key] = ParameterAgreement(
            key,
            len(wanted),
            int(np.sum(np.abs(apart) > 1e-6 * np.abs(wanted) + 1e-12)),
            int(np.sum(found * wanted < 0.0)),
            int(np.sum((found == 0.0) & (wanted != 0.0))),
            float(np.abs(apart).max(initial=0.0)),
            float(np.sqrt(np.mean(apart**2))) if len(apart) else 0.0,
        )
    return result


def compare_voltages(reference: Recording, other: Recording) -> Floats:
    """Compute the root mean square of the difference of sampled voltages, shape (batch, n).

    Compared are the neurons that both have; the other is interpolated linearly where it was sampled at
    other times.
    """
    _, rows, places = np.intersect1d(reference.neurons, other.neurons, return_indices=True)
    values = other.values[:, places]
    if len(other.times) != len(reference.times) or not np.array_equal(other.times, reference.times):
        values = np.apply_along_axis(lambda row: np.interp(reference.times, other.times, row), 2, values)
    result: Floats = np.sqrt(np.mean((values - reference.values[:, rows]) ** 2, axis=2))
    return result
