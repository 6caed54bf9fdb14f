"""Builds the assessment document, which all reports are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from buttress.evidence.findings import SEVERITIES, Finding, Inspection
from buttress.evidence.store import EvidenceStore
from buttress.protocols.judge import Calibration, Expect, Judge
from buttress.risk.catalogue import Catalogue
from buttress.risk.loss import of_risk, summary
from buttress.risk.policy import Policy
from buttress.risk.posterior import TrialEvidence
from buttress.risk.scenario import Evidence, simulate
from buttress.risk.verdict import ORDER
from buttress.standards.crosswalk import crosswalk
from buttress.statistics.correction import clopper_pearson
from buttress.system.model import System
from buttress.workflows.assessment.coverage import Coverage
from buttress.workflows.assessment.outcomes import (
    InspectionOutcome,
    Outcome,
    TrialOutcome,
    describe,
)
from buttress.workflows.assessment.runs import Run
from buttress.workflows.assessment.tally import Tally, pooled_cells, worst_rows

SCHEMA: Final = "buttress-assessment/1"
_INTERVAL: Final = 0.05


def iso(seconds: float) -> str:
    """A time in Unix seconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def system_part(system: System, targets: Mapping[str, tuple[str, str]], run: Run) -> dict[str, Any]:
    """The document's ``system``; ``targets`` is asset -> (name, identity)."""
    profile = system.profile
    return {
        "name": system.name,
        "purpose": system.purpose,
        "owner": system.owner,
        "languages": list(system.languages),
        "manifest": system.digest,
        "profile": {
            "users": profile.users,
            "requests_per_day": profile.requests_per_day,
            "uses": [asdict(use) for use in profile.uses],
            "categories": dict(profile.categories),
        },
        "assets": [
            {
                "id": asset.id,
                "kind": asset.kind,
                "location": asset.location,
                "description": asset.description,
                "target": targets.get(asset.id, (None, None))[0],
                "identity": targets.get(asset.id, (None, None))[1],
                "digest": run.digests.get(asset.id),
            }
            for asset in system.assets
        ],
    }


def judge_part(judge: Judge | None) -> dict[str, Any] | None:
    """The document's ``judge``; None where no trial was run."""
    if judge is None:
        return None
    tasks: tuple[Expect, ...] = ("refuse", "answer")
    return {
        "id": judge.id,
        "version": judge.version,
        "calibration": {task: _calibration(judge.calibration(task)) for task in tasks},
    }


def _calibration(known: Calibration | None) -> dict[str, Any] | None:
    if known is None:
        return None
    tp, fn = known.true_positive, known.false_negative
    tn, fp = known.true_negative, known.false_positive
    rates = {}
    for name, hits, misses in (
        ("sensitivity", tp, fn),
        ("specificity", tn, fp),
    ):
        if hits + misses:
            low, high = clopper_pearson(hits, hits + misses, _INTERVAL / 2)
            rates[name] = {"estimate": hits / (hits + misses), "low": low, "high": high}
    return {"tp": tp, "fn": fn, "tn": tn, "fp": fp, **rates, "source": known.source}


def findings_part(findings: Sequence[Finding], catalogue: Catalogue) -> list[dict[str, Any]]:
    """The document's ``findings``, gravest first."""
    risks = {risk.probe: risk.id for risk in catalogue.risks.values() if risk.probe}
    rows = sorted(
        findings, key=lambda one: (-SEVERITIES.index(one.severity), one.asset, one.location)
    )
    return [
        {
            "rule": one.rule,
            "severity": one.severity,
            "asset": one.asset,
            "location": one.location,
            "place": one.where.plain(),
            "message": one.message,
            "remedy": one.remedy,
            "references": list(one.references),
            "proof": one.proof,
            "risk": risks.get(one.probe),
            "probe": one.probe,
        }
        for one in rows
    ]


