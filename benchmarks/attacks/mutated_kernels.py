"""Damages files of the kernel cache and counts what netdesc makes of them.

A damaged, truncated, swapped or foreign file must be compiled again: it may neither be loaded nor raise an
error. Prints a table; exit status 1 if a file that was changed was loaded.

    python benchmarks/attacks/mutated_kernels.py --count 2000
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


def flip_bits(content: bytes, draw: random.Random) -> bytes:
    """Change some bits."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 16)):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def truncate(content: bytes, draw: random.Random) -> bytes:
    """Cut the end off."""
    return content[: draw.randrange(len(content))]


def lengthen(content: bytes, draw: random.Random) -> bytes:
    """Put something at the end."""
    return content + draw.randbytes(draw.randint(1, 4096))


def replace_block(content: bytes, draw: random.Random) -> bytes:
    """Put random bytes in the place of a block."""
    start = draw.randrange(len(content))
    size = min(draw.randint(1, 4096), len(content) - start)
    return content[:start] + draw.randbytes(size) + content[start + size :]


def empty(content: bytes, draw: random.Random) -> bytes:
    """Leave nothing, as a full disk does."""
    return b"\0" * draw.choice((0, 1, len(content)))


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip_bits,
    truncate,
    lengthen,
    replace_block,
    empty,
)


def main() -> int:
    """Damage files and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        from netdesc.dynamics.jit import kernel

        def double(values):  # type: ignore[no-untyped-def]
            for k in range(len(values)):
                values[k] = 2.0 * values[k]

        values = np.ones(3)
        kernel(double)(values)
        (file,) = (Path(folder) / "netdesc" / "kernels").iterdir()
        whole = file.read_bytes()
        found: collections.Counter[tuple[str, str]] = collections.Counter()
        for number in range(arguments.count):
            mutation = MUTATIONS[number % len(MUTATIONS)]
            changed = mutation(whole, draw)
            file.write_bytes(changed)
            again = kernel(double)
            values = np.ones(3)
            again(values)
            loaded = sum(again.stats.cache_hits.values())
            right = bool((values == 2.0).all())
            outcome = "compiled again" if right else "wrong result"
            if loaded and changed != whole:
                outcome = "loaded"
            found[mutation.__name__, outcome] += 1
    for (mutation, outcome), number in sorted(found.items()):
        print(f"{mutation:14} {outcome:15} {number:6}")
    failed = sum(number for (_, outcome), number in found.items() if outcome != "compiled again")
    print(f"{arguments.count} files, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
