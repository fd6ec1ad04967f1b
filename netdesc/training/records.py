"""What training reports while it runs and when it is done, and which of two epochs is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from netdesc.description.model import Choice
from netdesc.display import html_table, summarize
from netdesc.errors import DescriptionError
from netdesc.forecast import HostForecast

FORMER = {
    "accuracy_ties_as_errors": "accuracy_ties_wrong",
    "validation_accuracy_ties_as_errors": "validation_accuracy_ties_wrong",
}
"""Former names of keys in JSON, kept for one version."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Performance of a network on a set of samples.

    Parameters
    ----------
    split : str
        ``train``, ``validation`` or ``test``.
    samples : int
        Number of samples.
    loss : float
        Mean over the samples.
    accuracy : float or None
        Fraction of the samples whose label's neuron spikes first, ties broken by index; None where the
        model has no labels.
    accuracy_ties_as_errors : float or None
        The same with every tie counted as an error.
    ties : int
        Samples in which several neurons spike first at the same time.
    silent_samples : int
        Samples in which no output neuron spikes.
    silent_labels : int
        Samples in which the label's neuron does not spike.
    silent_fraction : float
        Fraction of the spiking neurons that are silent over a whole batch, mean over the batches.
    spikes : mapping of str to float
        Mean number of spikes in a sample, by population.
    costs : mapping of str to float
        What the device reports, summed over the samples; where a name begins with ``peak_``, the largest.
    """

    split: str
    samples: int
    loss: float
    accuracy: float | None
    accuracy_ties_as_errors: float | None
    ties: int
    silent_samples: int
    silent_labels: int
    silent_fraction: float
    spikes: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def accuracy_ties_wrong(self) -> float | None:
        """``accuracy_ties_as_errors``, by its former name."""
        return self.accuracy_ties_as_errors


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch of training; a line of ``metrics.csv``, where each of the costs has a column.

    Parameters
    ----------
    epoch : int
        Counted from 1.
    epochs : int
        How many there will be at most.
    loss : float
        Mean over the training samples, each with the weights before the step that used it.
    accuracy : float or None
        Of the training samples; None where the model has no labels.
    accuracy_ties_as_errors : float or None
        The same with every tie counted as an error.
    validation_loss, validation_accuracy, validation_accuracy_ties_as_errors : float or None
        With the weights at the end of the epoch; None where there are no validation samples.
    learning_rate : float
        Of the weights, at the last step of the epoch.
    silent_fraction : float
        Fraction of the spiking neurons that are silent over a whole batch, mean over the batches.
    silent_samples : int
        Training samples in which no output neuron spikes.
    silent_labels : int
        Training samples in which the label's neuron does not spike.
    grazing : int
        Spikes that barely reached the threshold, so that the backend clamped their gradient.
    seconds : float
        Time of training and validation.
    samples : int
        Training samples.
    costs : mapping of str to float
        What the device reports of the training samples, as in `Metrics`.
    notes : tuple of str
        Signs of a training that diverges or no longer learns, first seen in this epoch.
    """

    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    accuracy_ties_as_errors: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    validation_accuracy_ties_as_errors: float | None
    learning_rate: float
    silent_fraction: float
    silent_samples: int
    silent_labels: int
    grazing: int
    seconds: float
    samples: int = 0
    costs: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class TrainingResult:
    """The result of a training.

    Parameters
    ----------
    directory : Path
        The run directory.
    reports : tuple of EpochReport
        One per epoch.
    best_epoch : int
        Epoch whose weights are in ``weights``, counted from 1: the best on the validation samples, or the
        last where there are none.
    stopped_early : bool
        Whether early stopping ended the training.
    test : Metrics or None
        Of the weights in ``weights``; None where there are no test samples.
    weights : Path
        HDF5 file with the weights of the best epoch.
    curve : Path or None
        Picture of the curves; None where it could not be drawn.
    notes : tuple of str
        Notes, for example why there is no picture.
    forecast : HostForecast or None
        Time of an epoch and memory as they were expected after the first batches; before them where there are
        too few to measure; None where the backend does not know how fast it is and there are too few.
    """

    directory: Path
    reports: tuple[EpochReport, ...]
    best_epoch: int
    stopped_early: bool
    test: Metrics | None
    weights: Path
    curve: Path | None
    notes: tuple[str, ...] = ()
    forecast: HostForecast | None = None

    def __repr__(self) -> str:
        test = self.test
        return summarize(
            "TrainingResult",
            {
                "epochs": len(self.reports),
                "best_epoch": self.best_epoch,
                "test_loss": f"{test.loss:.4g}" if test else None,
                "test_accuracy": f"{test.accuracy:.4g}" if test and test.accuracy is not None else None,
                "directory": repr(str(self.directory)),
            },
        )

    def _repr_html_(self) -> str:
        rows = [
            (report.epoch, f"{report.loss:.4g}", _text(report.accuracy), _text(report.validation_accuracy))
            for report in self.reports[-10:]
        ]
        title = f"{self.directory}, best epoch {self.best_epoch}"
        return html_table(title, ("epoch", "loss", "accuracy", "validation accuracy"), rows)


class Progress(Protocol):
    """Somebody who wants to know how training goes."""

    def __call__(self, report: EpochReport) -> None:
        """Take note of an epoch, after its checkpoint is written."""
        ...


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def arrange_record(item: Metrics | EpochReport) -> dict[str, Any]:
    """Return a record as JSON data, with renamed keys under their former names too."""
    data = asdict(item)
    return data | {FORMER[key]: value for key, value in data.items() if key in FORMER}


def rank_report(report: EpochReport, stopping: Choice | None) -> tuple[float, float]:
    """Return a rank that is larger for a better epoch.

    Parameters
    ----------
    report : EpochReport
    stopping : Choice or None
        Its ``metric``, ``validation_loss`` or ``validation_accuracy``, says what counts. Without early
        stopping the validation accuracy counts.

    Returns
    -------
    tuple of float
        The metric, its sign such that larger is better; for an accuracy the loss decides between equals.
        Where there are no validation samples the number of the epoch, so that the last is the best.
    """
    if report.validation_loss is None:
        return float(report.epoch), 0.0
    metric = stopping.options.get("metric", "validation_loss") if stopping else "validation_accuracy"
    if metric == "validation_loss" or report.validation_accuracy is None:
        return -report.validation_loss, 0.0
    return report.validation_accuracy, -report.validation_loss


def require_watchable(stopping: Choice | None, *, validated: bool, labelled: bool) -> None:
    """Refuse early stopping that would have nothing to watch.

    Parameters
    ----------
    stopping : Choice or None
    validated : bool
        Whether there are validation samples.
    labelled : bool
        Whether they have labels.

    Raises
    ------
    DescriptionError
        If the metric does not exist for this model.
    """
    if stopping is None:
        return
    if not validated:
        raise DescriptionError(
            "early stopping needs validation samples; set validation in data.dataset, "
            "or remove early_stopping",
            path="training.early_stopping",
        )
    if stopping.options.get("metric") == "validation_accuracy" and not labelled:
        raise DescriptionError(
            "without labels there is no accuracy; use metric: validation_loss",
            path="training.early_stopping.metric",
        )
