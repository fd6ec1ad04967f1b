"""Small networks, one feature each, as files that anybody can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from netdesc.description import describe_text
from netdesc.description.model import Description
from netdesc.events import Events
from netdesc.limits import Limits
from netdesc.program import Program
from netdesc.stimulus import stimulus
from netdesc.streams import stream

BATCH = 3
"""Samples per stimulus: the one of the file and others near it."""

JITTER = 1.5
"""How far input spikes of the other samples lie from those of the file, in ms."""


@dataclass(frozen=True, slots=True)
class Case:
    """A network that shows one feature.

    Parameters
    ----------
    name : str
        What ``Subject.unsupported`` calls it.
    text : str
        YAML.
    """

    name: str
    text: str

    def describe(self, limits: Limits) -> Description:
        """Return the description, without the training of weights where a device trains none.

        Parameters
        ----------
        limits : Limits
            Of the device.
        """
        text = self.text if "weight" in limits.trainable else self.text.replace("train: true", "train: false")
        return parse(text, self.name)

    def stimulate(self, program: Program) -> Events:
        """Return the spikes of the sources.

        Returns
        -------
        Events
            Three samples by program-wide neuron index: as in the file, and with every spike moved a little.
        """
        written = stimulus(program, dataset_events=None, batch=BATCH, seed=0)
        samples = written.samples()
        moves = stream(0, f"conformance.{self.name}").uniform(-JITTER, JITTER, len(written))
        times = np.maximum(written.times + np.where(samples == 0, 0.0, moves), 0.5)
        return written.move(times)


@cache
def parse(text: str, name: str) -> Description:
    """Return the description of a network; the same for every check of it."""
    return describe_text(text, f"{name}.yaml")


def read_cases() -> Mapping[str, Case]:
    """Return the networks of the folder ``cases``, by name."""
    files = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    return MappingProxyType({file.stem: Case(file.stem, file.read_text(encoding="utf-8")) for file in files})


CASES: Mapping[str, Case] = read_cases()
"""All networks by name."""

READ = """
netdesc: 1
name: read
description: Losses look at the voltages of a population without spikes.
simulation: {duration: 40 ms}
populations:
  input: {size: 3, source: {spike_times: {times: [[2 ms, 9 ms], [4 ms, 17 ms], [6 ms, 21 ms]]}}}
  hidden: {size: 2, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 2, neuron: {LI: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  drive:
    {pre: input, post: hidden, delay: 1 ms, weight: {init: [[2.6, 1.6], [1.1, 2.2], [1.7, 1.4]], train: true}}
  forward: {pre: hidden, post: output, delay: 1 ms, weight: {init: [[0.3, 0.5], [0.2, -0.4]], train: true}}
losses: {goal: {KIND: {population: output, target: 0}}}
"""

READING_CASES: Mapping[str, Case] = MappingProxyType(
    {kind: Case(kind, READ.replace("KIND", kind)) for kind in ("max_voltage", "mean_voltage")}
)
"""Networks whose voltages are read, by the kind of loss that a device must have for them."""
