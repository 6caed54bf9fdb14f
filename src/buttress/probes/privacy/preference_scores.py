"""Membership of preference pairs: was the model aligned on this pair of answers?

Preference training raises what the model prefers by construction: the implicit reward of direct
preference optimisation, log π(y|x) − log π_ref(y|x) (Rafailov et al. 2023), of the chosen answer
over that of the rejected one. A pair that was trained on has a larger margin than one like it that
was not (Feng et al. 2024, "Exposing privacy gaps: membership inference attack on preference data").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.probes.privacy.membership_result import GroupTexts, groups_result


@dataclass(frozen=True, slots=True)
class PairScores:
    """Sums of log-probabilities of both answers, in nats; those of a reference, or None."""

    text: str  # all that a classifier may see: prompt and both answers
    member: bool
    chosen: float
    rejected: float
    chosen_tokens: int
    rejected_tokens: int
    reference_chosen: float | None = None
    reference_rejected: float | None = None


def margin(one: PairScores) -> float | None:
    """Implicit reward of the chosen answer less that of the rejected one, over β."""
    if one.reference_chosen is None or one.reference_rejected is None:
        return None
    return (one.chosen - one.reference_chosen) - (one.rejected - one.reference_rejected)


def chosen_reward(one: PairScores) -> float | None:
    """Implicit reward of the chosen answer alone, over β."""
    return None if one.reference_chosen is None else one.chosen - one.reference_chosen


def plain_margin(one: PairScores) -> float:
    """Mean log-probability of a token of the chosen answer less that of the rejected one."""
    return one.chosen / one.chosen_tokens - one.rejected / one.rejected_tokens


def chosen_loss(one: PairScores) -> float:
    """Mean log-probability of a token of the chosen answer."""
    return one.chosen / one.chosen_tokens


PREFERENCE_ATTACKS: Final[Mapping[str, Callable[[PairScores], float | None]]] = {
    "reward-margin": margin,
    "chosen-reward": chosen_reward,
    "likelihood-margin": plain_margin,
    "chosen-likelihood": chosen_loss,
}


def preference_result(
    pairs: Sequence[PairScores], *, seed: int = 0, left_out: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The part ``preferences`` of the document; blind classifier first, as for texts."""
    members = [one for one in pairs if one.member]
    others = [one for one in pairs if not one.member]
    scores, skipped = {}, {}
    for name, score in PREFERENCE_ATTACKS.items():
        both = [[score(one) for one in group] for group in (members, others)]
        known = [[one for one in group if one is not None] for group in both]
        if list(map(len, known)) == list(map(len, both)):
            scores[name] = (known[0], known[1])
        else:
            skipped[name] = "needs a reference model"
    return groups_result(
        GroupTexts([one.text for one in members], [one.text for one in others]),
        scores, skipped=skipped, left_out=left_out or {}, seed=seed,
    )  # fmt: skip
