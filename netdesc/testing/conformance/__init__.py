"""A suite of checks that every backend passes, ours or a stranger's.

A backend runs it in a test module of its own::

    from netdesc.testing.conformance import Conformance, Tolerance

    class TestMine(Conformance):
        backend = MyBackend
        unsupported = {"two_currents": "the chip has one current per neuron"}
        tolerance = Tolerance(spike_time=0.1, gradient_cosine=0.99)

The names that ``unsupported`` may hold are those of ``CASES`` and ``READING_CASES``;
the latter are run only on devices whose limits have the loss.
"""

from netdesc.testing.conformance.adjoints import AdjointChecks
from netdesc.testing.conformance.cases import CASES, READING_CASES, Case
from netdesc.testing.conformance.contract import ContractChecks, RefusalChecks
from netdesc.testing.conformance.forward import ForwardChecks, PhysicsChecks
from netdesc.testing.conformance.learning import LearningChecks
from netdesc.testing.conformance.parameters import ParameterChecks
from netdesc.testing.conformance.readings import ReadingChecks
from netdesc.testing.conformance.subject import HostRule, Subject, Tolerance

__all__ = [
    "CASES",
    "READING_CASES",
    "AdjointChecks",
    "Case",
    "Conformance",
    "ContractChecks",
    "ForwardChecks",
    "HostRule",
    "LearningChecks",
    "ParameterChecks",
    "PhysicsChecks",
    "ReadingChecks",
    "RefusalChecks",
    "Subject",
    "Tolerance",
]


class Conformance(
    ContractChecks,
    ForwardChecks,
    ParameterChecks,
    PhysicsChecks,
    AdjointChecks,
    ReadingChecks,
    RefusalChecks,
    LearningChecks,
):
    """All checks at once; see ``Subject`` for what a backend says about itself."""
