"""A machine whose spike times are linear in the weights, and everything around it that a training needs."""

from pathlib import Path

import numpy as np

from netdesc.description import describe_text
from netdesc.errors import NumericsError
from netdesc.events import Events
from netdesc.gradient import Gradient
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.trace import Trace
from netdesc.training.directory import open_directory
from netdesc.training.origin import Origin
from netdesc.training.preparation import build_task
from netdesc.training.session import fit

TEXT = """
netdesc: 1
name: linear
simulation: {duration: 40 ms, seed: 5}
data:
  dataset: {yin_yang: {train: 60, validation: 30, test: 20}}
  encoder: {latency: {t_early: 0 ms, t_late: 30 ms, bias: 0 ms}}
populations:
  input: {size: 5, source: dataset}
  output: {size: 3, neuron: LIF}
projections:
  only:
    pre: input
    post: output
    connector: all_to_all
    weight: {init: {normal: {mu: 3, sigma: 1}}, train: true, min: -8, max: 8}
losses:
  class: {time_to_first_spike: {population: output, tau_0: 2 ms, tau_1: 6.4 ms, alpha: 0.003}}
training:
  optimizer: {adam: {learning_rate: 0.05}}
  epochs: 4
  batch_size: 7
"""


class LinearMachine:
    """Output j spikes once, at ``35 - sum_i w_ij exp(-t_i / 10)``, where that lies within the sample."""

    def __init__(self, program, broken_after=None):
        self.program = program
        self.weights = np.array(program.blocks[0].weights).reshape(5, 3)
        self.runs, self.broken_after = 0, broken_after

    def write(self, parameters):
        self.weights = np.array(parameters["only.weight"]).reshape(5, 3)

    def forward(self, stimulus, *, seed):
        self.runs += 1
        kernel = np.zeros((stimulus.batch, 5))
        kernel[stimulus.samples(), stimulus.sources] = np.exp(-stimulus.times / 10)
        times = 35.0 - kernel @ self.weights
        samples, neurons = np.nonzero((times > 0) & (times < 40))
        output = Events.from_arrays(times[samples, neurons], neurons, samples, stimulus.batch)
        return Trace({"input": stimulus, "output": output}, None)

    def adjoint(self, trace, cotangent):
        if self.broken_after is not None and self.runs > self.broken_after:
            raise NumericsError("the machine broke")
        stimulus, output = trace.spikes["input"], trace.spikes["output"]
        kernel = np.zeros((stimulus.batch, 5))
        kernel[stimulus.samples(), stimulus.sources] = np.exp(-stimulus.times / 10)
        slopes = np.zeros((stimulus.batch, 3))
        slopes[output.samples(), output.sources] = cotangent.spikes["output"]
        # an infinite slope makes the product no number, which some libraries tell of
        with np.errstate(invalid="ignore"):
            gradient = -(kernel.T @ slopes).ravel()
        return Gradient({"only.weight": gradient}, {}, health={"grazing": 1})


def describe_linear(*overrides):
    return describe_text(TEXT, overrides=list(overrides))


def prepare(*overrides, broken_after=None):
    description = describe_linear(*overrides)
    machine = LinearMachine(lower(compile_graph(description)), broken_after)
    return build_task(machine, description, description.training), description


def train_linear(output, *overrides, resume=False, progress=None, broken_after=None):
    task, description = prepare(*overrides, broken_after=broken_after)
    origin = Origin.of(description, task.program, task.dataset)
    with open_directory(Path(output), description, origin, backend="linear", resume=resume) as run:
        return fit(task, run, progress=progress)
