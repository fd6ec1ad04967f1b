"""One model on several substrates: where they agree, where they part, and why."""

from netdesc.comparison.arrangement import arrange, flatten
from netdesc.comparison.attribution import Attribution, Departing, Effect
from netdesc.comparison.settings import Settings
from netdesc.comparison.study import Comparison, Weights, compare
from netdesc.comparison.substrates import Substrate, parse_list
from netdesc.comparison.verdict import Verdict

__all__ = [
    "Attribution",
    "Comparison",
    "Departing",
    "Effect",
    "Settings",
    "Substrate",
    "Verdict",
    "Weights",
    "arrange",
    "compare",
    "flatten",
    "parse_list",
]
