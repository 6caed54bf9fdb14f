"""How far events move the risks: the barrier that they speak about, and a year's loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from buttress.evidence.findings import Severity
from buttress.risk.catalogue import Catalogue, Risk, load_catalogue
from buttress.risk.posterior import TrialEvidence
from buttress.risk.scenario import Evidence, InspectionEvidence, simulate
from buttress.system.model import Profile, System


@dataclass
class RiskMovement:
    """Risks before and after events. Without a ``system``, the catalogue as it comes."""

    system: System | None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The risks."""
        return load_catalogue(self.system.risks if self.system else None)

    def by_findings(
        self, probe: str, before: Mapping[str, Severity], after: Mapping[str, Severity]
    ) -> list[dict[str, Any]]:
        """Of the risks whose barrier the probe informs.

        Args:
            probe: whose barrier it is.
            before, after: the gravest finding or open change by probe, absent where there is none.
        """
        first, second = before.get(probe), after.get(probe)
        clean = InspectionEvidence(None)
        return self._moved(
            probe,
            (InspectionEvidence(first), clean),
            (InspectionEvidence(second), clean),
            f"gravest: {first or 'nothing'}",
            f"gravest: {second or 'nothing'}",
        )

    def by_rates(
        self, probe: str, before: tuple[float, int], after: tuple[float, int]
    ) -> list[dict[str, Any]]:
        """The same for pairs of a failure rate and the trials behind it."""
        return self._moved(
            probe,
            (TrialEvidence(before[1], before[0] * before[1]),),
            (TrialEvidence(after[1], after[0] * after[1]),),
            f"{before[0]:.1%} of {before[1]} trials",
            f"{after[0]:.1%} of {after[1]} trials",
        )

    def by_other_answers(
        self, probe: str, known: tuple[float, int], *, returned: bool
    ) -> list[dict[str, Any]]:
        """Where the answers are no longer those that were judged, or are again.

        What was measured speaks about answers of the reference. As long as others are given, no
        more is known of the barrier than its prior.

        Args:
            probe: whose barrier it is.
            known: the failure rate of the reference, and the trials behind it.
            returned: whether the answers are those of the reference again.
        """
        measured = TrialEvidence(known[1], known[0] * known[1])
        was = f"{known[0]:.1%} of {known[1]} trials"
        now = "unknown: other answers than those that were judged"
        if returned:
            return self._moved(probe, (None,), (measured,), now, was)
        return self._moved(probe, (measured,), (None,), was, now)

    def _moved(
        self,
        probe: str,
        before: Sequence[Evidence | None],
        after: Sequence[Evidence | None],
        was: str,
        now: str,
    ) -> list[dict[str, Any]]:
        rows = []
        for risk in self.catalogue.risks.values():
            barrier = next((one for one in risk.barriers if one.probe == probe), None)
            if barrier is None:
                continue
            # A change that nobody explained makes no barrier better than a clean inspection does.
            first = max(self._loss(risk, probe, one) for one in before)
            second = max(self._loss(risk, probe, one) for one in after)
            rows.append(
                {
                    "risk": risk.id,
                    "title": risk.title,
                    "barrier": barrier.title,
                    "state_before": was,
                    "state_after": now,
                    "loss_before": first,
                    "loss_after": second,
                    "unit": self.catalogue.currency,
                }
            )
        return rows

    def _loss(self, risk: Risk, probe: str, known: Evidence | None) -> float:
        """Mean loss of a year from this risk alone; from its prior where nothing is known."""
        profile = self.system.profile if self.system else Profile()
        evidence = {} if known is None else {probe: known}
        losses = simulate(
            [risk], evidence, profile.requests_per_day, self.catalogue.model, seed=0, worlds=32
        )
        return float(losses.means[0])
