"""What a device cannot do it refuses."""

from __future__ import annotations

from netdesc.errors import NetdescError
from netdesc.testing.conformance.cases import CASES, READING_CASES, Case
from netdesc.testing.conformance.probes import PROBES
from netdesc.testing.conformance.subject import Subject, demand


class RefusalChecks(Subject):
    """What is not supported ends with a diagnostic that has a code, and is never left out silently."""

    def test_what_is_not_supported_is_known_and_has_a_reason(self) -> None:
        """``unsupported`` names networks of the suite, each with a reason."""
        unknown = sorted(set(self.unsupported) - {*CASES, *READING_CASES})
        demand(not unknown, f"{', '.join(unknown)} is not a network of the suite; it has {', '.join(CASES)}")
        for name, reason in self.unsupported.items():
            demand(bool(reason.strip()), f"{name} is not supported, but no reason is given")

    def test_what_is_not_supported_is_refused(self, refused: str) -> None:
        """Each network of ``unsupported`` is refused by a pass or by ``load``."""
        error = self.refusal(CASES.get(refused) or READING_CASES[refused])
        demand(error is not None, f"{refused} is listed as unsupported, but the device accepted it")
        demand_codes(error)

    def test_limits_are_kept(self, probe: str) -> None:
        """A model, loss, recording or trained parameter is taken if ``limits`` has it, refused if not."""
        item = PROBES[probe]
        error = self.refusal(Case(probe, item.text))
        if item.key in getattr(self.device().limits, item.field):
            demand(error is None, f"limits.{item.field} has {item.key}, but it is refused: {error}")
        else:
            demand(error is not None, f"limits.{item.field} lacks {item.key}, but the device accepted it")
            demand_codes(error)

    def refusal(self, case: Case) -> NetdescError | None:
        """Return the error that a network ends with, None where the device takes it."""
        device = self.device()
        try:
            device.load(self.compile(case, device), seed=0)
        except NetdescError as error:
            return error
        return None


def demand_codes(error: NetdescError | None) -> None:
    """Fail unless every diagnostic of a refusal has a code, a path and a text."""
    for item in error.diagnostics if error else ():
        demand(bool(item.code), f"a refusal needs a code, for example XY-MODEL: {item}")
        demand(bool(item.path), f"a refusal needs the path of what is refused: {item}")
        demand(bool(item.message), f"a refusal needs a text: {item}")
