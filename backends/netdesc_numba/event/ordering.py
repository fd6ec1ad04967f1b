"""Spikes of side-by-side neurons in order: by sample, then time, then neuron."""

from __future__ import annotations

from netdesc.dynamics.jit import inlined, int64, shared, unsigned
from netdesc.dynamics.views import unowned
from netdesc.events import Integers
from netdesc_numba.event.advance import Spikes, order_in_time
from netdesc_numba.event.bursts import Block, Found

# Spikes that may be out of order above which sorting by merging is faster than by insertion.
MANY = 128
# Buckets for a spike: most buckets hold one spike or none, and few spikes are left to be exchanged.
SPARSE = 4
# Buckets of a block of samples, which fit into the fastest memory.
BUCKETS = 4096


@shared
def insert_spikes(first: int, last: int, spikes: Spikes) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time, ties by neuron; fast where nearly sorted."""
    spikes = unowned(spikes)
    times, neurons, currents = spikes.times, spikes.neurons, spikes.kept[0]
    for k in range(first + 1, last):
        t = times[k]
        n = neurons[k]
        c = currents[k]
        m = k
        while m > first and (times[m - 1] > t or (times[m - 1] == t and neurons[m - 1] > n)):
            times[m] = times[m - 1]
            neurons[m] = neurons[m - 1]
            currents[m] = currents[m - 1]
            m -= 1
        times[m] = t
        neurons[m] = n
        currents[m] = c


@inlined
def sort_spikes(first: int, last: int, most: int, spikes: Spikes) -> None:
    """Sort spikes ``first`` to ``last - 1``, none more than ``most`` places out of order."""
    if most > MANY:
        order_in_time(first, last, spikes)
    insert_spikes(first, last, spikes)


@inlined
def find_bucket(t: float, scale: float, buckets: int) -> int:
    """Return the bucket of a time."""
    return min(int(t * scale), buckets - 1)


@inlined
def count_in_buckets(
    size: int, sample: Integers, found: Found, scale: float, buckets: int, places: Integers
) -> None:
    """Count the spikes in each bucket of each sample."""
    for k in range(len(places)):
        places[k] = 0
    for q in range(size):
        s = sample[unsigned(found.lanes[q])]
        places[unsigned(s * buckets + find_bucket(found.times[q], scale, buckets))] += 1


@inlined
def reserve_places(begin: int, end: int, used: int, places: Integers) -> tuple[int, int]:
    """Turn counts of buckets into places of first spikes; return the next place, and the largest count."""
    largest = int64(0)
    for k in range(begin, end):
        count = places[k]
        places[k] = used
        used += count
        largest = max(largest, count)
    return used, largest


@shared
def sort_block(
    first: int, size: int, used: int, samples: int, block: Block, found: Found, duration: float,
    results: tuple[Integers, Spikes],
) -> int:  # fmt: skip
    """Append the spikes of a block to the results, sample after sample, sorted by time.

    Parameters
    ----------
    first : int
        First sample of the block.
    size, used : int
        Number of spikes of the block, and of those before it.
    samples : int
        Number of samples of the block.
    block : Block
    found : Found
    duration : float
        In ms.
    results : tuple of (ndarray of int64, Spikes)
        Buckets, at least as many as samples, which are overwritten; and what receives the spikes.

    Returns
    -------
    int
        Number of spikes by now.
    """
    block, found, (places, spikes) = unowned(block), unowned(found), unowned(results)
    times, lanes, currents, kept = found.times, found.lanes, found.currents, spikes.kept[0]
    sample, cell = block.sample, block.cell
    buckets = max(min(SPARSE * size, len(places)) // samples, 1)
    scale = buckets / duration
    places = places[: samples * buckets]
    count_in_buckets(size, sample, found, scale, buckets, places)
    begin, most = used, int64(0)
    for s in range(samples):
        end, largest = reserve_places(s * buckets, (s + 1) * buckets, begin, places)
        spikes.counts[first + s] = end - begin
        begin, most = end, max(most, largest)
    for q in range(size):
        lane = unsigned(lanes[q])
        k = unsigned(sample[lane] * buckets + find_bucket(times[q], scale, buckets))
        place = unsigned(places[k])
        spikes.times[place] = times[q]
        spikes.neurons[place] = cell[lane]
        kept[place] = currents[q]
        places[k] += 1
    for s in range(samples):
        sort_spikes(used, used + spikes.counts[first + s], most, spikes)
        used += spikes.counts[first + s]
    return used
