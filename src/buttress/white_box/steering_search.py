"""Which layer and strength of a steering vector raise refusals of harm and of nothing else.

Activation addition (Turner et al. 2023, arXiv:2308.10248; Arditi et al. 2024, arXiv:2406.11717,
section 2.4): the difference in mean hidden states between harmful and harmless requests, times a
strength, is added to the residual stream at one layer. It is added to harmless requests too, so a
model whose refusals hang on one direction may refuse them as well; the search tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from buttress.white_box.refusal_direction import (
    REFUSALS,
    difference_in_means,
    refusal_log_odds,
)
from buttress.white_box.residual import added, decoder_layers

SHARES: Final = (0.3, 0.45, 0.6)  # of the depth: layers that are tried
MOST_RISE: Final = 0.5  # of the log odds of refusing a harmless request


@dataclass(frozen=True, slots=True)
class SteeringFound:
    """``vector`` (size,), its ``layer`` and ``strength``, and what it does to first tokens.

    ``harmful`` and ``harmless`` are mean log odds of a refusal with the vector added, ``plain`` the
    same (harmful, harmless) without it.
    """

    vector: Any
    layer: int
    strength: float
    harmful: float
    harmless: float
    plain: tuple[float, float]
    tried: int


def search_steering(
    model: Any,
    tokenizer: Any,
    harmful: Sequence[str],
    harmless: Sequence[str],
    *,
    validation: tuple[Sequence[str], Sequence[str]],
    strengths: Sequence[float],
) -> SteeringFound:
    """The vector that raises the log odds of refusing harm most.

    Of those count that raise the log odds of refusing a harmless request by at most ``MOST_RISE``;
    where none does, the one that tells both kinds apart best.

    Args:
        model: decoder of transformers.
        tokenizer: its tokenizer.
        harmful: requests that the difference comes from.
        harmless: the same, to be answered.
        validation: other requests of both kinds, to choose by.
        strengths: factors of the difference, to try.

    Raises:
        InputError: no requests of a kind.
    """
    differences = difference_in_means(model, tokenizer, harmful, harmless)[:, -1]
    depth = len(decoder_layers(model))
    layers = sorted({max(1, min(depth - 1, round(share * depth))) for share in SHARES})

    def odds(requests: Sequence[str]) -> float:
        return refusal_log_odds(model, tokenizer, requests, REFUSALS)

    plain = (odds(validation[0]), odds(validation[1]))
    found = []
    for layer in layers:
        for strength in strengths:
            with added(model, differences[layer] * strength, layer):
                steered = (odds(validation[0]), odds(validation[1]))
            found.append((layer, strength, *steered))
    careful = [one for one in found if one[3] - plain[1] <= MOST_RISE]
    layer, strength, high, low = (
        max(careful, key=lambda one: one[2])
        if careful
        else max(found, key=lambda one: one[2] - one[3])
    )
    return SteeringFound(differences[layer], layer, strength, high, low, plain, len(found))
