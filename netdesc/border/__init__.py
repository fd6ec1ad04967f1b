"""Where a backend is called: what it is, what it raises and what it returns is checked, whoever wrote it."""

from netdesc.border.backend import configure, passes_of
from netdesc.border.calls import FAULT, MEMORY, guarded
from netdesc.border.machine import CheckedLearner, CheckedMachine, load

__all__ = ["FAULT", "MEMORY", "CheckedLearner", "CheckedMachine", "configure", "guarded", "load", "passes_of"]
