"""Names of earlier versions in reports, JSON and checkpoints."""

from __future__ import annotations

import json

import numpy as np

from netdesc.trace import Trace
from netdesc.training.checkpoint import read_report
from netdesc.training.records import EpochReport, Metrics, arrange_record


def make_report() -> EpochReport:
    return EpochReport(1, 1, 1.0, 0.5, 0.25, 1.0, 0.5, 0.125, 0.1, 0.0, 0, 0, 0, 1.0)


def test_json_of_a_record_has_the_former_name_beside_the_new_one() -> None:
    data = arrange_record(Metrics("test", 4, 1.0, 0.5, 0.25, 1, 0, 0, 0.0))
    assert data["accuracy_ties_as_errors"] == data["accuracy_ties_wrong"] == 0.25
    assert Metrics("test", 4, 1.0, 0.5, 0.25, 1, 0, 0, 0.0).accuracy_ties_wrong == 0.25


def test_a_report_of_an_earlier_checkpoint_is_read() -> None:
    report = make_report()
    data = json.loads(json.dumps(arrange_record(report)))
    former = {key: value for key, value in data.items() if not key.endswith("as_errors")}
    assert "accuracy_ties_wrong" in former
    assert read_report(former) == read_report(data) == report


def test_a_trace_returns_its_effective_parameters_by_their_former_name() -> None:
    trace = Trace({}, None, effective_parameters={"w": np.ones(1)}, batch_size=1)
    assert trace.parameters_as_run is trace.effective_parameters
