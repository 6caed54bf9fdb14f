"""A comparison as plain data, for ``buttress diff --json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from buttress.report.comparison import Comparison

Document = Mapping[str, Any]


def as_json(result: Comparison, before: Document, after: Document) -> dict[str, Any]:
    """The comparison as plain data; described in docs/report.md."""
    return {
        "schema": "buttress-diff/1",
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
