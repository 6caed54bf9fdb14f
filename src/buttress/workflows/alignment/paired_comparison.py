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
from buttress.workflows.alignment.comparing import (
    MARGINS,
    JudgeErrors,
    Side,
    compared,
    degenerate_answers,
)
from buttress.workflows.alignment.measuring import Asked, Cells
from buttress.workflows.alignment.requests import DEGENERATE, EXPECT, PARTS, MeasuredRequests


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Compares answers to ``requests``; ``margins`` in shares by risk, over the defaults.

    ``judge_errors``: whether the judge is taken to err alike before and after.
    """

    requests: MeasuredRequests
    judge: Judge
    store: RecordStore
    margins: Mapping[str, float]
    judge_errors: JudgeErrors = "alike"

    def available(self, risk: str, part: str) -> int:
        """Number of requests of a risk in a part."""
        return len(self.requests.of(risk, part))

    def rows(self, baseline: Cells, after: Cells, *, asked: Asked) -> list[RiskComparison]:
        """Each risk on each part; ``asked`` requests of each were asked after."""
        rows = []
        for part in cast(tuple[PartName, ...], PARTS):
            everything: list[list[Trial]] = [[], []]
            counts = {risk: self.available(risk, part) for risk in EXPECT}
            counts = {risk: count for risk, count in counts.items() if count}
            both = {risk: asked[risk, part] for risk in counts}
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
                        judge_errors=self.judge_errors,
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
        """All labels of the judge together, or by system where it may err differently on each side.

        How systems differ cancels as far as both sides of a change share it. Bounds for a system
        that the judge has not met would say next to nothing about a change; labels of both do.
        """
        known = self.judge.calibration(EXPECT[risk])
        if known is None or self.judge_errors == "apart":
            return None if known is None else as_counts(known)
        return replace(as_counts(known), systems=())

    def margin(self, risk: str) -> float:
        """By how much a risk may rise, a share; the user's, else the default."""
        return self.margins.get(risk, MARGINS[risk])
