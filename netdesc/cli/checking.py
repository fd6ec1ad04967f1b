"""Whether a file is right, and whether a backend can run it; needs no parser of command lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from netdesc.cli.output import emit
from netdesc.cli.output import show as print_text
from netdesc.cli.unused import list_unused
from netdesc.display import counted
from netdesc.errors import Diagnostic, NetdescError, locate, record

if TYPE_CHECKING:
    from netdesc.backend import Backend
    from netdesc.cli.costs import Outlook
    from netdesc.compiled import Model
    from netdesc.datasets.records import Dataset
    from netdesc.description.model import Description
    from netdesc.forecast import HostForecast
    from netdesc.graph.ir import NetworkGraph
    from netdesc.program import Program


def check_file(file: Path, overrides: Sequence[str], backends: Sequence[str], *, as_json: bool) -> int:
    """Validate a file and its data, and print what was found.

    Parameters
    ----------
    file : Path
    overrides : sequence of str
    backends : sequence of str
        Those to ask; every backend that the file names where it is empty.
    as_json : bool

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    NetdescError
        If the file is not valid.
    """
    from netdesc.compiled import Model, located
    from netdesc.description import describe
    from netdesc.forecast.words import arrange_forecast
    from netdesc.graph.pipeline import compile_graph

    model = Model(describe(file, overrides))
    with located(model):
        graph = compile_graph(model.description)
        found = survey(model.description, graph)
    # The file itself says how many samples of a set there are that is drawn.
    samples = None if found is None or is_drawn(model.description) else found
    notes = [*list_unused(model), *(locate(note, model.description.locations) for note in graph.notes)]
    verdicts = [ask(model, name, found) for name in backends or choose_backends(model)]
    forecast = None if verdicts else foretell_default(model, graph, found)
    if as_json:
        emit(
            {
                "valid": True,
                "digest": model.digest,
                **count(graph),
                "notes": [record(note) for note in notes],
                "data": None if samples is None else arrange_samples(samples),
                "forecast": arrange_forecast(forecast),
                "backends": {item.name: item.data() for item in verdicts},
            }
        )
    else:
        explain(f"{file}: valid; {summarize(graph)}", notes)
        if samples is not None:
            sizes = arrange_samples(samples)["samples"]
            explain(
                f"data: {', '.join(f'{number} {name}' for name, number in sizes.items())} samples",
                [Diagnostic(note) for note in samples.notes],
            )
        explain_forecast(forecast)
        for item in verdicts:
            explain(
                f"{item.name}: can run it ({item.time})" if item.possible else f"{item.name}: cannot run it",
                item.findings,
            )
            explain_forecast(item.forecast)
            if item.outlook is not None:
                from netdesc.cli.costs import tabulate_outlook

                print_text(f"\n{tabulate_outlook(item.outlook)}")
    return max((item.status for item in verdicts), default=0)


def survey(description: Description, graph: NetworkGraph) -> Dataset | None:
    """Return the samples of a description; None where it has none and needs none."""
    sources = (item.source for item in description.populations.values())
    if description.data is None and not any(item is not None and item.kind == "dataset" for item in sources):
        return None
    from netdesc.datasets.survey import survey_samples

    return survey_samples(description, graph)


def is_drawn(description: Description) -> bool:
    """Return whether the samples of a description are drawn, not read."""
    return description.data is not None and description.data.drawn()


class Sizes(TypedDict):
    """What ``--json`` prints about data: samples by split, and notes."""

    samples: dict[str, int]
    notes: list[str]


def arrange_samples(dataset: Dataset) -> Sizes:
    """Return the sizes of the splits of a dataset, and its notes, as JSON data."""
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "samples": {name: len(part) for name, part in splits.items() if part is not None},
        "notes": list(dataset.notes),
    }


class Verdict(NamedTuple):
    """Whether a backend can run a model.

    Parameters
    ----------
    name : str
        Of the backend.
    time : str
        How time advances there; empty where it cannot run the model.
    findings : sequence of Diagnostic
        What it approximates, or why it cannot.
    status : int
        Exit status, 0 if it can.
    outlook : Outlook or None
        What it will take, where the backend makes estimates.
    forecast : HostForecast or None
        What it takes on this machine, where the backend knows how fast it is.
    """

    name: str
    time: str
    findings: Sequence[Diagnostic]
    status: int
    outlook: Outlook | None = None
    forecast: HostForecast | None = None

    @property
    def possible(self) -> bool:
        """Whether it can."""
        return self.status == 0

    def data(self) -> dict[str, object]:
        """Return the verdict as JSON data."""
        from netdesc.cli.costs import arrange_outlook
        from netdesc.forecast.words import arrange_forecast

        findings = [record(item) for item in self.findings]
        return {
            "possible": self.possible,
            "time": self.time or None,
            "notes": findings if self.possible else [],
            "errors": [] if self.possible else findings,
            "estimate": arrange_outlook(self.outlook),
            "forecast": arrange_forecast(self.forecast),
        }


def ask(model: Model, name: str, samples: Dataset | None) -> Verdict:
    """Ask a backend whether it can run a model, some samples of which are known."""
    from netdesc.api import compile, first_batch
    from netdesc.cli.costs import foresee

    try:
        compiled = compile(model, name)
        outlook = foresee(compiled)
        forecast = foretell(model, compiled.program, compiled.backend, samples)
        if model.description.training is not None and is_trained_on(model, name):
            from netdesc.training.session import prepare_task

            prepare_task(model, name)
        else:
            first_batch(compiled)
    except NetdescError as error:
        return Verdict(name, "", error.diagnostics, error.exit_status)
    return Verdict(name, compiled.backend.limits.time, compiled.notes, 0, outlook, forecast)


def foretell(
    model: Model, program: Program, backend: Backend, dataset: Dataset | None
) -> HostForecast | None:
    """Forecast a training, or a run where the model has no section ``training``."""
    from netdesc.forecast.host import declare_samples, forecast_host

    samples = declare_samples(model.description)
    return forecast_host(program, model.description, backend, dataset=dataset, samples=samples)


def foretell_default(model: Model, graph: NetworkGraph, dataset: Dataset | None) -> HostForecast | None:
    """Forecast on the backend that a training chooses; None where it cannot be said without asking it."""
    from netdesc.border import configure
    from netdesc.compiled import choose_backend
    from netdesc.lower import lower

    name = choose_backend(model)
    try:
        backend = configure(name, model.description.backends.get(name, {}))
        return foretell(model, lower(graph), backend, dataset)
    except NetdescError:
        return None


def explain_forecast(forecast: HostForecast | None) -> None:
    """Print a forecast, if there is one."""
    if forecast is not None:
        from netdesc.forecast.words import tell_forecast

        print_text("forecast: " + tell_forecast(forecast).replace("\n", "\n  "))


def choose_backends(model: Model) -> tuple[str, ...]:
    """Return the installed backends that a file names, in its order.

    A training with options that depend on the backend names the default one if it names none.
    """
    options = model.description.training.options if model.description.training is not None else {}
    written = []
    if any(options.get(name) for name in ("backend", "forward_backend", "on_device")):
        from netdesc.compiled import choose_backend

        written.append(choose_backend(model))
    if not model.description.backends:
        return tuple(written)
    from netdesc.registry import names

    installed = names()
    written += [name for name in model.description.backends if name in installed]
    return tuple(dict.fromkeys(written))


def is_trained_on(model: Model, name: str) -> bool:
    """Return whether a training that names a backend names this one; one that names none suits all."""
    training = model.description.training
    named = training.options.get("backend") if training is not None else None
    return named in (None, name)


def count(graph: NetworkGraph) -> dict[str, int]:
    """Count ``populations``, ``neurons`` (sources included), ``projections`` and drawn ``synapses``."""
    return {
        "populations": len(graph.nodes),
        "neurons": sum(node.size for node in graph.nodes),
        "projections": len({edge.path for edge in graph.edges}),
        "synapses": sum(edge.synapses.size for edge in graph.edges if edge.synapses is not None),
    }


def summarize(graph: NetworkGraph) -> str:
    """Say in a few words what a network is made of."""
    numbers = count(graph)
    return (
        f"{counted(numbers['neurons'], 'neuron')} in {counted(numbers['populations'], 'population')}, "
        f"{counted(numbers['synapses'], 'synapse')} in {counted(numbers['projections'], 'projection')}"
    )


def explain(head: str, findings: Sequence[Diagnostic]) -> None:
    """Print a finding, and below it what there is to know about it."""
    print_text("\n  ".join([head, *(str(item) for item in findings)]))
