"""One model on several substrates: where they agree, where they part, and why.

The names below are imported at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_HOMES = {
    "arrange": "arrangement", "Attribution": "attribution", "Departing": "attribution", "Effect": "effects",
    "flatten": "plain", "Settings": "settings", "Comparison": "study", "Weights": "study", "compare": "study",
    "Substrate": "substrates", "parse_list": "substrates", "Verdict": "verdict",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'netdesc.comparison' has no attribute {name!r}")
    return getattr(import_module(f"netdesc.comparison.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
