"""What objects look like in a console and in a notebook."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import netdesc
from netdesc.connection import Connection
from netdesc.display import MOST_ROWS
from netdesc.events import Events
from netdesc.gradient import Gradient
from netdesc.trace import Recording, Trace
from netdesc.training import Metrics, TrainingResult
from netdesc.training.records import EpochReport
from netdesc.weights import Weights

EXAMPLES = Path(__file__).parents[1] / "examples"

LARGE = Events.from_arrays(np.arange(10_000.0), np.zeros(10_000, int), np.zeros(10_000, int), 1)
RECORDING = Recording(np.arange(1000.0), np.arange(50), np.zeros((4, 50, 1000)))
JOINED = {"p.weight": Connection("x", "a", (200, 300))}
VALUES = {"p.weight": np.ones(60_000)}
REPORT = EpochReport(1, 2, 0.5, 0.9, 0.9, None, None, None, 0.1, 0.0, 0, 0, 0, 1.0)
METRICS = Metrics("test", 10, 0.25, 0.95, 0.95, 0, 0, 0, 0.0)

OBJECTS = {
    "Events(batch=1, spikes=10000, times=0 to 9999 ms)": LARGE,
    "Events(batch=0, spikes=0)": Events(np.empty(0), np.empty(0), np.zeros(1)),
    "Recording(times=0 to 999 ms, values=(4, 50, 1000) (sample, neuron, time))": RECORDING,
    "Trace(batch=1, spikes=[x: 10000], recordings=[a.v])": Trace({"x": LARGE}, None, {"a.v": RECORDING}),
    "Gradient(parameters=[p.weight (60000,)])": Gradient(VALUES, {}, connections=JOINED),
    "Weights(parameters=[p.weight (60000,)])": Weights(VALUES, JOINED),
    "Connection(x 200 -> a 300, 60000 synapses)": JOINED["p.weight"],
    "TrainingResult(epochs=1, best_epoch=1, test_loss=0.25, test_accuracy=0.95, directory='run')": TrainingResult(  # noqa: E501
        Path("run"), (REPORT,), 1, False, METRICS, Path("run/weights.h5"), None
    ),
}


@pytest.mark.parametrize("text", OBJECTS)
def test_an_object_is_one_line_in_a_console(text):
    assert repr(OBJECTS[text]) == text


@pytest.mark.parametrize(
    "shown",
    [item for item in OBJECTS.values() if hasattr(item, "_repr_html_")],
    ids=lambda item: type(item).__name__,
)
def test_an_object_is_a_small_table_in_a_notebook(shown):
    html = shown._repr_html_()
    ElementTree.fromstring(f"<div>{html}</div>")
    assert html.count("<tr>") <= MOST_ROWS + 1
    assert len(html) < 4000


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_model_is_a_line_or_a_table_with_a_drawing(path):
    model = netdesc.load(path)
    assert repr(model).startswith(f"Model(name='{model.description.name}', populations=[")
    assert len(repr(model)) < 300
    page = ElementTree.fromstring(f"<div>{model._repr_html_()}</div>")
    boxes = page.iter("{http://www.w3.org/2000/svg}rect")
    assert len(list(boxes)) == len(model.description.populations)


def test_a_compiled_program_shows_what_is_trained():
    compiled = netdesc.compile(netdesc.load(EXAMPLES / "two_neurons.yaml"))
    assert repr(compiled) == "CompiledProgram(name='two-neurons', backend='numba', neurons=4, synapses=4)"
    assert "weight, delay" in compiled._repr_html_()


def test_texts_of_a_model_cannot_become_markup():
    shown = Trace({"<b>": LARGE}, None)._repr_html_()
    assert "<b>:" not in shown
    assert "&lt;b&gt;" in shown


def test_many_names_are_cut():
    shown = repr(Trace({f"population_{number}": LARGE for number in range(300)}, None))
    assert shown.endswith("population_3: 10000, ... 296 more])")
