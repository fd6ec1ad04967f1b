"""The description of a model that fits some data, in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, sqrt

import yaml

HIDDEN = 60


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is decided about a model of some data.

    Parameters
    ----------
    dataset : str
        The dataset, in YAML, indented by two steps.
    encoder : str
        The same of the encoder; empty for spikes.
    about : str
        What the data are, for a comment.
    samples, inputs, outputs : int
    active : float
        Spikes per sample that reach the network.
    duration : float
        Length of a sample in ms.
    late : float
        Latest target time in ms; 0 where other things are learned.
    voltages : bool
        Whether target voltages are learned.
    """

    dataset: str
    encoder: str
    about: str
    samples: int
    inputs: int
    outputs: int
    active: float
    duration: float
    late: float = 0.0
    voltages: bool = False


def section_of(kind: str, options: Mapping[str, str | None]) -> str:
    """Return a dataset in YAML, without the options that are None."""
    lines = [f"      {name}: {text}" for name, text in options.items() if text is not None]
    return "\n".join((f"    {kind}:", *lines))


def loss_of(sketch: Sketch) -> tuple[str, str]:
    """Return the loss in YAML, and what it says of the outputs."""
    if sketch.voltages:
        return "traces: {voltage_mse: {population: output}}", "voltages follow the targets"
    if sketch.late:
        return "times: {spike_time_mse: {population: output}}", "first spikes at the target times"
    kind = "max_voltage" if sketch.duration <= 100.0 else "mean_voltage"
    loss = f"classification: {{{kind}: {{population: output}}}}"
    return loss, "the neuron with the highest voltage is the prediction"


def weights_of(sketch: Sketch, hidden: int) -> tuple[str, str]:
    """Return the distributions of the weights into the hidden population and out of it, in YAML."""
    # Spikes that are spread over the whole sample, as target voltages need them, add up to less.
    drive = 13.0 if sketch.voltages else 8.0
    into = f"mu: {drive / sketch.active:.2g}, sigma: {3.0 / sqrt(sketch.active):.2g}"
    scale = 0.8 if sketch.late else 0.4 if sketch.voltages else 1.5
    out = f"mu: {3.0 / hidden if sketch.late else 0.0:.2g}, sigma: {scale / sqrt(hidden):.2g}"
    return f"{{normal: {{{into}}}}}", f"{{normal: {{{out}}}}}"


def compose(sketch: Sketch, name: str) -> str:
    """Return the description in YAML."""
    hidden = HIDDEN if sketch.inputs <= 300 else 2 * HIDDEN
    kind = "LIF" if sketch.late else "LI"
    into, out = weights_of(sketch, hidden)
    loss, words = loss_of(sketch)
    epochs, batch = min(max(12000 // sketch.samples, 10), 60), 16 if sketch.samples < 2000 else 64
    rate = "1e-2" if sketch.late or sketch.voltages else "5e-3"
    head = f"  # {sketch.about}\n  dataset:\n{sketch.dataset}\n" + (
        f"  # how numbers from 0 to 1 become spikes\n  encoder: {sketch.encoder}\n" if sketch.encoder else ""
    )
    # Spikes that do not happen have no gradient: a constant current makes every output spike by itself.
    current = f", current: {1.0 / (1.0 - exp(-sketch.late / 20.0)):.2f}" if sketch.late else ""
    note = "    # the current makes it spike by itself at the latest target" if sketch.late else ""
    return f"""\
# yaml-language-server: $schema=netdesc-1.schema.json
netdesc: 1
name: {text_of(name)}
simulation: {{duration: {sketch.duration:g} ms, seed: 1}}

data:
{head}
neurons:
  lif: {{LIF: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}

populations:
  input:  {{size: {sketch.inputs}, source: dataset}}    # the size follows from data
  hidden: {{size: {hidden}, neuron: lif}}
  output: {{size: {sketch.outputs}, neuron: {{{kind}: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}{current}}}{note}

projections:
  input_to_hidden:
    pre: input
    post: hidden
    connector: all_to_all
    weight: {{init: {into}, train: true}}
  hidden_to_output:
    pre: hidden
    post: output
    connector: all_to_all
    weight: {{init: {out}, train: true}}

losses:
  # {words}
  {loss}

training:
  optimizer: {{adam: {{learning_rate: {rate}}}}}
  epochs: {epochs}
  batch_size: {batch}
"""


def text_of(value: str | list[str]) -> str:
    """Return a text or a list of texts as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
