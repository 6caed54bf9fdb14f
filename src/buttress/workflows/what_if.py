"""What a year would cost under other assumptions, from the evidence of a finished assessment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from buttress.documents import reading
from buttress.errors import InputError
from buttress.files import located_yaml
from buttress.risk.assumptions import Assumptions
from buttress.risk.catalogue import load_catalogue
from buttress.risk.loss import summary
from buttress.risk.posterior import TrialEvidence
from buttress.risk.scenario import Evidence, InspectionEvidence, simulate
from buttress.statistics.correction import CalibrationCounts

_PROFILE: Final = "requests_per_day"


def what_if(
    path: Path,
    *,
    risks: Path | None = None,
    profile: str | None = None,
    settings: Sequence[str] = (),
) -> dict[str, Any]:
    """The loss as it was assessed and as it would be.

    Args:
        path: an assessment's document, or its folder.
        risks: file or folder of risks over the catalogue, for both.
        profile: ``requests_per_day=N``, or a file with it: a manifest, or its ``profile`` alone.
        settings: ``PATH=VALUE``, as ``Assumptions.changed`` takes them.

    Returns:
        ``before`` and ``after`` as the document's ``loss``, ``requests_per_day`` of both, and
        ``settings``.

    Raises:
        InputError: no such document, one without the evidence behind its losses, or a setting
            that can't be used.
    """
    document = reading.load(path)
    evidence = _evidence(document, path)
    requests = float(document["system"]["profile"][_PROFILE])
    before = Assumptions(load_catalogue(risks), requests)
    after = before if profile is None else replace(before, requests_per_day=_requests(profile))
    after = after.changed(settings)
    seed = document["run"]["seed"]
    assessed = _loss(before, evidence, seed)
    return {
        "before": assessed,
        "after": assessed if after == before else _loss(after, evidence, seed),
        "requests_per_day": [before.requests_per_day, after.requests_per_day],
        "settings": [*([f"profile {profile}"] if profile else []), *settings],
    }


def _loss(assumed: Assumptions, evidence: Mapping[str, Evidence], seed: int) -> dict[str, Any]:
    catalogue = assumed.catalogue
    losses = simulate(
        list(catalogue.risks.values()),
        evidence,
        assumed.requests_per_day,
        catalogue.model,
        seed=seed,
    )
    return summary(losses, catalogue.currency)


def _evidence(document: Mapping[str, Any], path: Path) -> dict[str, Evidence]:
    found: dict[str, Evidence] = {}
    for risk in document["risks"]:
        if "evidence" not in risk:
            raise InputError(
                f"risk '{risk['id']}' does not say what its loss rests on",
                file=str(path),
                expected="an assessment by this version of buttress",
            )
        known = risk["evidence"]
        if known is None or not risk["probe"]:
            continue
        if known["trials"] is not None:
            counts = known["calibration"]
            found[risk["probe"]] = TrialEvidence(
                known["trials"],
                known["failures"],
                None if counts is None else _calibration(counts),
            )
        else:
            found[risk["probe"]] = InspectionEvidence(known["worst_finding"])
    return found


def _calibration(counts: Mapping[str, Any]) -> CalibrationCounts:
    systems = tuple((tp, fn, tn, fp) for tp, fn, tn, fp in counts.get("systems", ()))
    return CalibrationCounts(counts["tp"], counts["fn"], counts["tn"], counts["fp"], systems)


def _requests(profile: str) -> float:
    name, equals, text = profile.partition("=")
    if equals and name == _PROFILE:
        value: Any = text
    else:
        data = located_yaml.load(Path(profile)).data
        data = data.get("profile", data) if isinstance(data, dict) else {}
        value = data.get(_PROFILE) if isinstance(data, dict) else None
    try:
        requests = float(value)
    except (TypeError, ValueError):
        requests = 0.0
    if not 0 < requests < 1e12:
        raise InputError(
            f"{profile} gives no usable {_PROFILE}",
            field="--profile",
            expected=f"{_PROFILE}=N, or a file that has it",
        )
    return requests
