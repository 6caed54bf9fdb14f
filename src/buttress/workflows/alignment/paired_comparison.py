"""The rows of a comparison: each risk on each part, before and after a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from buttress.documents.alignment import PartName, RiskComparison
from buttress.evidence.base import RecordStore
from buttress.evidence.records import Trial
from buttress.judges.calibrated import as_counts
from buttress.protocols.judge import Judge
from buttress.statistics.correction import CalibrationCounts
from buttress.workflows.alignment.comparing import MARGINS, Side, compared, degenerate_answers
from buttress.workflows.alignment.measuring import Cells
from buttress.workflows.alignment.requests import DEGENERATE, EXPECT, PARTS, MeasuredRequests


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Compares answers to ``requests``; ``margins`` in shares by risk, over the defaults."""

    requests: MeasuredRequests
    judge: Judge
    store: RecordStore
    margins: Mapping[str, float]

    def rows(self, baseline: Cells, after: Cells, *, asked: int) -> list[RiskComparison]:
        """Each risk on each part; ``asked`` requests of each were asked after, at most."""
        rows = []
        for part in cast(tuple[PartName, ...], PARTS):
            everything: list[list[Trial]] = [[], []]
            counts = {risk: len(self.requests.of(risk, part)) for risk in EXPECT}
            counts = {risk: count for risk, count in counts.items() if count}
            both = {risk: min(count, asked) for risk, count in counts.items()}
            for risk, count in counts.items():
                sides = [
                    Side(cells.get((risk, part), []), self._labels(risk, part))
                    for cells in (baseline, after)
                ]
                for place, side in enumerate(sides):
                    everything[place] += side.trials
                rows.append(
                    compared(
                        risk, part, *sides, asked=both[risk], not_asked=count - both[risk],
                        margin=self.margin(risk), counts=self._counts(risk),
                    )
                )  # fmt: skip
            if counts:
                whole = sum(both.values())
                rows.append(
                    degenerate_answers(
                        part, *everything, asked=whole, not_asked=sum(counts.values()) - whole,
                        margin=self.margin(DEGENERATE),
                    )
                )  # fmt: skip
        return rows

    def _labels(self, risk: str, part: str) -> list[Any]:
        return list(self.store.labels(probe=f"{risk}/{part}"))

    def _counts(self, risk: str) -> CalibrationCounts | None:
        """All labels of the judge together.

        How systems differ cancels as far as both sides of a change share it. Bounds for a system
        that the judge has not met would say next to nothing about a change; labels of both do.
        """
        known = self.judge.calibration(EXPECT[risk])
        return None if known is None else replace(as_counts(known), systems=())

    def margin(self, risk: str) -> float:
        """By how much a risk may rise, a share; the user's, else the default."""
        return self.margins.get(risk, MARGINS[risk])
