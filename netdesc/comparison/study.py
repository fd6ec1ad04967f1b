"""One model on several substrates."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from netdesc.api import compile
from netdesc.comparison.agreement import agree
from netdesc.comparison.attribution import Attribution, attribute
from netdesc.comparison.records import Agreement, Settings
from netdesc.comparison.runs import Job, Outcome, Refusal, attempt
from netdesc.comparison.substrates import Substrate, distinct, vary
from netdesc.comparison.verdict import Verdict, judge, judge_apart, refuse
from netdesc.compiled import Model, located
from netdesc.description import dump
from netdesc.errors import BackendError, DescriptionError, LimitError, NumericsError
from netdesc.escapes import safe_name
from netdesc.events import Floats
from netdesc.graph.pipeline import compile_graph
from netdesc.lower import lower
from netdesc.parameters import ParameterStore
from netdesc.plotting.curves import read_columns
from netdesc.program import Program
from netdesc.training import train
from netdesc.training.weights import load_weights

Curves = Mapping[str, Sequence[float]]

METRICS = "metrics.csv"

LOG = logging.getLogger("netdesc.comparison")
"""Reports progress, one line each, at the level ``INFO``."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Which weights the substrates run.

    Parameters
    ----------
    source : Path or None
        Run directory of a training, or its ``weights.h5``; None for the weights of the file.
    train : bool
        Whether every substrate trains by itself first.
    output : Path or None
        Where the run directories of these trainings go; None for a temporary place.

    Raises
    ------
    DescriptionError
        If there are weights to run and weights to train.
    """

    source: Path | None = None
    train: bool = False
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.train and self.source is not None:
            raise DescriptionError(
                f"--train starts from the weights of the file, not from {self.source}; use either "
                "--weights or --train"
            )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Results of one model on several substrates.

    Parameters
    ----------
    model : Model
    program : Program
        The network before any backend changed it.
    resolved : str
        The file with every default.
    settings : Settings
    weights : Weights
    reference : str
        Label of the substrate that the others are compared with.
    outcomes : mapping of str to Outcome
        By label, the reference included.
    refusals : mapping of str to Refusal
    agreements : mapping of str to Agreement
        By label, without the reference.
    attributions : mapping of str to Attribution
    verdicts : mapping of str to Verdict
        By label, without the reference.
    """

    model: Model
    program: Program
    resolved: str
    settings: Settings
    weights: Weights
    reference: str
    outcomes: Mapping[str, Outcome]
    refusals: Mapping[str, Refusal]
    agreements: Mapping[str, Agreement]
    attributions: Mapping[str, Attribution]
    verdicts: Mapping[str, Verdict]


def compare(
    model: Model,
    backends: Sequence[str | Substrate],
    reference: str | None = None,
    *,
    weights: Weights | Path | str | None = None,
    settings: Settings | None = None,
) -> Comparison:
    """Run one model on several substrates and compare the results.

    All get the same weights, the same samples and the same random streams. A substrate that cannot run
    the model is reported with its diagnostics; the others continue.

    Parameters
    ----------
    model : Model
    backends : sequence of str or Substrate
        For example ``["numba", "spinnaker2:tick=0.5 ms"]``.
    reference : str, optional
        Label of the substrate that the others are compared with; the first otherwise. It is added where
        it is not among them.
    weights : Weights, Path or str, optional
        Of a training; those of the file otherwise.
    settings : Settings, optional

    Returns
    -------
    Comparison

    Raises
    ------
    DescriptionError
        If the model, an option of a substrate or a setting is wrong.
    NetdescError
        If the reference itself cannot run the model.
    """
    chosen = _choose(backends, reference)
    name = reference if reference is not None else chosen[0].label
    how = weights if isinstance(weights, Weights) else Weights(None if weights is None else Path(weights))
    with located(model):
        program = lower(compile_graph(model.description, ()))
    setup = settings or Settings()
    ran = _run_all(model, chosen, how, program=program, settings=setup)
    outcomes = {label: item for label, (item, _) in ran.items() if isinstance(item, Outcome)}
    refusals = {label: item for label, (item, _) in ran.items() if isinstance(item, Refusal)}
    if name in refusals:
        raise BackendError(refusals[name].diagnostics)
    agreements, attributions, verdicts = {}, {}, {}
    base = outcomes[name]
    for label, outcome in outcomes.items():
        if label != name:
            values = ran[label][1]
            nominal = ParameterStore(program.declared()).values
            agreements[label] = agree(base, outcome, setup, {**nominal, **values})
            # The weights of substrates that were trained separately differ in any case.
            if setup.attribute and not how.train:
                LOG.info("%s: measuring sources of deviation", label)
                attributions[label] = attribute(base, outcome, Job(setup, values))
            verdicts[label] = (
                judge_apart(base, outcome, agreements[label])
                if how.train
                else judge(base, outcome, agreements[label], attributions.get(label))
            )
    verdicts |= {label: refuse(item) for label, item in refusals.items()}
    return Comparison(
        model,
        program,
        dump(model.description),
        setup,
        how,
        name,
        outcomes,
        refusals,
        agreements,
        attributions,
        verdicts,
    )


Ran = tuple[Outcome | Refusal, Mapping[str, Floats]]


def _choose(backends: Sequence[str | Substrate], reference: str | None) -> tuple[Substrate, ...]:
    """Return the substrates, the reference first."""
    chosen = distinct(item if isinstance(item, Substrate) else Substrate.parse(item) for item in backends)
    if not chosen:
        raise DescriptionError("expected at least one backend to compare, got none")
    if reference is None:
        return chosen
    first = [item for item in chosen if item.label == reference] or [Substrate.parse(reference)]
    return (first[0], *(item for item in chosen if item.label != reference))


def _run_all(
    model: Model,
    chosen: Sequence[Substrate],
    how: Weights,
    *,
    program: Program,
    settings: Settings,
) -> dict[str, Ran]:
    trained = {} if how.source is None else load_weights(how.source, program, model.description)
    result: dict[str, Ran] = {}
    job = Job(settings, trained)
    for substrate in chosen:
        try:
            varied = vary(model, substrate)
            values, curves = _train(varied, substrate, how) if how.train else (trained, _read_curves(how))
        except (BackendError, LimitError, NumericsError) as error:
            result[substrate.label] = Refusal(substrate, error.diagnostics), {}
            continue
        LOG.info("%s: running", substrate.label)
        item = attempt(varied, substrate, replace(job, parameters=values))
        if isinstance(item, Outcome):
            job = replace(job, batch=job.batch or item.batch)
            item = replace(item, curves=curves)
        result[substrate.label] = item, values
    return result


def _train(model: Model, substrate: Substrate, how: Weights) -> tuple[Mapping[str, Floats], Curves]:
    with TemporaryDirectory() as place:
        folder = (how.output or Path(place)) / safe_name(substrate.label)
        result = train(
            model,
            backend=substrate.backend,
            output=folder,
            resume=how.output is not None,
            progress=lambda report: LOG.info(
                "%s: epoch %d of %d, loss %.4f", substrate.label, report.epoch, report.epochs, report.loss
            ),
        )
        compiled = compile(model, substrate.backend)
        values = load_weights(result.weights, compiled.program, model.description)
        return values, read_columns(result.directory / METRICS)


def _read_curves(how: Weights) -> Curves:
    """Return the epochs of the training that the weights come from, where its metrics are there."""
    if how.source is None:
        return {}
    metrics = (how.source if how.source.is_dir() else how.source.parent) / METRICS
    return read_columns(metrics) if metrics.is_file() else {}
