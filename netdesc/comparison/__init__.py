"""One model on several substrates: where they agree, where they part, and why."""

from netdesc.comparison.arrangement import arrange
from netdesc.comparison.attribution import Attribution, Departing
from netdesc.comparison.effects import Effect
from netdesc.comparison.plain import flatten
from netdesc.comparison.settings import Settings
from netdesc.comparison.study import Comparison, Weights, compare
from netdesc.comparison.substrates import Substrate, parse_list
from netdesc.comparison.verdict import Verdict

__all__ = [
    "Attribution", "Comparison", "Departing", "Effect", "Settings", "Substrate", "Verdict", "Weights",
    "arrange", "compare", "flatten", "parse_list",
]
