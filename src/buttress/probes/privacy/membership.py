"""Membership inference: was the model trained on this text? Scores by the published formulas.

A higher score says "trained on". All attacks are computed from log-probabilities of tokens.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import UNSET

from buttress.probes.privacy.token_scores import TokenScores

SHARE: Final = 0.2  # of the tokens, for Min-K% and Min-K%++, as the papers use most
_LEAST: Final = 1e-8  # deviation below which a prediction is certain


def loss(one: TokenScores) -> float:
    """Mean log-probability (Yeom et al. 2018)."""
    return float(np.mean(one.log_probabilities))


def zlib_ratio(one: TokenScores) -> float:
    """Mean log-probability over bytes of the text as zlib packs it (Carlini et al. 2021)."""
    return loss(one) / len(zlib.compress(one.text.encode("utf-8", "surrogatepass")))


def min_k(one: TokenScores) -> float:
    """Mean of the least likely fifth of the tokens, at least one (Shi et al. 2024)."""
    return _lowest(np.asarray(one.log_probabilities))


def min_k_plus(one: TokenScores) -> float | None:
    """The same of log-probabilities standardised at each token (Zhang et al. 2025, Min-K%++)."""
    if one.means is UNSET or one.deviations is UNSET:
        return None
    spread = np.maximum(np.asarray(one.deviations), _LEAST)
    return _lowest((np.asarray(one.log_probabilities) - np.asarray(one.means)) / spread)


def reference(one: TokenScores) -> float | None:
    """Mean log-probability less that of a reference model (Carlini et al. 2021)."""
    if one.reference_log_probabilities is UNSET or not one.reference_log_probabilities:
        return None
    return loss(one) - float(np.mean(one.reference_log_probabilities))


def recall(one: TokenScores) -> float | None:
    """Log-probability after texts of others, over that without (Xie et al. 2024, ReCaLL)."""
    if one.prefixed_log_probabilities is UNSET:
        return None
    plain = loss(one)
    return float(np.mean(one.prefixed_log_probabilities)) / plain if plain else None


def neighbourhood(one: TokenScores) -> float | None:
    """Mean log-probability less the mean of that of neighbours (Mattern et al. 2023)."""
    if one.neighbours is UNSET or not one.neighbours:
        return None
    return loss(one) - float(np.mean(one.neighbours))


ATTACKS: Final[Mapping[str, Callable[[TokenScores], float | None]]] = {
    "loss": loss,
    "zlib": zlib_ratio,
    "min-k": min_k,
    "min-k++": min_k_plus,
    "reference": reference,
    "recall": recall,
    "neighbourhood": neighbourhood,
}


def attack_scores(attack: str, texts: Sequence[TokenScores]) -> list[float] | None:
    """The scores of all texts, or None where a text lacks what the attack needs."""
    scores = [ATTACKS[attack](one) for one in texts]
    known = [score for score in scores if score is not None]
    return known if len(known) == len(scores) else None


def _lowest(values: np.ndarray) -> float:
    count = max(1, int(SHARE * len(values)))  # a text of fewer than five tokens has one as well
    return float(np.mean(np.sort(values)[:count]))
