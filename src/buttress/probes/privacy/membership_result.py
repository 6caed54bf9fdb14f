"""From scores of tokens to what membership inference shows, blind classifier first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.probes.privacy.blind import BlindResult, blind_result
from buttress.probes.privacy.membership import ATTACKS, attack_scores
from buttress.probes.privacy.token_scores import TokenScores
from buttress.statistics.roc import auc_interval, tpr_at

LEAST: Final = 10  # texts of each group below which nothing is said
RATES: Final = (0.001, 0.01)
_NEEDS: Final = {
    "min-k++": "needs means and deviations",
    "reference": "needs a reference model",
    "recall": "needs log-probabilities after other texts",
    "neighbourhood": "needs neighbours of each text",
}


def membership_result(
    texts: Sequence[TokenScores], *, seed: int = 0, left_out: Counter[str] | None = None
) -> dict[str, Any]:
    """The part ``membership`` of the document.

    Texts without a scored token are left out and counted. A split is usable unless the blind
    classifier tells the groups apart and no attack does surely better.
    """
    left = Counter(left_out or {})
    scored = [one for one in texts if one.log_probabilities]
    if len(scored) < len(texts):
        left["no scored token"] += len(texts) - len(scored)
    members = [one for one in scored if one.member]
    others = [one for one in scored if not one.member]
    skipped, scores = {}, {}
    for attack in ATTACKS:
        first, second = attack_scores(attack, members), attack_scores(attack, others)
        if first is None or second is None:
            skipped[attack] = _NEEDS.get(attack, "can't be computed for a text")
        else:
            scores[attack] = (first, second)
    return groups_result(
        GroupTexts([one.text for one in members], [one.text for one in others]),
        scores, skipped=skipped, left_out=left, seed=seed,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupTexts:
    """What the blind classifier sees of members and of non-members."""

    members: Sequence[str]
    others: Sequence[str]


def groups_result(
    texts: GroupTexts,
    scores: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    skipped: Mapping[str, str],
    left_out: Mapping[str, int],
    seed: int,
) -> dict[str, Any]:
    """How well scores tell members from non-members, after the blind classifier.

    Args:
        texts: of both groups, in the order of their scores.
        scores: of members and of non-members, by attack.
        skipped: attacks that were not made, and why.
        left_out: what was not scored, by reason.
        seed: of the classifier's folds.
    """
    result: dict[str, Any] = {
        "usable": False,
        "reason": "",
        "members": len(texts.members),
        "non_members": len(texts.others),
        "left_out": dict(left_out),
        "blind": None,
        "attacks": [],
        "skipped": {},
        "leak": False,
    }
    if min(len(texts.members), len(texts.others)) < LEAST:
        result["reason"] = f"fewer than {LEAST} members or non-members"
        return result
    blind = None
    if all(one.strip() for one in (*texts.members, *texts.others)):
        blind = blind_result(texts.members, texts.others, seed)
        result["blind"] = {
            "auc": blind.auc.value,
            "auc_low": blind.auc.low,
            "auc_high": blind.auc.high,
            "distinguishes": blind.distinguishes,
        }
    result["skipped"] = dict(skipped)
    rows = [
        (_attack_row(attack, *both), auc_interval(*both, 0.05 / len(scores)).low)
        for attack, both in scores.items()
    ]
    result["attacks"] = sorted((row for row, _ in rows), key=lambda one: -one["auc"])
    sure = max((low for _, low in rows), default=0.0)
    result["reason"] = _reason(blind, sure)
    result["usable"] = not result["reason"]
    result["leak"] = result["usable"] and sure > 0.5
    return result


def _attack_row(attack: str, first: Sequence[float], second: Sequence[float]) -> dict[str, Any]:
    area = auc_interval(first, second)
    rates = [(rate, tpr_at(first, second, rate)) for rate in RATES]
    return {
        "attack": attack,
        "auc": area.value,
        "auc_low": area.low,
        "auc_high": area.high,
        "tpr": [
            {"fpr": rate, "value": hit.value, "low": hit.low, "high": hit.high}
            for rate, hit in rates
        ],
    }


def _reason(blind: BlindResult | None, sure: float) -> str:
    """Why the split is not usable; empty where it is."""
    if blind is None:
        return "a text is empty, so nobody can say whether the texts alone tell the groups apart"
    if blind.distinguishes and sure <= blind.auc.high:
        return (
            f"a classifier that sees the texts alone tells the groups apart (AUC "
            f"{blind.auc.value:.2f}), and no attack does surely better"
        )
    return ""
