"""Which of two epochs is better."""

from __future__ import annotations

from netdesc.description.model import Choice
from netdesc.errors import DescriptionError
from netdesc.training.records import EpochReport


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
