"""Two assessments compared: the use case behind ``buttress diff``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from buttress.documents import reading
from buttress.errors import InputError
from buttress.report.comparison import ALPHA, Comparison, compare
from buttress.report.pairing import recorded

SCHEMA: Final = "buttress-diff/1"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ComparedAssessments:
    """Both documents and their comparison."""

    before: Document
    after: Document
    comparison: Comparison

    def document(self) -> dict[str, Any]:
        """As plain data; ``documents.comparison.ComparisonDocument`` is its type."""
        return as_json(self.comparison, self.before, self.after)


def diff(
    before: Path, after: Path, *, alpha: float = ALPHA, paired: bool = False
) -> ComparedAssessments:
    """Compare two assessments.

    Args:
        before: the folder of the earlier one, or its ``assessment.json``.
        after: the same of the later one.
        alpha: probability at most of a false alarm by the tests on rates, between 0 and 1.
        paired: pair the items asked on both sides, from the evidence beside the documents.

    Raises:
        InputError: a document or its evidence is not there or not usable, or ``alpha`` is out of
            range.
    """
    if not 0 < alpha < 1:
        raise InputError(f"{alpha} is out of range", field="--alpha", expected="0 < P < 1")
    earlier, later = reading.load(before), reading.load(after)
    evidence = (recorded(before, earlier), recorded(after, later)) if paired else None
    return ComparedAssessments(earlier, later, compare(earlier, later, alpha, evidence))


def as_json(result: Comparison, before: Document, after: Document) -> dict[str, Any]:
    """The comparison as plain data; described in docs/report.md."""
    return {
        "schema": SCHEMA,
        "before": _side(before),
        "after": _side(after),
        "alpha": result.alpha,
        "conclusion": result.conclusion,
        "regressions": result.regressions,
        "warnings": result.warnings,
        "risks": [
            {
                "risk": change.risk,
                "asset": change.asset,
                "title": change.title,
                "change": change.kind,
                "why": change.why,
                "p_value": change.p_value,
                "paired": None if change.paired is None else asdict(change.paired),
                "before": _state(change.before),
                "after": _state(change.after),
            }
            for change in result.changes
        ],
        "findings": {
            "new": [
                dict(new.finding)
                | {
                    "tolerated": new.tolerated,
                    "first_look": new.first_look,
                    "regression": new.regression,
                }
                for new in result.new
            ],
            "gone": [dict(finding) for finding in result.gone],
        },
        "coverage": {"lost": result.lost, "gained": result.gained},
    }


def _side(document: Document) -> dict[str, Any]:
    return {
        "system": document["system"]["name"],
        "run": document["run"]["id"],
        "finished": document["run"]["finished"],
        "policy": document["policy"]["id"],
        "head": document["evidence"]["head"],
    }


def _state(state: Document | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {key: state[key] for key in ("verdict", "rate", "trials")}
