"""Training by exact gradients: epochs, checkpoints, metrics, run directories."""

from netdesc.errors import RunDirectoryError
from netdesc.training.records import EpochReport, Metrics, Progress, TrainingResult
from netdesc.training.session import evaluate, train

__all__ = ["EpochReport", "Metrics", "Progress", "RunDirectoryError", "TrainingResult", "evaluate", "train"]
