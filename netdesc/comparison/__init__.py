"""One model on several substrates: where they agree, where they deviate, and why."""

from netdesc.comparison.arrangement import arrange
from netdesc.comparison.attribution import Attribution, NonIdeal
from netdesc.comparison.effects import Effect
from netdesc.comparison.keys import flatten, with_former_keys
from netdesc.comparison.predictions import PairedTest, Predictions
from netdesc.comparison.records import Settings
from netdesc.comparison.study import Comparison, Weights, compare
from netdesc.comparison.substrates import Substrate, parse_list
from netdesc.comparison.verdict import Verdict

__all__ = [
    "Attribution",
    "Comparison",
    "Effect",
    "NonIdeal",
    "PairedTest",
    "Predictions",
    "Settings",
    "Substrate",
    "Verdict",
    "Weights",
    "arrange",
    "compare",
    "flatten",
    "parse_list",
    "with_former_keys",
]