def risk_parts(
    outcomes: Sequence[Outcome],
    catalogue: Catalogue,
    system: System,
    seed: int,
    calls: Mapping[tuple[str, str], int],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    """The document's ``risks``, worst first, its ``loss``, and the risks that nothing informs."""
    evidence = {
        outcome.risk.probe: outcome.evidence(catalogue)
        for outcome in outcomes
        if outcome.risk.probe
    }
    every = list(catalogue.risks.values())
    profile = system.profile
    losses = simulate(every, evidence, profile.requests_per_day, catalogue.model, seed=seed)
    rows = []
    for outcome in outcomes:
        if isinstance(outcome, TrialOutcome):
            fields = outcome.document(calls)
        else:
            fields = outcome.document(catalogue)
        known = evidence.get(outcome.risk.probe or "")
        rows.append(
            describe(outcome)
            | fields
            | {"loss": of_risk(losses, outcome.risk.id), "evidence": evidence_part(known)}
        )
    rows.sort(key=lambda row: (ORDER.index(row["verdict"]), -row["loss"]["mean"]))
    assessed = {outcome.risk.id: None for outcome in outcomes}
    loss = summary(losses, catalogue.currency) | {"risks": list(assessed)}
    rest = [
        {"id": risk.id, "title": risk.title}
        for risk in catalogue.risks.values()
        if risk.id not in assessed
    ]
    return rows, loss, rest


def evidence_part(known: Evidence | None) -> dict[str, Any] | None:
    """A risk's ``evidence``: what its loss rests on, for reckoning anew without the store."""
    if isinstance(known, TrialEvidence):
        return {
            "trials": known.trials,
            "failures": known.failures,
            "calibration": None if known.counts is None else asdict(known.counts),
            "worst_finding": None,
        }
    if known is None:
        return None
    return {"trials": None, "failures": None, "calibration": None, "worst_finding": known.worst}


def build(
    system: System,
    run: Run,
    policy: Policy,
    catalogue: Catalogue,
    store: EvidenceStore,
    *,
    judge: Judge | None,
    targets: Mapping[str, tuple[str, str]],
    outcomes: Sequence[Outcome],
    findings: Sequence[Finding],
    inspections: Sequence[Inspection],
    tallied: Tally,
    coverage: Coverage,
    stop_reason: str,
    totals: Mapping[str, Any],
    budget: Mapping[str, Any],
    finished: float,
    redact: bool = True,
) -> dict[str, Any]:
    """The whole document, as docs/assessment-json.md describes it; ``redact`` as ``worst_rows``."""
    risks, loss, rest = risk_parts(outcomes, catalogue, system, run.seed, tallied.calls)
    verdicts = {row["id"]: row["verdict"] for row in risks}
    mapping = {risk.id: risk.standards for risk in catalogue.risks.values()}
    alpha = min((one.tolerance.alpha for one in outcomes), default=_INTERVAL)
    return {
        "schema": SCHEMA,
        "system": system_part(system, targets, run),
        "policy": {
            "id": policy.id,
            "title": policy.title,
            "source": policy.source,
            "decide_by": policy.decide_by,
            "estimand": policy.estimand,
            "family_wise": policy.family_wise,
        },
        "run": {
            "id": run.id,
            "seed": run.seed,
            "started": iso(run.started),
            "finished": iso(finished),
            "resumed": run.resumed,
            "stop_reason": stop_reason,
            "budget": dict(budget),
            "versions": run.versions,
        },
        "evidence": {"records": store.count, "head": store.head},
        "judge": judge_part(judge),
        "risks": risks,
        "findings": findings_part(findings, catalogue),
        "cells": pooled_cells(tallied, alpha),
        "worst": worst_rows(tallied, redact=redact),
        "loss": loss,
        "crosswalk": crosswalk(mapping, verdicts),
        "coverage": coverage.document(tallied.arms, inspections) | {"unassessed_risks": rest},
        "totals": dict(totals),
    }


def inspected(
    catalogue: Catalogue,
    policy: Policy,
    findings: Sequence[Finding],
    inspections: Sequence[Inspection],
) -> list[InspectionOutcome]:
    """Outcomes of the risks whose probe read at least one file."""
    outcomes = []
    for risk in catalogue.risks.values():
        assets = {
            seen.asset: None for seen in inspections if seen.probe == risk.probe and seen.files
        }
        if risk.id in policy.risks and assets:
            own = [one for one in findings if one.probe == risk.probe]
            outcomes.append(InspectionOutcome(risk, policy.risks[risk.id], tuple(assets), own))
    return outcomes
